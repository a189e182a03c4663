"""IPVS mode without IPVS: plans of Services to virtual services, the difference to what is there, what rules remain."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_worlds import planned

from minik8s.api.core import LoadBalancerIngress
from minik8s.proxy import ipvs
from minik8s.proxy.book import Book as Rules
from minik8s.proxy.layout import IPV4
from minik8s.proxy.plan import ServicePlan
from minik8s.proxy.virtual import rules
from minik8s.proxy.virtual.book import Book
from minik8s.proxy.virtual.plan import Action, Key, Real, State, Virtual, after, owned, part, plan, removal, wanted

NODE = ("10.244.1.1", "192.168.56.11")
A, B, C = ("10.244.1.2", 8080), ("10.244.1.3", 8080), ("10.244.2.2", 8080)
WEB = Key("tcp", "10.96.0.5", 80)


def state(*plans: ServicePlan) -> State:
    return wanted(plans, NODE)


def words(actions: Iterable[Action]) -> list[str]:
    """`set tcp 10.96.0.5:80 -> 10.244.1.2:8080 0`: without the reason, with the weight."""
    return [f"{one}".rsplit(": ", 1)[0].split(": ")[0] + (f" {one.weight}" if one.real else "") for one in actions]


def applied(seen: State, actions: Iterable[Action]) -> State:
    """What the kernel makes of them; it refuses what IPVS refuses."""
    virtuals, addresses = dict(seen.virtuals), set(seen.addresses)
    for one in actions:
        if one.address:
            assert (one.address in addresses) == (one.do == "delete"), one
            addresses ^= {one.address}
            continue
        assert one.key and (one.key in virtuals) == (one.do != "add" or one.real is not None), one
        if one.real is not None:
            reals = dict(virtuals[one.key].reals)
            assert (one.real in reals) == (one.do != "add"), one
            if one.do == "delete":
                del reals[one.real]
            else:
                reals[one.real] = replace(reals.get(one.real, Real()), weight=one.weight)
            virtuals[one.key] = replace(virtuals[one.key], reals=reals)
        elif one.do == "delete":
            del virtuals[one.key]
        else:
            assert one.virtual
            known = virtuals.get(one.key, Virtual())
            virtuals[one.key] = Virtual(one.virtual.persistent, one.virtual.scheduler, known.reals)
    return State(virtuals, frozenset(addresses))


def grown(*plans: ServicePlan, connections: int = 0) -> State:
    """IPVS after these plans came into force, each server with so many connections."""
    made = applied(State(), plan(state(*plans), State()))
    virtuals = {
        key: replace(one, reals={target: replace(real, active=connections) for target, real in one.reals.items()})
        for key, one in made.virtuals.items()
    }
    return State(virtuals, made.addresses)


# --- What shall be ----------------------------------------------------------------------------------------------------


def test_a_service_becomes_a_virtual_service_with_its_endpoints_and_then_its_address_local() -> None:
    assert words(plan(state(planned("web", "10.96.0.5", "a c")), State())) == [
        "add tcp 10.96.0.5:80",
        "add tcp 10.96.0.5:80 -> 10.244.1.2:8080 1",
        "add tcp 10.96.0.5:80 -> 10.244.2.2:8080 1",
        "add 10.96.0.5",
    ]


def test_a_node_port_stands_on_every_address_of_the_node() -> None:
    found = state(planned("web", "10.96.0.5", "a", "http:80:30080 dns:53/UDP:30053", type="NodePort"))
    assert {str(key) for key in found.virtuals} == {
        "tcp 10.96.0.5:80",
        "tcp 10.244.1.1:30080",
        "tcp 192.168.56.11:30080",
        "udp 10.96.0.5:53",
        "udp 10.244.1.1:30053",
        "udp 192.168.56.11:30053",
    }
    assert found.addresses == {"10.96.0.5"}


def test_policy_local_leaves_this_nodes_endpoints_where_it_is_asked_for() -> None:
    outside = planned("web", "10.96.0.5", "a c", "http:80:30080", type="NodePort", externalTrafficPolicy="Local")
    inside = planned("api", "10.96.0.6", "a c", internalTrafficPolicy="Local")
    found = state(outside, inside).virtuals
    assert set(found[WEB].reals) == {A, C}
    assert set(found[Key("tcp", "192.168.56.11", 30080)].reals) == {A}
    assert set(found[Key("tcp", "10.96.0.6", 80)].reals) == {A}


def test_addresses_for_clients_outside_are_virtual_services_too() -> None:
    found = state(planned("web", "10.96.0.5", "a", externalIPs=["203.0.113.5"]))
    assert Key("tcp", "203.0.113.5", 80) in found.virtuals
    assert found.addresses == {"10.96.0.5", "203.0.113.5"}


def test_affinity_is_the_virtual_services_persistence() -> None:
    config = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 90}}}
    assert state(planned("web", "10.96.0.5", "a", **config)).virtuals[WEB].persistent == 90
    assert state(planned("web", "10.96.0.5", "a", sessionAffinity="ClientIP")).virtuals[WEB].persistent == 10800


# --- What changes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "actions"),
    [
        pytest.param("a c", "a c", [], id="nothing"),
        pytest.param("a", "a b", ["add tcp 10.96.0.5:80 -> 10.244.1.3:8080 1"], id="one more"),
        pytest.param(
            "a",
            "b",
            ["add tcp 10.96.0.5:80 -> 10.244.1.3:8080 1", "set tcp 10.96.0.5:80 -> 10.244.1.2:8080 0"],
            id="the new one before the old one goes",
        ),
        pytest.param("a b", "a b=leaving", ["set tcp 10.96.0.5:80 -> 10.244.1.3:8080 0"], id="terminating"),
        pytest.param("a", "a=leaving", [], id="the last one serves on while it terminates"),
        pytest.param("a", "a=gone", ["set tcp 10.96.0.5:80 -> 10.244.1.2:8080 0"], id="nobody: refused by the rules"),
        pytest.param("a=gone", "a", ["add tcp 10.96.0.5:80", "add tcp 10.96.0.5:80 -> 10.244.1.2:8080 1"], id="back"),
    ],
)
def test_an_endpoint_joins_or_leaves(before: str, after: str, actions: list[str]) -> None:
    seen = grown(planned("web", "10.96.0.5", before), connections=1)
    assert words(plan(state(planned("web", "10.96.0.5", after)), seen)) == actions


def test_a_drained_server_leaves_when_its_last_connection_is_forgotten() -> None:
    want = state(planned("web", "10.96.0.5", "a"))
    for connections, actions in ((2, []), (0, ["delete tcp 10.96.0.5:80 -> 10.244.1.3:8080 0"])):
        virtual = Virtual(reals={A: Real(), B: Real(0, connections)})
        assert words(plan(want, State({WEB: virtual}, frozenset({"10.96.0.5"})))) == actions


def test_a_draining_server_that_is_ready_again_gets_its_weight_back() -> None:
    virtual = Virtual(reals={A: Real(), B: Real(0, 3)})
    want = state(planned("web", "10.96.0.5", "a b"))
    actions = plan(want, State({WEB: virtual}, frozenset({"10.96.0.5"})))
    assert words(actions) == ["set tcp 10.96.0.5:80 -> 10.244.1.3:8080 1"]


def test_a_udp_server_leaves_as_soon_as_it_serves_no_longer() -> None:
    seen = grown(planned("dns", "10.96.0.10", "a b c", "dns:53/UDP"), connections=5)
    actions = plan(state(planned("dns", "10.96.0.10", "a b=leaving", "dns:53/UDP")), seen)
    assert words(actions) == [
        "set udp 10.96.0.10:53 -> 10.244.1.3:5353 0",
        "delete udp 10.96.0.10:53 -> 10.244.2.2:5353 0",
    ]


def test_other_affinity_changes_the_virtual_service_in_place() -> None:
    seen = grown(planned("web", "10.96.0.5", "a"))
    actions = plan(state(planned("web", "10.96.0.5", "a", sessionAffinity="ClientIP")), seen)
    assert [str(one) for one in actions] == ["set tcp 10.96.0.5:80: default/web:http has another affinity"]


def test_a_deleted_service_takes_its_virtual_services_and_its_address_along() -> None:
    seen = grown(planned("web", "10.96.0.5", "a", "http:80:30080", type="NodePort"))
    actions = plan(state(), owned(seen, State()))
    assert words(actions) == [
        "delete tcp 10.244.1.1:30080",
        "delete tcp 10.96.0.5:80",
        "delete tcp 192.168.56.11:30080",
        "delete 10.96.0.5",
    ]


def test_a_deleted_services_open_connections_go_on_and_new_ones_find_nobody() -> None:
    seen = grown(planned("web", "10.96.0.5", "a"), planned("dns", "10.96.0.10", "a", "dns:53/UDP"), connections=4)
    assert words(plan(state(), seen)) == [
        "set tcp 10.96.0.5:80 -> 10.244.1.2:8080 0",
        "delete udp 10.96.0.10:53",
        "delete 10.96.0.10",
    ]
    closing = State({WEB: Virtual(reals={A: Real(0, 0, closing=3)})}, frozenset({"10.96.0.5"}))
    assert words(plan(state(), closing)) == ["delete tcp 10.96.0.5:80", "delete 10.96.0.5"]


def test_another_mode_takes_all_of_it_away_at_once() -> None:
    seen = grown(planned("web", "10.96.0.5", "a"), connections=4)
    assert words(removal(owned(seen, State()))) == ["delete tcp 10.96.0.5:80"]


def test_virtual_services_of_others_are_not_ours_to_delete() -> None:
    theirs = Key("tcp", "192.168.56.11", 443)
    seen = State({theirs: Virtual(reals={A: Real()})}, frozenset({"10.96.0.5"}))
    assert owned(seen, State()).virtuals == {}
    assert set(owned(seen, State({theirs: Virtual()})).virtuals) == {theirs}


def test_every_action_says_why() -> None:
    seen = grown(planned("web", "10.96.0.5", "a b c"), connections=1)
    actions = plan(state(planned("web", "10.96.0.5", "a b=leaving")), seen)
    assert [one.because for one in actions] == [
        "default/web:http: pod default/web-b, terminating, still serving, only the connections it has",
        "default/web:http: no EndpointSlice names it any more, only the connections it has",
    ]


endpoints = st.sets(st.sampled_from(["a", "b", "c", "a=leaving", "b=gone", "c=starting"])).map(
    lambda found: " ".join(sorted({one[0]: one for one in sorted(found)}.values()))
)
services = st.builds(
    lambda name, at, ports, **spec: planned(name, f"10.96.0.{at}", ports=ports, type="NodePort", **spec),
    name=st.sampled_from(["web", "api"]),
    at=st.sampled_from([5, 6]),
    endpoints=endpoints,
    ports=st.sampled_from(["http:80:30080", "http:80:30080 dns:53/UDP:30053"]),
    sessionAffinity=st.sampled_from(["None", "ClientIP"]),
    externalTrafficPolicy=st.sampled_from(["Cluster", "Local"]),
)
worlds = st.lists(services, max_size=2, unique_by=(lambda one: one.key, lambda one: one.ports[0].address))


@given(worlds, worlds, st.integers(0, 1))
def test_applying_a_plan_leaves_nothing_to_do_once_connections_ended(
    before: list[ServicePlan], after_: list[ServicePlan], connections: int
) -> None:
    want, seen = state(*after_), grown(*before, connections=connections)
    actions = plan(want, seen)
    assert keyed(after(seen, actions)) == keyed(applied(seen, actions))
    seen = applied(applied(seen, actions), plan(want, applied(seen, actions)))  # weight 0 first, away afterwards
    assert all(set(seen.virtuals[key].reals) >= set(one.reals) for key, one in want.virtuals.items() if one.reals)
    assert seen.addresses >= want.addresses
    seen = applied(seen, plan(want, idle(seen)))
    assert plan(want, idle(seen)) == []
    assert keyed(seen) == keyed(State({key: one for key, one in want.virtuals.items() if one.reals}, want.addresses))


@given(st.lists(worlds, max_size=4))
def test_the_book_wants_what_all_services_together_want_and_a_change_tells_what_it_touches(
    changes: list[list[ServicePlan]],
) -> None:
    book, known = Book(NODE), State()
    now: dict[str, ServicePlan] = {}
    for plans in changes:
        given = {one.key: one for one in plans} | {key: ServicePlan(key) for key in now if len(key) % 2}
        now = {key: one for key, one in (now | given).items() if one.sources}
        touched = book.put(given)
        assert book.want() == state(*now.values())
        known = applied(known, plan(book.want(touched), part(known, touched)))
        known = applied(known, plan(book.want(), idle(known)))
        known = applied(known, plan(book.want(), idle(known)))
        assert plan(book.want(), idle(known)) == []


def keyed(seen: State) -> tuple[object, frozenset[str]]:
    """What IPVS would list, without connections."""
    return {
        key: (one.settings, {target: real.weight for target, real in one.reals.items()})
        for key, one in seen.virtuals.items()
    }, seen.addresses


def idle(seen: State) -> State:
    """All connections have ended."""
    return State(
        {
            key: replace(one, reals={t: Real(r.weight) for t, r in one.reals.items()})
            for key, one in seen.virtuals.items()
        },
        seen.addresses,
    )


# --- What is read and what is left ------------------------------------------------------------------------------------


LISTING = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600005:0050 rr persistent 2700000 FFFFFFFF
  -> 0AF40202:1F90      Masq    1      0          3
  -> 0AF40102:1F90      Masq    0      2          1
UDP  0A60000A:0035 rr
TCP  [fd00:0096:0000:0000:0000:0000:0000:0005]:0050 rr
  -> [fd00:0244:0001:0000:0000:0000:0000:0002]:1F90      Masq    1      0          0
FWM  00000007 wlc
"""


def test_the_kernels_listing_is_read_with_its_connections_and_its_ticks() -> None:
    assert ipvs.read(LISTING, 250) == {
        WEB: Virtual(10800, "rr", {C: Real(1, 0, 3), A: Real(0, 2, 1)}),
        Key("udp", "10.96.0.10", 53): Virtual(),
        Key("tcp", "fd00:96::5", 80): Virtual(reals={("fd00:244:1::2", 8080): Real()}),
    }
    assert ipvs.read("", 250) == {}


def test_what_is_left_to_the_rules_is_refusing_and_the_source_address(golden) -> None:
    book = Rules(rules.frame(IPV4, "node-1"))
    plans = [
        planned("web", "10.96.0.5", "a c", "http:80:30080", type="NodePort", externalIPs=["203.0.113.5"]),
        planned("api", "10.96.0.6", "a", "http:80:30081", type="NodePort", externalTrafficPolicy="Local"),
        planned("empty", "10.96.0.7", ""),
    ]
    book.replace({one.key: rules.share(one) for one in plans})
    golden("ipvs", book.table().text())


def test_source_ranges_are_asked_before_ipvs() -> None:
    from proxy_worlds import HERE, service, slice_of

    from minik8s.proxy.plan import plan as plan_service

    def chains(**spec: object) -> dict[str, list[str]]:
        ranges = {"type": "LoadBalancer", "loadBalancerSourceRanges": ["198.51.100.0/24"]}
        wanted = service("web", "10.96.0.5", "http:80:30080", **ranges, **spec)
        wanted.status.loadBalancer.ingress = [LoadBalancerIngress(ip="192.168.56.200")]
        share = rules.share(plan_service(wanted, [slice_of("web", "a")], HERE))
        return {one.name: [rule.text for rule in one.rules] for one in share.chains}

    assert chains() == {
        "fw/default/web/http": ["ip saddr 198.51.100.0/24 goto mark-masq", "goto not-allowed"],
    }
    assert chains(externalTrafficPolicy="Local") == {
        "fw/default/web/http": ["ip saddr 198.51.100.0/24 return", "goto not-allowed"],
    }


def test_an_endpoint_that_only_ipvs_hears_of_is_still_a_change_that_is_told() -> None:
    before, after = (rules.share(planned("web", "10.96.0.5", given)) for given in ("c", "c b=starting"))
    assert before.rules == after.rules
    assert before.rules != rules.share(planned("web", "10.96.0.5", "")).rules
    assert rules.share(planned("web", "10.96.0.5", "c")).rules != rules.share(planned("web", "10.96.0.5", "a")).rules
