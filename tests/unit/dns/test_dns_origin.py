"""Which objects an answer comes from."""

import pytest
from dns_worlds import World, absolute

from minik8s.dns.origin import origins
from minik8s.dns.records import name


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("web.shop.svc", "services/shop/web"),
        ("_http._tcp.web.shop.svc", "services/shop/web"),
        ("10-244-1-5.web.shop.svc", "services/shop/web endpointslices/shop/web-a"),
        ("split.pets.svc", "services/pets/split endpointslices/pets/split-a endpointslices/pets/split-b"),
        ("_http._tcp.anon.pets.svc", "services/pets/anon endpointslices/pets/anon-a"),
        ("ext-in.shop.svc", "services/shop/ext-in"),
        ("20.1.96.10.in-addr.arpa.", "services/shop/web"),
        (
            "5.1.244.10.in-addr.arpa.",
            "services/shop/web endpointslices/shop/web-a services/shop/web-copy endpointslices/shop/web-copy-a",
        ),
        ("10-244-1-5.shop.pod", "namespaces/shop pods/shop/web-1"),
        ("shop.svc", "namespaces/shop"),
        ("ns.dns", "services/kube-system/kube-dns"),
        ("nothing.shop.svc", ""),
        ("www.example.com.", ""),
    ],
)
def test_a_name_stands_on_these_objects(asked: str, expected: str) -> None:
    found = origins(World().names, name(absolute(asked)))
    assert [each.partition("@")[0] for each in found] == expected.split()


def test_each_object_is_named_with_the_revision_that_was_read() -> None:
    world = World()
    world.put({"services": {"shop/web": "10.96.1.20 http:80"}})
    assert origins(world.names, name(absolute("web.shop.svc"))) == (f"services/shop/web@{world.revision}",)
