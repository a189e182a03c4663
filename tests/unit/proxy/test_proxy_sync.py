"""Many changes in any order: the kernel ends with the same table as if it were written from scratch."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy_worlds import HERE, book_of, planned, service

from minik8s.host.journal import Journal
from minik8s.host.metrics import Registry
from minik8s.nft.fake import Fake
from minik8s.nft.flows import Flows
from minik8s.nft.kernel import NftError
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import IPV4, IPV6, frame
from minik8s.proxy.metrics import Metrics
from minik8s.proxy.pages import pages
from minik8s.proxy.plan import ServicePlan, plan
from minik8s.proxy.sync import Syncer
from minik8s.proxy.why import stale_flows
from minik8s.proxy.world import World


class MemoryWorld(World):
    """The world with a packet filter in memory, and a list of what was to be forgotten."""

    def __init__(self) -> None:
        self.fake = Fake()
        super().__init__(self.fake)
        self.forgotten: list[Flows] = []

    def forget(self, flows: list[Flows]) -> None:  # type: ignore[override]
        self.forgotten += flows


class Bench:
    """A syncer in its surroundings."""

    def __init__(self, world: MemoryWorld | None = None) -> None:
        self.world = world or MemoryWorld()
        self.journal, self.registry = Journal(), Registry()
        self.syncer = Syncer(Book(frame(IPV4, "node-1")), self.world, self.journal, Metrics(self.registry))

    def sync(self, *plans: ServicePlan) -> None:
        self.syncer.sync([one.key for one in plans], {one.key: one for one in plans}.__getitem__)

    @property
    def last(self) -> dict[str, object]:
        return self.journal.entries()[-1]


@pytest.fixture
def bench() -> Iterator[Bench]:
    yield Bench()


def gone(name: str) -> ServicePlan:
    return plan(None, [], HERE, f"default/{name}")


ENDPOINTS = st.lists(
    st.sampled_from(["a", "b", "c", "a=leaving", "b=starting", "c@node-2", "a@node-1", "n1"]),
    max_size=4,
    unique_by=lambda text: text[0],
).map(" ".join)


@st.composite
def services(draw: st.DrawFn) -> ServicePlan:
    name = draw(st.sampled_from(["web", "cart", "dns"]))
    if draw(st.integers(0, 5)) == 0:
        return gone(name)
    # Few addresses and ports, so that two Services sometimes want the same.
    ip = draw(st.sampled_from(["10.96.0.5", "10.96.0.6", "10.96.0.7", "None"]))
    ports = draw(st.sampled_from(["http:80:30080", "http:80", "http:81 dns:53/UDP:30053"]))
    spec = {
        "type": draw(st.sampled_from(["ClusterIP", "NodePort"])),
        "sessionAffinity": draw(st.sampled_from(["None", "ClientIP"])),
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": draw(st.sampled_from([10, 3600]))}},
        "externalTrafficPolicy": draw(st.sampled_from(["Cluster", "Local"])),
        "internalTrafficPolicy": draw(st.sampled_from(["Cluster", "Local"])),
    }
    return planned(name, ip, draw(ENDPOINTS), ports, **spec)


@given(st.lists(st.lists(services(), max_size=3, unique_by=lambda one: one.key), max_size=6))
@settings(max_examples=150, deadline=None)
def test_changes_in_any_order_give_the_table_made_from_scratch(rounds: list[list[ServicePlan]]) -> None:
    bench = Bench()
    wanted: dict[str, ServicePlan] = {}
    for plans in rounds:
        bench.sync(*plans)
        wanted.update((one.key, one) for one in plans)
        assert bench.world.fake.table == book_of(*wanted.values()).table()
    assert "nftables_sync_failures_total 0" in bench.registry.text()


@given(st.lists(services(), max_size=3, unique_by=lambda one: one.key))
@settings(max_examples=50, deadline=None)
def test_syncing_again_changes_nothing(plans: list[ServicePlan]) -> None:
    bench = Bench()
    bench.sync(*plans)
    commits = len(bench.world.fake.log)
    bench.sync(*plans)
    assert len(bench.world.fake.log) == commits


def test_the_order_of_services_does_not_matter() -> None:
    plans = [planned("web", "10.96.0.5", "a"), planned("cart", "10.96.0.5", "b"), planned("dns", "10.96.0.6", "a")]
    assert book_of(*plans).table() == book_of(*plans[::-1]).table()


def test_a_change_touches_only_the_chain_of_its_service(bench: Bench) -> None:
    bench.sync(planned("web", "10.96.0.5", "a b"), planned("cart", "10.96.0.6", "a b c"))
    bench.sync(planned("web", "10.96.0.5", "a b=starting"))
    assert [line.split(" ip ")[0] for line in bench.world.fake.log[-1].splitlines()] == [
        "flush chain",
        "add rule",
        "add rule",
    ]
    assert "cart" not in bench.world.fake.log[-1]


def test_the_journal_says_who_left_and_why(bench: Bench) -> None:
    bench.sync(planned("web", "10.96.0.5", "a b"))
    bench.sync(planned("web", "10.96.0.5", "a b=starting"))
    assert bench.last["stage"] == "rules"
    assert bench.last["because"] == "endpoint 10.244.1.3:8080 left default/web:http: Pod not ready"
    assert bench.last["objects"] == ["endpointslices/default/web-x", "services/default/web"]
    assert bench.last["revisions"] == ["12", "11"]
    data = bench.last["data"]
    assert isinstance(data, dict)
    assert data["removed"] == ["default/web:http 10.244.1.3:8080"] and data["services"] == ["default/web"]


@pytest.mark.parametrize(
    ("before", "after", "because"),
    [
        ("a", "a b", "endpoint 10.244.1.3:8080 joined default/web:http: pod default/web-b"),
        ("a b", "a b=leaving", "endpoint 10.244.1.3:8080 left default/web:http: Pod is terminating"),
        ("a b", "a", "endpoint 10.244.1.3:8080 left default/web:http: no EndpointSlice names it any more"),
        (
            "a c",
            "a@node-1 c@node-2",
            "endpoint 10.244.2.2:8080 left default/web:http: another endpoint is preferred here",
        ),
        (
            "a",
            "",
            "endpoint 10.244.1.2:8080 left default/web:http: no EndpointSlice names it any more; "
            "default/web:http has no endpoint left and is refused",
        ),
    ],
)
def test_the_reason_is_a_sentence(bench: Bench, before: str, after: str, because: str) -> None:
    bench.sync(planned("web", "10.96.0.5", before))
    bench.sync(planned("web", "10.96.0.5", after))
    assert bench.last["because"] == because


def test_flows_of_an_endpoint_that_serves_no_longer_are_forgotten(bench: Bench) -> None:
    bench.sync(planned("dns", "10.96.0.10", "a b", "dns:53/UDP dns-tcp:53"))
    bench.world.forgotten.clear()
    bench.sync(planned("dns", "10.96.0.10", "a b=leaving", "dns:53/UDP dns-tcp:53"))
    assert bench.world.forgotten == []  # it still answers who already talks to it
    bench.sync(planned("dns", "10.96.0.10", "a", "dns:53/UDP dns-tcp:53"))
    assert bench.world.forgotten == [Flows("tcp", "10.244.1.3", 8080), Flows("udp", "10.244.1.3", 5353)]


def test_udp_flows_from_before_a_service_existed_are_forgotten(bench: Bench) -> None:
    bench.sync()
    bench.sync(planned("dns", "10.96.0.10", "a", "dns:53/UDP:30053", type="NodePort"))
    assert bench.world.forgotten == [Flows("udp", "0.0.0.0", 30053), Flows("udp", "10.96.0.10", 53)]


def test_flows_to_a_node_port_are_of_the_family_whose_service_is_new() -> None:
    wanted = service("dns", "10.96.0.10", "dns:53/UDP:30053", type="NodePort", clusterIPs=["10.96.0.10", "fd00:96::a"])
    for family, address, any_address in ((IPV4, "10.96.0.10", "0.0.0.0"), (IPV6, "fd00:96::a", "::")):
        made = plan(wanted, [], Here("node-1", family))
        assert stale_flows({}, {made.key: made}) == [Flows("udp", any_address, 30053), Flows("udp", address, 53)]


def test_an_endpoint_that_left_while_no_proxy_ran_is_forgotten_at_start(bench: Bench) -> None:
    bench.sync(planned("dns", "10.96.0.10", "a b", "dns:53/UDP"), planned("web", "10.96.0.5", "a b"))
    bench.world.forgotten.clear()
    Bench(bench.world).sync(planned("dns", "10.96.0.10", "a", "dns:53/UDP"), planned("web", "10.96.0.5", "a"))
    # Of TCP the handshakes that nobody answered: their source ports would lead new connections to the one who left.
    assert {Flows("udp", "10.244.1.3", 5353), Flows("tcp", "10.244.1.3", 8080)} <= set(bench.world.forgotten)
    assert not [one for one in bench.world.forgotten if one.address == "10.244.1.2"]


def test_a_restarted_proxy_keeps_affinity_and_removes_what_is_gone(bench: Bench) -> None:
    cart = planned("cart", "10.96.0.7", "a c", sessionAffinity="ClientIP")
    bench.sync(cart, planned("web", "10.96.0.5", "a"))
    bench.world.fake.run("add element ip minik8s aff/default/cart/http/10.244.1.2/8080 { 10.244.1.3 }")
    Bench(bench.world).sync(cart)
    table = bench.world.fake.table
    assert table and list(table.sets["aff/default/cart/http/10.244.1.2/8080"].elements) == [("10.244.1.3",)]
    assert "svc/default/web/http" not in table.chains


def test_a_table_changed_behind_our_back_is_written_anew(bench: Bench) -> None:
    bench.sync(planned("web", "10.96.0.5", "a"))
    bench.world.fake.table = None
    bench.sync(planned("web", "10.96.0.5", "a b"))
    assert bench.world.fake.table == book_of(planned("web", "10.96.0.5", "a b")).table()
    assert "nftables_sync_failures_total 1" in bench.registry.text()


def test_a_table_that_somebody_wrote_into_is_mended_and_the_journal_says_who(bench: Bench) -> None:
    wanted = planned("web", "10.96.0.5", "a b"), planned("dns", "10.96.0.10", "a", "dns:53/UDP")
    bench.sync(*wanted)
    bench.world.fake.run("add element ip minik8s cluster-ips { 10.96.9.9 }")
    bench.world.forgotten.clear()
    bench.syncer.mend({"ip6 minik8s": "sh (process 8)"})
    assert "wrote into" not in str(bench.last["because"])
    bench.syncer.mend({"ip minik8s": "nft (process 7)"})
    assert bench.world.fake.table == book_of(*wanted).table()
    assert bench.last["because"] == "nft (process 7) wrote into table ip minik8s: all its rules are written anew"
    assert bench.last["stage"] == "rules" and bench.last["data"]["services"] == ["default/dns", "default/web"]  # type: ignore[index]
    assert bench.world.forgotten == [Flows("udp", "10.96.0.10", 53)]
    assert "minik8s_proxy_mended_tables_total 1" in bench.registry.text()


def test_a_service_that_the_kernel_refuses_leaves_the_others_working(bench: Bench) -> None:
    old = planned("web", "10.96.0.5", "a")
    bench.sync(old)
    bench.world.fake.refuse = "cart"
    bench.sync(planned("web", "10.96.0.5", "a b"), planned("cart", "10.96.0.6", "c"))
    assert bench.world.fake.table == book_of(planned("web", "10.96.0.5", "a b")).table()
    assert 'minik8s_proxy_refused_services_total{service="default/cart"} 1' in bench.registry.text()
    bench.world.fake.refuse = ""
    bench.sync(planned("cart", "10.96.0.6", "c"))
    assert bench.world.fake.table and "svc/default/cart/http" in bench.world.fake.table.chains


def test_a_service_refused_at_start_leaves_the_others_working(bench: Bench) -> None:
    bench.world.fake.refuse = "cart"
    bench.sync(planned("web", "10.96.0.5", "a"), planned("cart", "10.96.0.6", "c"))
    assert bench.world.fake.table == book_of(planned("web", "10.96.0.5", "a")).table()


def test_a_kernel_that_refuses_everything_is_an_error_for_the_loop(bench: Bench) -> None:
    bench.world.fake.refuse = "table"
    with pytest.raises(NftError):
        bench.sync(planned("web", "10.96.0.5", "a"))


def test_the_debug_pages_show_rules_and_services(bench: Bench) -> None:
    bench.sync(planned("web", "10.96.0.5", "a b=starting"), planned("cart", "10.96.0.6", "c"))
    shown = pages({"IPv4": bench.syncer})
    assert "svc/default/cart/http" in str(shown["/debug/rules"]({}))
    one = str(shown["/debug/rules"]({"service": "default/web"}))
    assert "10.96.0.5 . tcp . 80" in one and "cart" not in one
    found = shown["/debug/services"]({"service": "default/web"})
    assert isinstance(found, list)
    assert found[0]["sources"][1] == {"object": "endpointslices/default/web-x", "revision": "12"}
    assert [(e["target"], e["used"]) for e in found[0]["ports"][0]["endpoints"]] == [
        ("10.244.1.2:8080", True),
        ("10.244.1.3:8080", False),
    ]
