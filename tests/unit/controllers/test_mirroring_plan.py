"""Endpoints that people write by hand reach the proxy and DNS as EndpointSlices, and leave with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import PlayedApi, pod, svc, words

from minik8s.api import codec
from minik8s.api.core import Endpoints, EndpointSubset
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.controllers.mirroring.plan import plan

BARE = svc(selector={})
PORTS = [{"port": 80, "name": "http", "protocol": "TCP"}]
ONE = [{"addresses": [{"ip": "10.0.0.1"}], "ports": PORTS}]


def endpoints(subsets, **meta) -> Endpoints:
    plain = {"name": "web", "namespace": "default", "uid": "uid-ep", **meta}
    return codec.from_dict(Endpoints, {"metadata": plain, "subsets": subsets})


def stranger() -> EndpointSlice:
    labels = {SERVICE_NAME: "web", "endpointslice.kubernetes.io/managed-by": "somebody"}
    return codec.from_dict(EndpointSlice, {"metadata": {"name": "web-x", "namespace": "default", "labels": labels}})


# name: (Endpoints, Service, how many slices are made)
WORLDS = {
    "by hand": (endpoints(ONE), BARE, 1),
    "no Service": (endpoints(ONE), None, 0),
    "the Service has a selector": (endpoints(ONE), svc(), 0),
    "the Service is only a name": (endpoints(ONE), svc(selector={}, type="ExternalName"), 0),
    "not wanted": (endpoints(ONE, labels={"endpointslice.kubernetes.io/skip-mirror": "true"}), BARE, 0),
    "a controller's": (endpoints(ONE, labels={"endpoints.kubernetes.io/managed-by": "endpoint-controller"}), BARE, 0),
    "a leader's": (endpoints(ONE, annotations={"control-plane.alpha.kubernetes.io/leader": "{}"}), BARE, 0),
    "no address": (endpoints([{"ports": PORTS}]), BARE, 0),
    "two families": (endpoints([{"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "ports": PORTS}]), BARE, 2),
    "two sets of ports": (endpoints([*ONE, {"addresses": [{"ip": "10.0.0.2"}], "ports": [{"port": 81}]}]), BARE, 2),
    "one set of ports twice": (endpoints([*ONE, {"notReadyAddresses": [{"ip": "10.0.0.2"}], "ports": PORTS}]),
                               BARE, 1),
}  # fmt: skip


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_so_many_mirrors(world):
    obj, service, count = WORLDS[world]
    assert words(plan(obj, service, [stranger()])) == ["create endpointslices web-"] * count


def test_a_mirror_says_whose_it_is_and_which_addresses_are_ready():
    obj = endpoints(
        [
            {
                "addresses": [{"ip": "10.0.0.1", "hostname": "a"}],
                "notReadyAddresses": [{"ip": "10.0.0.2"}],
                "ports": PORTS,
            }
        ],
        labels={"team": "blue"},
        annotations={"note": "x", "endpoints.kubernetes.io/last-change-trigger-time": "t"},
    )
    (action,) = plan(obj, BARE, [])
    made = action.obj
    assert made.metadata.labels == {
        "team": "blue",
        SERVICE_NAME: "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert made.metadata.annotations == {"note": "x"}
    assert made.metadata.ownerReferences[0].kind == "Endpoints"
    assert [(each.addresses, each.conditions.ready, each.hostname) for each in made.endpoints] == [
        (["10.0.0.1"], True, "a"),
        (["10.0.0.2"], False, None),
    ]
    assert (made.addressType, made.ports[0].port, made.ports[0].name) == ("IPv4", 80, "http")


def test_a_change_of_addresses_changes_the_same_slice():
    api = PlayedApi(endpoints(ONE))
    api.apply(plan(endpoints(ONE), BARE, []))
    changed = endpoints([{"addresses": [{"ip": "10.0.0.9"}], "ports": PORTS}])
    actions = plan(changed, BARE, api.all(EndpointSlice))
    api.apply(actions)
    (mirror,) = api.all(EndpointSlice)
    assert words(actions)[0].startswith("patch endpointslices web-") and mirror.endpoints[0].addresses == ["10.0.0.9"]


def test_no_mirror_outlives_what_it_mirrors():
    api = PlayedApi(stranger())
    api.apply(plan(endpoints(ONE), BARE, api.all(EndpointSlice)))
    api.apply(plan(None, BARE, api.all(EndpointSlice)))
    assert [each.metadata.name for each in api.all(EndpointSlice)] == ["web-x"]


addresses = st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"]), unique=True, max_size=4)
subsets = st.lists(
    st.builds(
        lambda there, port: {"addresses": [{"ip": ip} for ip in there], "ports": [{"port": port}]},
        addresses,
        st.sampled_from([80, 81]),
    ),
    max_size=3,
)


@given(subsets, subsets, st.integers(0, 3))
def test_stopping_halfway_and_planning_again_converges_to_exactly_these_addresses(before, after, stop_after):
    api = PlayedApi(stranger(), pod("web-1"))
    api.apply(plan(endpoints(before), BARE, api.all(EndpointSlice)))
    api.apply(plan(endpoints(after), BARE, api.all(EndpointSlice))[:stop_after])
    api.apply(plan(endpoints(after), BARE, api.all(EndpointSlice)))
    assert plan(endpoints(after), BARE, api.all(EndpointSlice)) == []
    mirrors = [each for each in api.all(EndpointSlice) if each.metadata.name != "web-x"]
    seen = sorted((e.addresses[0], each.ports[0].port) for each in mirrors for e in each.endpoints)
    given_ = [codec.from_dict(EndpointSubset, each) for each in after]
    assert seen == sorted((a.ip, each.ports[0].port) for each in given_ for a in each.addresses)
