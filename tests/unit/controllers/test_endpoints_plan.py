"""Which endpoints a Service has, and how few writes that takes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import PlayedApi, pod, svc, words

from minik8s.api import codec
from minik8s.api.core import Endpoints, Pod
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import ObjectMeta
from minik8s.controllers.actions import Patch
from minik8s.controllers.endpoints.plan import MANAGED_BY, MANAGER, TRIGGER_TIME, plan
from minik8s.controllers.endpoints.slices import spread, surplus

NAMED = [{"port": 80, "targetPort": "http"}]


def listens(number: int) -> dict:
    return {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": number}]}]}


def converge(api: PlayedApi, service, pods) -> list[str]:
    """Apply plans until there is nothing left to do; all actions as words."""
    done = []
    for _ in range(3):
        endpoints = api.get(Endpoints, "default/web")
        actions = plan(service, pods, api.all(EndpointSlice), endpoints)
        if not actions:
            return done
        api.apply(actions)
        done += words(actions)
    raise AssertionError(f"no end of it: {words(plan(service, pods, api.all(EndpointSlice), endpoints))}")


def shown(api: PlayedApi) -> list[str]:
    """`10.244.1.1 RS-` for ready, serving, not terminating."""
    lines = []
    for each in api.all(EndpointSlice):
        for endpoint in each.endpoints:
            c = endpoint.conditions
            flags = "".join(
                flag if on else "-" for flag, on in (("R", c.ready), ("S", c.serving), ("T", c.terminating))
            )
            lines.append(f"{endpoint.addresses[0]} {flags}")
    return sorted(lines)


def old_lists(api: PlayedApi) -> tuple[list[str], list[str]]:
    subsets = api.get(Endpoints, "default/web").subsets
    ready = sorted(each.ip for subset in subsets for each in subset.addresses)
    return ready, sorted(each.ip for subset in subsets for each in subset.notReadyAddresses)


WORLDS = {
    "a ready Pod": ({}, [pod("web-1")], ["10.244.1.1 RS-"], (["10.244.1.1"], [])),
    "a Pod that is not ready": ({}, [pod("web-1", ready=False)], ["10.244.1.1 ---"], ([], ["10.244.1.1"])),
    "a Pod without an address": ({}, [pod("web-1", ready=None)], [], ([], [])),
    "a Pod that is leaving and still serves": ({}, [pod("web-1", gone=True)], ["10.244.1.1 -ST"], ([], [])),
    "a Pod that is leaving, not ready": ({}, [pod("web-1", ready=False, gone=True)], ["10.244.1.1 --T"], ([], [])),
    "a Pod that has ended": ({}, [pod("web-1", phase="Succeeded")], [], ([], [])),
    "a Pod with other labels": ({}, [pod("web-1", labels={"app": "db"})], [], ([], [])),
    "not ready, published anyway": (
        {"publishNotReadyAddresses": True},
        [pod("web-1", ready=False)],
        ["10.244.1.1 R--"],
        (["10.244.1.1"], []),
    ),
    "leaving, published anyway": (
        {"publishNotReadyAddresses": True},
        [pod("web-1", gone=True)],
        ["10.244.1.1 RST"],
        (["10.244.1.1"], []),
    ),
}


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_these_endpoints(world):
    spec, pods, slices, lists = WORLDS[world]
    api = PlayedApi()
    converge(api, svc(**spec), pods)
    assert (shown(api), old_lists(api)) == (slices, lists)


def test_a_service_without_pods_has_one_empty_slice():
    api = PlayedApi()
    assert converge(api, svc(), []) == ["create endpointslices web-", "create endpoints web"]
    (placeholder,) = api.all(EndpointSlice)
    assert (placeholder.endpoints, placeholder.ports) == ([], [])
    assert placeholder.metadata.labels == {SERVICE_NAME: "web", MANAGED_BY: MANAGER}
    assert placeholder.metadata.ownerReferences[0].uid == "uid-web"


def test_the_first_pod_fills_the_empty_slice_instead_of_making_another():
    api = PlayedApi()
    converge(api, svc(), [])
    done = converge(api, svc(), [pod("web-1")])
    assert [line.split()[:2] for line in done] == [["patch", "endpointslices"], ["patch", "endpoints"]]


def test_one_changed_pod_costs_one_patch_of_one_slice_and_says_which():
    api, pods = PlayedApi(), [pod("web-1"), pod("web-2")]
    converge(api, svc(), pods)
    moment = "2026-01-02T00:00:00Z"
    pods[0] = pod("web-1", ready=False, since=moment)
    first, second = plan(svc(), pods, api.all(EndpointSlice), api.get(Endpoints, "default/web"))
    assert isinstance(first, Patch) and isinstance(second, Patch)
    assert first.because == "Pod default/web-1 became not ready"
    assert first.seen == (pods[0],)
    assert first.patch["metadata"] == {"annotations": {TRIGGER_TIME: moment}}
    assert set(first.patch) == {"endpoints", "metadata"}


def test_reasons_name_what_happened_to_each_pod():
    api = PlayedApi()
    converge(api, svc(), [pod("web-1"), pod("web-2"), pod("web-3"), pod("web-4", ready=False)])
    after = [pod("web-2", gone=True), pod("web-3"), pod("web-4"), pod("web-5")]
    action = plan(svc(), after, api.all(EndpointSlice), api.get(Endpoints, "default/web"))[0]
    gone, new, changed = action.because.split("; ")[:3]
    assert (gone, new) == ("Pod default/web-1 is gone", "Pod default/web-5 is new and ready")
    assert changed == "Pod default/web-2 is terminating" and action.because.endswith("and 1 more")


def test_pods_whose_named_port_differs_come_into_different_slices():
    api = PlayedApi()
    pods = [pod("web-1", spec=listens(8080)), pod("web-2", spec=listens(9090)), pod("web-3", spec=listens(8080))]
    converge(api, svc(ports=NAMED), pods)
    found = {each.ports[0].port: [e.addresses[0] for e in each.endpoints] for each in api.all(EndpointSlice)}
    assert found == {8080: ["10.244.1.1", "10.244.1.3"], 9090: ["10.244.1.2"]}
    subsets = api.get(Endpoints, "default/web").subsets
    assert [[port.port for port in subset.ports] for subset in subsets] == [[8080], [9090]]


def test_a_service_that_prefers_its_own_node_gives_each_endpoint_a_hint_for_it():
    api = PlayedApi()
    pods = [pod("web-1"), pod("web-2", node="node-2")]
    converge(api, svc(trafficDistribution="PreferSameNode"), pods)
    (only,) = api.all(EndpointSlice)
    assert [[hint.name for hint in each.hints.forNodes] for each in only.endpoints] == [["node-1"], ["node-2"]]
    (patch, *_) = plan(svc(), pods, api.all(EndpointSlice), api.get(Endpoints, "default/web"))
    assert patch.because.startswith("Pod default/web-1 is preferred nowhere")
    converge(api, svc(), pods)
    assert [each.hints for each in api.all(EndpointSlice)[0].endpoints] == [None, None]


def test_a_hostname_is_published_only_below_its_own_service():
    api = PlayedApi()
    mine = pod("web-1", spec={"hostname": "one", "subdomain": "web"})
    other = pod("web-2", spec={"hostname": "two", "subdomain": "elsewhere"})
    converge(api, svc(clusterIP="None"), [mine, other])
    (only,) = api.all(EndpointSlice)
    assert [each.hostname for each in only.endpoints] == ["one", None]
    assert only.metadata.labels["service.kubernetes.io/headless"] == ""


def test_a_headless_service_without_ports_still_has_addresses():
    api = PlayedApi()
    converge(api, svc(clusterIP="None", ports=[]), [pod("web-1")])
    assert shown(api) == ["10.244.1.1 RS-"] and old_lists(api) == (["10.244.1.1"], [])


def dual(name: str, *ips: str) -> Pod:
    made = pod(name, ip=ips[0])
    made.status.podIPs = codec.from_dict(Pod, {"status": {"podIPs": [{"ip": ip} for ip in ips]}}).status.podIPs
    return made


def by_family(api: PlayedApi) -> dict[str, list[str]]:
    return {
        each.addressType: [address for endpoint in each.endpoints for address in endpoint.addresses]
        for each in api.all(EndpointSlice)
    }


FAMILIES = {
    # the Service's families → the slices by type, and the addresses of the one Endpoints object
    ("IPv4",): ({"IPv4": ["10.244.1.1", "10.244.1.2"]}, ["10.244.1.1", "10.244.1.2"]),
    ("IPv6",): ({"IPv6": ["fd00::1"]}, ["fd00::1"]),
    ("IPv4", "IPv6"): ({"IPv4": ["10.244.1.1", "10.244.1.2"], "IPv6": ["fd00::1"]}, ["10.244.1.1", "10.244.1.2"]),
    ("IPv6", "IPv4"): ({"IPv4": ["10.244.1.1", "10.244.1.2"], "IPv6": ["fd00::1"]}, ["fd00::1"]),
}


@pytest.mark.parametrize("before", FAMILIES, ids="+".join)
@pytest.mark.parametrize("after", FAMILIES, ids="+".join)
def test_each_family_of_a_service_has_slices_of_its_own_whatever_it_had_before(before, after):
    """The second Pod has one address only: it was started before its node had a second range."""
    api, pods = PlayedApi(), [dual("web-1", "10.244.1.1", "fd00::1"), pod("web-2")]
    converge(api, svc(ipFamilies=list(before)), pods)
    converge(api, svc(ipFamilies=list(after)), pods)
    slices, first = FAMILIES[after]
    assert (by_family(api), old_lists(api)) == (slices, (first, []))


def test_a_family_that_is_given_up_takes_its_slices_along_and_says_why():
    api, pods = PlayedApi(), [dual("web-1", "10.244.1.1", "fd00::1")]
    converge(api, svc(ipFamilies=["IPv4", "IPv6"]), pods)
    (only,) = plan(svc(ipFamilies=["IPv4"]), pods, api.all(EndpointSlice), api.get(Endpoints, "default/web"))
    assert (only.because, only.target.addressType) == ("the Service has no IPv6 address any more", "IPv6")


def test_a_family_without_pods_keeps_one_empty_slice_of_its_own():
    api = PlayedApi()
    converge(api, svc(ipFamilies=["IPv4", "IPv6"]), [pod("web-1")])
    assert by_family(api) == {"IPv4": ["10.244.1.1"], "IPv6": []}


def test_what_is_not_ours_is_left_alone():
    own = EndpointSlice(metadata=ObjectMeta(name="own", namespace="default", labels={SERVICE_NAME: "web"}))
    hand_made = Endpoints(metadata=ObjectMeta(name="web", namespace="default"))
    assert plan(svc(selector=None), [pod("web-1")], [own], hand_made) == []
    assert plan(None, [], [own], hand_made) == []


@pytest.mark.parametrize(
    "after", [None, svc(type="ExternalName", externalName="example.org")], ids=["gone", "external"]
)
def test_a_service_that_has_no_endpoints_any_more_loses_what_is_ours(after):
    api = PlayedApi()
    converge(api, svc(), [pod("web-1")])
    converge(api, after, [pod("web-1")])
    assert api.objects == {}


def test_a_service_that_loses_its_selector_keeps_its_slices():
    api = PlayedApi()
    converge(api, svc(), [pod("web-1")])
    assert converge(api, svc(selector=None), [pod("web-1")]) == []


def test_labels_of_the_service_are_copied():
    api, service = PlayedApi(), svc()
    converge(api, service, [])
    service.metadata.labels = {"team": "shop"}
    converge(api, service, [])
    assert api.all(EndpointSlice)[0].metadata.labels["team"] == "shop"


def test_a_hundred_and_one_pods_need_two_slices_and_losing_one_changes_one():
    api, pods = PlayedApi(), [pod(f"web-{n}", ip=f"10.244.{n // 200}.{n % 200}") for n in range(1, 151)]
    converge(api, svc(), pods)
    assert sorted(len(each.endpoints) for each in api.all(EndpointSlice)) == [50, 100]
    assert len([line for line in converge(api, svc(), pods[1:]) if "slices" in line]) == 1


def test_too_many_addresses_for_one_endpoints_object_are_cut_ready_ones_first():
    pods = [pod(f"web-{n}", ready=n > 20, ip=f"10.244.{n // 200}.{n % 200}") for n in range(1, 1031)]
    created = plan(svc(), pods, [], None)[-1].obj
    subset = created.subsets[0]
    assert (len(subset.addresses), len(subset.notReadyAddresses)) == (1000, 0)
    assert created.metadata.annotations == {"endpoints.kubernetes.io/over-capacity": "truncated"}


some_pods = st.lists(
    st.builds(
        lambda number, ready, gone, port: pod(f"web-{number}", ready=ready, gone=gone, spec=listens(port)),
        st.integers(1, 12),
        st.booleans(),
        st.booleans(),
        st.sampled_from([8080, 9090]),
    ),
    max_size=12,
    unique_by=lambda each: each.metadata.name,
)


@given(st.lists(some_pods, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_whatever_happened_before_the_endpoints_are_those_of_the_pods_now(history, chance):
    api = PlayedApi()
    for pods in history:
        converge(api, svc(ports=NAMED), pods)
        reference = PlayedApi()
        converge(reference, svc(ports=NAMED), pods)
        assert shown(api) == shown(reference)
        shuffled, slices = list(pods), api.all(EndpointSlice)
        chance.shuffle(shuffled), chance.shuffle(slices)
        assert plan(svc(ports=NAMED), shuffled, slices, api.get(Endpoints, "default/web")) == []


@given(st.lists(st.sets(st.integers(1, 30), max_size=30), min_size=1, max_size=5), st.integers(1, 7))
def test_every_endpoint_is_in_one_slice_and_no_slice_is_too_long(history, limit):
    group = ("IPv4", (("", "TCP", 80, None),))
    slices: list[EndpointSlice] = []
    for step, numbers in enumerate(history):
        wanted = [_endpoint(number) for number in sorted(numbers, key=lambda n: random.Random(n).random())]
        sheets = spread({group: wanted}, slices, limit)
        doomed = surplus(sheets)
        slices = [_made(sheet, step, place) for place, sheet in enumerate(sheets) if sheet not in doomed]
        assert sorted(e.addresses[0] for s in slices for e in s.endpoints) == sorted(e.addresses[0] for e in wanted)
        assert all(len(s.endpoints) <= limit for s in slices) and slices


def _endpoint(number: int):
    return codec.from_dict(EndpointSlice, {"endpoints": [{"addresses": [f"10.0.0.{number}"]}]}).endpoints[0]


def _made(sheet, step: int, place: int) -> EndpointSlice:
    name = sheet.old.metadata.name if sheet.old else f"s-{step}-{place}"
    data = {"metadata": {"name": name}, "addressType": "IPv4", "ports": [{"name": "", "port": 80, "protocol": "TCP"}]}
    made = codec.from_dict(EndpointSlice, data)
    made.endpoints = sheet.endpoints
    return made
