"""IPAddresses are objects like others, but none goes from under a Service that has it."""

import pytest
from memory_store import ask, registry

from minik8s.api.core import Namespace, Service
from minik8s.api.networking import IPAddress, ServiceCIDR
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.errors import Failure

PARENT = {"resource": "services", "namespace": "a", "name": "web"}


@pytest.fixture
def server():
    made = Dispatcher(registry())
    made.answer(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    body = {"metadata": {"name": "web"}, "spec": {"clusterIP": "10.96.0.77", "ports": [{"port": 80}]}}
    made.answer(ask("create", Service, body=body))
    return made


def test_the_address_of_a_service_stays_until_the_service_goes(server):
    with pytest.raises(Failure, match="Service a/web holds it"):
        server.answer(ask("delete", IPAddress, "10.96.0.77"))
    server.answer(ask("delete", Service, "web"))
    assert server.registry.cache.get("/registry/networking.k8s.io/ipaddresses/10.96.0.77") is None


def test_an_address_made_by_hand_keeps_it_from_services_and_goes_again(server):
    body = {"metadata": {"name": "10.96.0.78"}, "spec": {"parentRef": PARENT}}
    assert server.answer(ask("create", IPAddress, body=body)).code == 201
    service = {"metadata": {"name": "other"}, "spec": {"clusterIP": "10.96.0.78", "ports": [{"port": 80}]}}
    with pytest.raises(Failure, match="already allocated"):
        server.answer(ask("create", Service, body=service))
    assert server.answer(ask("delete", IPAddress, "10.96.0.78")).code == 200
    assert server.answer(ask("create", Service, body=service)).code == 201


WRONG = [
    (IPAddress, {"metadata": {"name": "10.96.0.078"}, "spec": {"parentRef": PARENT}}, "canonical form"),
    (IPAddress, {"metadata": {"name": "web"}, "spec": {"parentRef": PARENT}}, "canonical form"),
    (IPAddress, {"metadata": {"name": "10.1.1.1"}, "spec": {}}, "spec.parentRef"),
    (IPAddress, {"metadata": {"name": "fd00::1"}, "spec": {"parentRef": {"name": "web"}}}, "spec.parentRef.resource"),
    (ServiceCIDR, {"metadata": {"name": "x"}, "spec": {}}, "at least one CIDR required"),
    (ServiceCIDR, {"metadata": {"name": "x"}, "spec": {"cidrs": ["10.0.0.1/8"]}}, "canonical form"),
    (ServiceCIDR, {"metadata": {"name": "x"}, "spec": {"cidrs": ["10.0.0.0/8", "11.0.0.0/8"]}}, "no more than one IP"),
]


@pytest.mark.parametrize(("cls", "body", "why"), WRONG)
def test_what_is_no_address_or_range_is_refused_with_its_field(server, cls, body, why):
    with pytest.raises(Failure, match=why):
        server.answer(ask("create", cls, body=body))


def test_another_range_is_taken_with_a_warning_that_nothing_comes_of_it(server):
    request = ask("create", ServiceCIDR, body={"metadata": {"name": "x"}, "spec": {"cidrs": ["10.9.0.0/16"]}})
    assert server.answer(request).code == 201
    assert any("spec.cidrs" in each for each in request.warnings)
