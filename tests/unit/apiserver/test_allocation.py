"""Which addresses and node ports a Service takes, keeps and gives back."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import codec
from minik8s.api.core import Pod, Service
from minik8s.apiserver.allocating import allocation, services
from minik8s.apiserver.allocating.allocation import ADDRESSES_PREFIX, NODE_PORTS_PREFIX, Refused, View

NOTHING_TAKEN = View(frozenset(), seed=0)
BOTH = ("IPv4", "IPv6")  # the families of the cluster


def service(**spec):
    ports = [{"port": 80}] if spec.get("type") != "ExternalName" else []
    return codec.from_dict(Service, {"metadata": {"name": "web", "namespace": "a"}, "spec": {"ports": ports, **spec}})


def planned(new, old=None, view=NOTHING_TAKEN):
    """The Service as it would be stored, what it takes and what it releases."""
    services.prepare(new, old, BOTH)
    plan = allocation.plan(new, old, view)
    return new, [claim.value for claim in plan.take], sorted(key.rpartition("/")[2] for key in plan.release)


def stored(**spec):
    return planned(service(**spec))[0]


def again(old, **changes):
    """The same Service as its owner would send it back, with something changed."""
    raw = codec.to_dict(old)
    raw["spec"] = {name: value for name, value in {**raw["spec"], **changes}.items() if value is not None}
    return codec.from_dict(Service, raw)


NEW = [
    # what is asked for, what is taken: the first free number beyond the band for users' own choices
    ({}, ["10.96.1.0"]),
    ({"clusterIP": "10.96.0.10"}, ["10.96.0.10"]),
    ({"clusterIP": "None"}, []),
    ({"ipFamilyPolicy": "PreferDualStack"}, ["10.96.1.0", "fd00:96::100"]),
    ({"ipFamilies": ["IPv6"]}, ["fd00:96::100"]),
    ({"ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "RequireDualStack"}, ["fd00:96::100", "10.96.1.0"]),
    ({"clusterIP": "None", "ipFamilyPolicy": "RequireDualStack"}, []),
    ({"type": "ExternalName", "externalName": "example.org"}, []),
    ({"type": "NodePort"}, ["10.96.1.0", "30086"]),
    ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}, ["10.96.1.0", "30080"]),
    ({"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}, ["10.96.1.0", "30086", "30087"]),
    (
        {"type": "NodePort", "ports": [{"port": 53, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
        ["10.96.1.0", "30086"],
    ),
    ({"type": "LoadBalancer"}, ["10.96.1.0", "30086"]),
    ({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}, ["10.96.1.0"]),
    (
        {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{"port": 80, "nodePort": 30080}]},
        ["10.96.1.0", "30080"],
    ),
    ({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}, ["10.96.1.0", "30086", "30087"]),
]


@pytest.mark.parametrize(("spec", "takes"), NEW, ids=lambda value: str(value))
def test_a_new_service_takes_what_its_type_needs(spec, takes):
    assert planned(service(**spec))[1:] == (takes, [])


DUAL = {"ipFamilyPolicy": "PreferDualStack"}
CHANGED = [
    # before, change, taken, released
    ({}, {"selector": {"a": "b"}}, [], []),
    ({}, {"clusterIP": None, "clusterIPs": None}, [], []),
    ({}, {"type": "NodePort"}, ["30086"], []),
    ({"type": "NodePort"}, {"type": "ClusterIP"}, [], ["30086"]),
    ({"type": "NodePort"}, {"ports": [{"port": 80}]}, [], []),
    ({"type": "NodePort"}, {"ports": [{"port": 80, "nodePort": 31000}]}, ["31000"], ["30086"]),
    ({"type": "NodePort"}, {"ports": [{"port": 81}]}, ["30087"], ["30086"]),
    ({"type": "NodePort"}, {"type": "ExternalName", "externalName": "x"}, [], ["10.96.1.0", "30086"]),
    ({"type": "ExternalName", "externalName": "x"}, {"type": "ClusterIP"}, ["10.96.1.0"], []),
    ({"type": "ExternalName", "externalName": "x"}, {"type": "ClusterIP", "clusterIP": "None"}, [], []),
    ({"clusterIP": "None"}, {"type": "ExternalName", "externalName": "x"}, [], []),
    ({}, {"ipFamilyPolicy": "PreferDualStack"}, ["fd00:96::100"], []),
    (DUAL, {"ipFamilyPolicy": "SingleStack"}, [], ["fd00:96::100"]),
    (DUAL, {"type": "ExternalName", "externalName": "x"}, [], ["10.96.1.0", "fd00:96::100"]),
    ({"type": "LoadBalancer"}, {"type": "NodePort"}, [], []),
    ({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}, {"type": "NodePort"}, [], ["30087"]),
    ({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}, {"healthCheckNodePort": None}, [], []),
]


@pytest.mark.parametrize("row", CHANGED, ids=lambda row: f"{row[0]} then {row[1]}")
def test_a_change_takes_and_releases_exactly_the_difference(row):
    before, change, takes, releases = row
    old = stored(**before)
    view = View({f"{NODE_PORTS_PREFIX}30086"} if "30087" in takes else frozenset(), 0)
    assert planned(again(old, **change), old, view)[1:] == (takes, releases)


def test_a_deleted_service_releases_all_it_holds():
    old = stored(type="NodePort")
    plan = allocation.plan(None, old, NOTHING_TAKEN)
    assert plan.release == [f"{NODE_PORTS_PREFIX}30086", f"{ADDRESSES_PREFIX}10.96.1.0"]
    assert not plan.take


def test_other_kinds_take_nothing():
    assert allocation.plan(Pod(), Pod(), NOTHING_TAKEN) == allocation.Plan()


REFUSED = [
    (
        {"clusterIP": "192.168.1.1"},
        "spec.clusterIPs",
        "is not in the valid range. The range of valid IPs is 10.96.0.0/16",
    ),
    ({"clusterIP": "10.96.0.0"}, "spec.clusterIPs", "is not in the valid range"),
    ({"clusterIP": "10.96.255.255"}, "spec.clusterIPs", "is not in the valid range"),
    (
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
        "spec.ports[0].nodePort",
        "Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
    ),
    (
        {"clusterIP": "fd00:97::1"},
        "spec.clusterIPs",
        "is not in the valid range. The range of valid IPs is fd00:96::/112",
    ),
    ({"healthCheckNodePort": 31000}, "spec.healthCheckNodePort", "may only be set when `type` is 'LoadBalancer'"),
]


@pytest.mark.parametrize(("spec", "field", "message"), REFUSED, ids=lambda value: str(value))
def test_what_cannot_be_had_is_refused_with_field_and_reason(spec, field, message):
    with pytest.raises(Refused) as found:
        planned(service(**spec))
    (cause,) = found.value.causes
    assert cause.field == field
    assert message in cause.message


def test_a_choice_that_somebody_else_holds_is_refused_in_upstreams_words():
    new = service(clusterIP="10.96.0.10", type="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    services.prepare(new, None, BOTH)
    address, port = allocation.plan(new, None, NOTHING_TAKEN).take
    assert address.refusal.causes[0].message == (
        'Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated'
    )
    assert port.refusal.causes[0].message == "Invalid value: 30080: provided port is already allocated"
    assert port.refusal.causes[0].field == "spec.ports[0].nodePort"


@pytest.mark.parametrize(("size", "band"), [(16, 0), (64, 16), (256, 16), (4096, 256), (65536, 256)])
def test_the_band_for_users_choices_is_as_in_kep_3070(size, band):
    assert allocation.static_band(size) == band


@pytest.mark.parametrize(("size", "band"), [(16, 0), (100, 16), (2768, 86), (10000, 128)])
def test_the_band_for_users_ports_is_as_in_kep_3668(size, band):
    assert allocation.port_band(size) == band


@pytest.mark.parametrize("network", ["10.96.0.0/28", "10.96.0.0/26", "fd00:96::/122"])
@given(seed=st.integers(0, 2**48))
def test_every_address_of_a_range_is_given_once_and_then_it_is_full(network, seed):
    where = ipaddress.ip_network(network)
    taken: set[str] = set()
    usable = where.num_addresses - (2 if where.version == 4 else 1)
    for _ in range(usable):
        address = allocation.choose_address(where, View(taken, seed))
        assert ipaddress.ip_address(address) in where
        assert ADDRESSES_PREFIX + address not in taken
        taken.add(ADDRESSES_PREFIX + address)
    with pytest.raises(allocation.Exhausted):
        allocation.choose_address(where, View(taken, seed))


def test_random_choices_enter_the_band_only_when_the_rest_is_used_up():
    where = ipaddress.ip_network("10.96.0.0/26")
    taken = {ADDRESSES_PREFIX + str(where[offset]) for offset in range(16, 63)}
    assert allocation.choose_address(where, View(taken - {ADDRESSES_PREFIX + "10.96.0.40"}, 7)) == "10.96.0.40"
    assert allocation.choose_address(where, View(taken, 0)) == "10.96.0.1"


def test_the_address_object_says_whose_it_is():
    new = service()
    services.prepare(new, None, BOTH)
    (claim,) = allocation.plan(new, None, NOTHING_TAKEN).take
    found = allocation.address_object(claim, new)
    assert found.metadata.name == "10.96.1.0"
    assert found.metadata.labels["ipaddress.kubernetes.io/ip-family"] == "IPv4"
    assert found.spec.parentRef is not None
    assert (found.spec.parentRef.resource, found.spec.parentRef.namespace, found.spec.parentRef.name) == (
        "services",
        "a",
        "web",
    )
