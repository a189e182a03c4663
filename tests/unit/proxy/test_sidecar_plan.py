"""What the sidecar decides: which Pods, which addresses, which rules, whom it tries next."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_worlds import HERE, service, slice_of

from minik8s.api.codec import from_dict
from minik8s.api.pods import Pod
from minik8s.proxy.endpoints import Endpoint
from minik8s.proxy.layout import IPV4, IPV6
from minik8s.proxy.plan import plan as service_plan
from minik8s.proxy.sidecar import plan
from minik8s.proxy.sidecar.plan import Client, Inject, Release

A = Client("default/a", "uid-a", ("10.244.1.2",))
A_MOVED = Client("default/a", "uid-a", ("10.244.1.9",))
B = Client("default/b", "uid-b", ("10.244.1.3",))


def pod(proxy: str = "", phase: str = "Running", **more: Any) -> Pod:
    meta = {"name": "a", "namespace": "default", "uid": "uid-a"}
    annotations = {"minik8s.io/proxy": proxy} if proxy else {}
    status = {"phase": phase, "podIP": more.pop("ip", "10.244.1.2"), "podIPs": more.pop("ips", [])}
    return from_dict(Pod, {"metadata": {**meta, "annotations": annotations}, "spec": more, "status": status})


@pytest.mark.parametrize(
    ("given_pod", "mode", "wanted"),
    [
        (pod("sidecar"), "nftables", True),
        (pod("sidecar"), "ipvs", True),
        (pod("nftables"), "nftables", False),
        (pod(), "nftables", False),
        (pod(), "sidecar", True),
        (pod("nftables"), "sidecar", False),
        (pod("sidecar", hostNetwork=True), "nftables", False),
        (pod(hostNetwork=True), "sidecar", False),
        (pod("sidecar", phase="Succeeded"), "nftables", False),
        (pod("sidecar", phase="Pending", ip=""), "nftables", False),
        (pod("sidecar", phase="Pending"), "nftables", True),
    ],
)
def test_which_pods_are_served(given_pod: Pod, mode: str, wanted: bool) -> None:
    assert (list(plan.clients([given_pod], mode)) == ["uid-a"]) is wanted


def test_a_pod_is_found_by_all_its_addresses() -> None:
    both = [{"ip": "10.244.1.2"}, {"ip": "fd00:244:0:1::2"}]
    assert plan.clients([pod("sidecar", ips=both)], "")["uid-a"].addresses == ("10.244.1.2", "fd00:244:0:1::2")


@pytest.mark.parametrize(
    ("wanted", "present", "gone", "actions"),
    [
        ([], [], [], []),
        ([A], [A], [], []),
        ([A, B], [A], [], [(Inject, B, "it asks for a sidecar")]),
        ([B], [A, B], [], [(Release, A, "it does not ask for a sidecar any more")]),
        (
            [A],
            [A],
            [A],
            [(Release, A, "its sandbox has ended"), (Inject, A, "it asks for a sidecar")],
        ),
        (
            [A_MOVED],
            [A],
            [],
            [(Release, A, "its addresses changed"), (Inject, A_MOVED, "it asks for a sidecar")],
        ),
    ],
)
def test_what_is_done_about_pods(wanted: list, present: list, gone: list, actions: list) -> None:
    by_uid = [{one.uid: one for one in clients} for clients in (wanted, present)]
    found = plan.plan(*by_uid, {one.uid for one in gone})
    assert [(type(one), one.client, one.because) for one in found] == actions


SERVICES = {
    "web": ("10.96.0.5", "http:80", "a b=starting c=leaving", {}),
    "empty": ("10.96.0.6", "http:80", "", {}),
    "draining": ("10.96.0.7", "http:80", "c=leaving", {}),
    "names": ("10.96.0.8", "dns:53/UDP tcp:53", "n1", {}),
    "here": ("10.96.0.9", "http:80", "a c", {"internalTrafficPolicy": "Local"}),
    "elsewhere": ("10.96.0.11", "http:80", "c", {"internalTrafficPolicy": "Local"}),
    "sticky": ("10.96.0.12", "http:80", "a", {"sessionAffinity": "ClientIP"}),
    "headless": ("None", "http:80", "a", {}),
}


def served() -> dict[plan.Address, plan.Served]:
    plans = []
    for name, (address, ports, endpoints, spec) in SERVICES.items():
        slices = [slice_of(name, endpoints, "dns:53/UDP tcp:53" if name == "names" else "http:8080")]
        plans.append(service_plan(service(name, address, ports, **spec), slices, HERE))
    return plan.served(plans)


def test_the_endpoints_are_those_of_every_way_of_spreading() -> None:
    """Not in it is what the node's own rules see to: UDP, Services nobody serves, a policy nobody meets."""
    assert {each.title: [one.target for one in each.endpoints] for each in served().values()} == {
        "default/web:http": ["10.244.1.2:8080"],
        "default/draining:http": ["10.244.2.2:8080"],
        "default/names:tcp": ["192.168.56.11:53"],
        "default/here:http": ["10.244.1.2:8080"],
        "default/sticky:http": ["10.244.1.2:8080"],
    }
    assert {each.title: each.affinity for each in served().values() if each.affinity} == {"default/sticky:http": 10800}


def test_the_rules_in_a_pod(golden: Any) -> None:
    golden("pod/sidecar", plan.table(IPV4, served()).text() + plan.kept(IPV4).text())


def test_each_family_has_its_own_addresses() -> None:
    both = {**served(), ("fd00:96::5", 80): plan.Served("default/six", "default/six:http", ())}
    assert list(plan.table(IPV6, both).sets["services"].elements) == [("fd00:96::5", "80")]
    assert ("fd00:96::5", "80") not in plan.table(IPV4, both).sets["services"].elements


ENDPOINTS = [Endpoint(f"10.244.1.{number}", 8080) for number in range(2, 6)]
BUSY = {one.target: number for number, one in enumerate(ENDPOINTS)}


def draws(*numbers: float) -> Any:
    return iter(numbers).__next__


@pytest.mark.parametrize(
    ("drawn", "aside", "taken"),
    [
        ((0.0, 0.0), [], 0),  # the first and the second: the first has fewer
        ((0.99, 0.0), [], 0),
        ((0.5, 0.99), [], 2),  # the third and the fourth
        ((0.5, 0.99), [2], 3),  # … but the third failed a moment ago
        ((0.5, 0.99), [2, 3], 2),  # both did
    ],
)
def test_of_two_at_random_the_less_busy_one(drawn: tuple[float, ...], aside: list[int], taken: int) -> None:
    targets = {ENDPOINTS[number].target for number in aside}
    assert plan.pick(ENDPOINTS, BUSY, targets, draws(*drawn)) == ENDPOINTS[taken]


@given(
    st.integers(0, 4),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2),
    st.sets(st.sampled_from([one.target for one in ENDPOINTS])),
)
def test_somebody_is_taken_whenever_there_is_anybody(count: int, drawn: list[float], aside: set[str]) -> None:
    found = plan.pick(ENDPOINTS[:count], {}, aside, draws(*drawn))
    assert found in ENDPOINTS[:count] if count else found is None
    if count == 2 and len(aside & {one.target for one in ENDPOINTS[:2]}) == 1:
        assert found and found.target not in aside
