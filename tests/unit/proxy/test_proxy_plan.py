"""Services and slices to a rule set: golden text, and what must hold for odd input."""

from collections.abc import Callable

import pytest
from proxy_worlds import HERE, book_of, planned, service, slice_of

from minik8s.api.core import LoadBalancerIngress
from minik8s.nft.walk import Host, Packet, walk
from minik8s.proxy.endpoints import Here, choose
from minik8s.proxy.layout import IPV6
from minik8s.proxy.plan import ServicePlan, plan

Golden = Callable[[str, str], None]


def unnamed() -> ServicePlan:
    """A single port needs no name."""
    wanted, slice_ = service("web", "10.96.0.5"), slice_of("web", "a")
    wanted.spec.ports[0].name, slice_.ports[0].name = "", None
    return plan(wanted, [slice_], HERE)


def balanced(name: str, ip: str, endpoints: str = "", ports: str = "http:80", **spec: object) -> ServicePlan:
    """A Service with a load balancer's address, whose last byte is that of its ClusterIP."""
    wanted = service(name, ip, ports, type="LoadBalancer", **spec)
    address = f"192.168.56.20{ip[-1]}"
    wanted.status.loadBalancer.ingress = [LoadBalancerIngress(ip=address), LoadBalancerIngress(ip="::1", ipMode="VIP")]
    return plan(wanted, [slice_of(name, endpoints)], HERE)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("empty", ()),
        ("unnamed", (unnamed(),)),
        ("clusterip", (planned("web", "10.96.0.5", "a b c"),)),
        ("nodeport", (planned("web", "10.96.0.5", "a c", "http:80:30080 dns:53/UDP:30053", type="NodePort"),)),
        ("refused", (planned("web", "10.96.0.5", "a=starting", "http:80:30080", type="NodePort"),)),
        ("terminating", (planned("web", "10.96.0.5", "a=leaving c=leaving"),)),
        ("same-node", (planned("dns", "10.96.0.10", "n1@node-1 n2@node-2", "dns:53/UDP"),)),
        ("affinity", (planned("cart", "10.96.0.7", "a c", sessionAffinity="ClientIP"),)),
        (
            "local",
            (
                planned(
                    "web",
                    "10.96.0.5",
                    "a c",
                    "http:80:30080",
                    type="NodePort",
                    externalTrafficPolicy="Local",
                    internalTrafficPolicy="Local",
                ),
            ),
        ),
        (
            "external",
            (planned("web", "10.96.0.5", "a c", externalIPs=["203.0.113.5", "fd00:113::5"]),),
        ),
        (
            "loadbalancer",
            (
                balanced("web", "10.96.0.5", "a c", "http:80:30080", loadBalancerSourceRanges=["198.51.100.0/24"]),
                balanced("near", "10.96.0.6", "c", "http:80:30081", externalTrafficPolicy="Local"),
                balanced("empty", "10.96.0.7"),
            ),
        ),
    ],
)
def test_golden(name: str, given: tuple[ServicePlan, ...], golden: Golden) -> None:
    golden(name, book_of(*given).table().text())


def test_ipv6_is_the_same_with_other_words(golden: Golden) -> None:
    from minik8s.proxy.book import Book
    from minik8s.proxy.layout import frame

    six = slice_of("web", "", addressType="IPv6")
    six.endpoints = slice_of("web", "a").endpoints
    six.endpoints[0].addresses = ["fd00:244:1::2"]
    made = plan(service("web", "10.96.0.5", clusterIPs=["10.96.0.5", "fd00:96::5"]), [six], Here("node-1", IPV6))
    book = Book(frame(IPV6, "node-1"))
    book.replace({made.key: made})
    golden("ipv6", book.table().text())


@pytest.mark.parametrize(("ranges", "asks"), [("192.168.56.0/24", True), ("198.51.100.0/24", False)])
def test_a_node_in_the_source_ranges_may_ask_from_the_address_itself(ranges: str, asks: bool) -> None:
    """Where the load balancer's address is one of the node's own, its processes are seen with that address."""
    wanted = service("web", "10.96.0.5", type="LoadBalancer", loadBalancerSourceRanges=[ranges])
    wanted.status.loadBalancer.ingress = [LoadBalancerIngress(ip="192.168.56.205")]
    here = Here("node-1", addresses=("192.168.56.11", "fd00:56::11"))
    table = book_of(plan(wanted, [slice_of("web", "a")], here)).table()
    itself = Packet("192.168.56.205", "192.168.56.205", 80)
    journey = walk(table, itself, Host(("192.168.56.205",)), sent_here=True)
    assert (journey.verdict == "accept") == asks, str(journey)


@pytest.mark.parametrize(
    "given",
    [
        planned("web", "None", "a b"),
        planned("web", "", "", type="ExternalName", externalName="example.org"),
        planned("web", "fd00:96::5", "a"),
        planned("web", "10.96.0.5", "a", ports=""),
        plan(None, [], HERE, "default/web"),
    ],
    ids=["headless", "ExternalName", "other family", "no ports", "deleted"],
)
def test_nothing_is_planned_for_what_has_no_address_here(given: ServicePlan) -> None:
    assert not given.chains and not given.elements


def test_one_bad_endpoint_does_not_spoil_the_service() -> None:
    bad = slice_of("web", "a b c")
    bad.endpoints[0].addresses = ["10.244.1.999"]
    bad.endpoints[1].addresses = []
    made = plan(service("web", "10.96.0.5"), [bad], HERE)
    assert [one.target for one in made.ports[0].in_use] == ["10.244.2.2:8080"]
    assert made.ports[0].choice.bad == (
        "web-x: address '' is no address",
        "web-x: address '10.244.1.999' is no address",
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "224.0.0.1", "fd00::1"])
def test_an_address_that_cannot_be_a_pod_is_left_out(address: str) -> None:
    bad = slice_of("web", "a")
    bad.endpoints[0].addresses = [address]
    assert choose([bad], ("http", "TCP"), HERE).known == ()


def test_a_pods_name_cannot_smuggle_rules_into_the_table() -> None:
    evil = slice_of("web", "a")
    assert evil.endpoints[0].targetRef
    evil.endpoints[0].targetRef.name = '"\n\t}\nflush ruleset\n'
    made = plan(service("web", "10.96.0.5"), [evil], HERE)
    assert "\nflush" not in book_of(made).table().text()


def test_an_endpoint_in_two_slices_counts_once_and_the_ready_one_wins() -> None:
    slices = [slice_of("web", "a=starting", suffix="old"), slice_of("web", "a", suffix="new")]
    for order in (slices, slices[::-1]):
        assert [one.state for one in choose(order, ("http", "TCP"), HERE).cluster] == ["ready"]


def test_unset_conditions_count_as_ready() -> None:
    one = slice_of("web", "a")
    one.endpoints[0].conditions.ready = None
    assert len(choose([one], ("http", "TCP"), HERE).cluster) == 1


def test_ports_are_matched_by_name_and_protocol() -> None:
    one = slice_of("dns", "a", "dns:5353/UDP dns-tcp:5354")
    assert [e.port for e in choose([one], ("dns", "UDP"), HERE).cluster] == [5353]
    assert [e.port for e in choose([one], ("dns-tcp", "TCP"), HERE).cluster] == [5354]
    assert choose([one], ("dns", "TCP"), HERE).cluster == ()


def test_hints_for_a_zone_count_where_no_hint_is_for_the_node() -> None:
    from minik8s.api.discovery import EndpointHints, ForZone

    one = slice_of("web", "a c")
    for endpoint, zone in zip(one.endpoints, ("z1", "z2"), strict=True):
        endpoint.hints = EndpointHints(forZones=[ForZone(name=zone)])
    there = Here("node-9", zone="z2")
    assert [e.address for e in choose([one], ("http", "TCP"), there).cluster] == ["10.244.2.2"]


def test_a_port_without_name_is_called_by_its_number() -> None:
    assert [chain.name for chain in unnamed().chains] == ["svc/default/web/80"]


@pytest.mark.parametrize("label", ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"])
def test_a_service_of_another_proxy_or_of_none_is_left_alone(label: str) -> None:
    other = service("web", "10.96.0.5")
    other.metadata.labels = {label: "theirs"}
    assert not plan(other, [slice_of("web", "a")], HERE).elements
