"""Which Service has which address of the LAN: one line for a world, and what must never happen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import PlayedApi, svc, words

from minik8s.api.core import LoadBalancerIngress, Service
from minik8s.controllers.actions import Patch, Tell
from minik8s.controllers.loadbalancers.plan import Pool, concerned, plan

V4, V6 = Pool("192.168.56.200", "192.168.56.202"), Pool("fd00:56::209", "fd00:56::211")
POOLS = (V4, V6)
BOTH = {"ipFamilies": ["IPv4", "IPv6"]}


def lb(name: str, *addresses: str, born: int = 0, **spec) -> Service:
    """A Service of type LoadBalancer that has these addresses; `born` says which is older."""
    made = svc(name, **({"type": "LoadBalancer"} | spec))
    made.metadata.creationTimestamp = f"2026-01-01T00:00:{born:02d}Z"
    made.status.loadBalancer.ingress = [LoadBalancerIngress(ip=each, ipMode="VIP") for each in addresses]
    return made


def has(api: PlayedApi) -> dict[str, list[str]]:
    return {each.metadata.name: [at.ip for at in each.status.loadBalancer.ingress] for each in api.all(Service)}


def settle(*services: Service) -> PlayedApi:
    """Round after round until nothing is left to write."""
    api = PlayedApi(*services)
    for _ in range(9):
        actions = [each for each in plan(filter(concerned, api.all(Service)), POOLS) if isinstance(each, Patch)]
        if not actions:
            return api
        api.apply(actions)
    raise AssertionError("it never ends")


def test_a_pool_counts_in_the_digits_that_people_read():
    assert V4.addresses == ("192.168.56.200", "192.168.56.201", "192.168.56.202")
    assert V6.addresses == ("fd00:56::209", "fd00:56::210", "fd00:56::211")


WORLDS = {
    "the first free": ([lb("a"), lb("b", born=1)], {"a": ["192.168.56.200"], "b": ["192.168.56.201"]}),
    "what it has it keeps": (
        [lb("a", "192.168.56.201"), lb("b", born=1)],
        {"a": ["192.168.56.201"], "b": ["192.168.56.200"]},
    ),
    "our class": ([lb("a", loadBalancerClass="minik8s.io/lan")], {"a": ["192.168.56.200"]}),
    "a foreign class": ([lb("a", loadBalancerClass="example.com/x")], {"a": []}),
    "what a foreign class has is not ours to give": (
        [lb("a"), lb("b", "192.168.56.200", born=1, loadBalancerClass="example.com/x")],
        {"a": ["192.168.56.201"], "b": ["192.168.56.200"]},
    ),
    "asked for": ([lb("a", loadBalancerIP="192.168.56.202")], {"a": ["192.168.56.202"]}),
    "asked for another": (
        [lb("a", "192.168.56.200", loadBalancerIP="192.168.56.202")],
        {"a": ["192.168.56.202"]},
    ),
    "asked for what another has": (
        [lb("a", "192.168.56.200"), lb("b", "192.168.56.201", born=1, loadBalancerIP="192.168.56.200")],
        {"a": ["192.168.56.200"], "b": []},
    ),
    "asked for what is not there": ([lb("a", loadBalancerIP="10.0.0.1")], {"a": []}),
    "asked for another family": ([lb("a", loadBalancerIP="fd00:56::209")], {"a": []}),
    "both have it, the older keeps it": (
        [lb("b", "192.168.56.200", born=1), lb("a", "192.168.56.200", born=2)],
        {"b": ["192.168.56.200"], "a": ["192.168.56.201"]},
    ),
    "out of the pool": ([lb("a", "192.168.56.9")], {"a": ["192.168.56.200"]}),
    "both families, the same digits": ([lb("a", **BOTH)], {"a": ["192.168.56.200", "fd00:56::209"]}),
    "a second family joins": (
        [lb("a", "192.168.56.201", **BOTH), lb("b", "192.168.56.200", born=1, **BOTH)],
        {"a": ["192.168.56.201", "fd00:56::210"], "b": ["192.168.56.200", "fd00:56::209"]},
    ),
    "the twin is taken": (
        [lb("a", "fd00:56::209", ipFamilies=["IPv6"]), lb("b", born=1, **BOTH)],
        {"a": ["fd00:56::209"], "b": ["192.168.56.201", "fd00:56::210"]},
    ),
    "a family goes": ([lb("a", "192.168.56.200", "fd00:56::209")], {"a": ["192.168.56.200"]}),
    "IPv6 first": (
        [lb("a", ipFamilies=["IPv6", "IPv4"])],
        {"a": ["fd00:56::209", "192.168.56.200"]},
    ),
    "another type": (
        [lb("a", "192.168.56.200", type="ClusterIP"), lb("b", born=1)],
        {"a": [], "b": ["192.168.56.201"]},
    ),
    "another type, given by somebody else": ([lb("a", "203.0.113.7", type="ClusterIP")], {"a": ["203.0.113.7"]}),
    "the last address, freed": (
        [lb("a", "192.168.56.200", type="NodePort"), lb("b", "192.168.56.201"), lb("c", "192.168.56.202"), lb("d")],
        {"a": [], "b": ["192.168.56.201"], "c": ["192.168.56.202"], "d": ["192.168.56.200"]},
    ),
    "more than there are": (
        [lb(name, born=at) for at, name in enumerate("abcd")],
        {"a": ["192.168.56.200"], "b": ["192.168.56.201"], "c": ["192.168.56.202"], "d": []},
    ),
}


@pytest.mark.parametrize("case", WORLDS, ids=str)
def test_who_has_what_in_the_end(case):
    services, expected = WORLDS[case]
    assert has(settle(*services)) == expected


def test_a_service_that_is_going_keeps_its_address_and_gets_no_new_one():
    going, other = lb("a", "192.168.56.200"), lb("b")
    for each in (going, other):
        each.metadata.deletionTimestamp, each.metadata.finalizers = "2026-01-01T00:00:00Z", ["x/y"]
    assert has(settle(going, other, lb("c"))) == {"a": ["192.168.56.200"], "b": [], "c": ["192.168.56.201"]}


SAID = {
    "given": ([lb("a")], "Assigned 192.168.56.200: default/a is of type LoadBalancer, and it was free in "
                         "192.168.56.200-192.168.56.202"),
    "as asked": ([lb("a", loadBalancerIP="192.168.56.201")],
                 "Assigned 192.168.56.201: spec.loadBalancerIP of default/a asks for it"),
    "held": ([lb("a", "192.168.56.200"), lb("b", born=1, loadBalancerIP="192.168.56.200")],
             "spec.loadBalancerIP: 192.168.56.200 is held by default/a"),
    "no such": ([lb("a", loadBalancerIP="10.0.0.1")],
                "spec.loadBalancerIP: 10.0.0.1 is not in the pool 192.168.56.200-192.168.56.202"),
    "other family": ([lb("a", loadBalancerIP="fd00:56::209")],
                     "spec.loadBalancerIP: fd00:56::209 is not of the Service's families: IPv4"),
    "empty": ([*[lb(str(n), f"192.168.56.20{n}") for n in range(3)], lb("a", born=1)],
              "no address is left in 192.168.56.200-192.168.56.202: all 3 are held"),
    "twice": ([lb("a", "192.168.56.200"), lb("b", "192.168.56.200", born=1)],
              "Assigned 192.168.56.201: 192.168.56.200 belongs to default/a, which had it before default/b"),
    "taken back": ([lb("a", "192.168.56.200", type="NodePort")],
                   "192.168.56.200 can be given to others: default/a is of type NodePort now"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID, ids=str)
def test_an_event_says_who_gave_what_and_why_nothing_could_be_given(case):
    services, expected = SAID[case]
    tells = [each if isinstance(each, Tell) else each.tell for each in plan(services, POOLS)]
    assert [tell.message for tell in tells] == [expected]


def test_the_status_is_written_only_while_the_service_is_what_was_looked_at():
    (patch,) = plan([lb("a")], POOLS)
    assert words([patch]) == ["patch services/status a"]
    assert patch.patch["metadata"]["resourceVersion"] == lb("a").metadata.resourceVersion
    assert patch.patch["status"]["loadBalancer"]["ingress"] == [{"ip": "192.168.56.200", "ipMode": "VIP"}]


ADDRESSES = st.sampled_from(["192.168.56.200", "192.168.56.201", "fd00:56::209", "10.0.0.1"])
SPECS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["LoadBalancer", "LoadBalancer", "NodePort"]),
        "loadBalancerIP": st.sampled_from(["", "", "192.168.56.201", "fd00:56::209"]),
        "ipFamilies": st.sampled_from([["IPv4"], ["IPv6"], ["IPv4", "IPv6"]]),
    }
)


@given(st.lists(st.tuples(SPECS, st.lists(ADDRESSES, max_size=2), st.integers(0, 5)), max_size=5), st.randoms())
def test_no_two_share_an_address_wherever_a_round_stops_and_in_whatever_order_they_are_listed(worlds, random):
    services = [lb(f"s{n}", *had, born=born, **spec) for n, (spec, had, born) in enumerate(worlds)]
    api = PlayedApi(*services)
    shared = {ip for ips in has(api).values() for ip in ips if sum(ip in other for other in has(api).values()) > 1}
    for _ in range(9):
        seen = api.all(Service)
        shuffled = random.sample(seen, len(seen))
        actions = [each for each in plan(filter(concerned, seen), POOLS) if isinstance(each, Patch)]
        again = [each for each in plan(filter(concerned, shuffled), POOLS) if isinstance(each, Patch)]
        assert [each.patch for each in again] == [each.patch for each in actions]
        random.shuffle(actions)
        for action in actions[: random.randint(1, 5)]:
            api.apply([action])
            held = [ip for ips in has(api).values() for ip in set(ips) if ip not in shared]
            assert len(held) == len(set(held))
    settled = [ip for ips in has(settle(*api.all(Service))).values() for ip in ips if ip != "10.0.0.1"]
    assert len(settled) == len(set(settled))
