"""What the journal tells of a change, and what never happens to the indexes."""

import dns.message
from dns_worlds import World

from minik8s.dns.views import Listed, Lists, view


def entries(world: World) -> list[tuple[str, str, list[str] | None]]:
    return [(e["data"]["name"], e["because"], e["data"]["addresses"]) for e in world.journal.entries()]


def test_the_first_list_is_no_change() -> None:
    assert World().journal.entries() == []


def test_a_new_service_is_told_with_its_addresses_and_revision() -> None:
    world = World()
    world.put({"services": {"shop/new": "10.96.7.7 http:80"}})
    assert entries(world) == [("new.shop.svc.cluster.local", "Service new appeared", ["10.96.7.7"])]
    (entry,) = world.journal.entries()
    assert (entry["stage"], entry["objects"]) == ("names", ["services/shop/new"])
    assert entry["revisions"] == [str(world.revision)]


def test_a_deleted_service_has_no_addresses_any_more() -> None:
    world = World()
    world.remove("services shop/web")
    assert ("web.shop.svc.cluster.local", "Service web was deleted", None) in entries(world)


def test_an_endpoint_of_a_headless_service_is_told_with_the_slice() -> None:
    world = World()
    world.put({"slices": {"pets/anon/anon-a": "http:8080 | 10.244.1.11"}})
    assert entries(world) == [("anon.pets.svc.cluster.local", "EndpointSlice anon-a changed", ["10.244.1.11"])]


def test_endpoints_behind_a_cluster_address_change_no_name() -> None:
    world = World()
    world.put({"slices": {"shop/web/web-a": "http:8080 | 10.244.1.5"}})
    assert entries(world) == []


def test_a_slice_that_moves_is_told_for_both_services() -> None:
    world = World()
    world.put({"slices": {"pets/anon/split-b": "http:80 | 10.244.1.99"}})
    assert [name for name, _, _ in entries(world)] == ["anon.pets.svc.cluster.local", "split.pets.svc.cluster.local"]


def test_nothing_is_left_of_what_is_gone() -> None:
    world = World()
    for key in list(world.objects):
        world.remove(key)
    index = world.names.index
    assert index.empty


def relist(world: World, kind: str, left_out: str = "") -> None:
    """What the reader says when its revision is no longer kept: everything again."""
    world.changes.apply(Lists(kind))
    for key, obj in world.objects.items():
        if obj.resource.kind == kind and key != left_out:
            world.changes.apply(view(obj))
    world.changes.apply(Listed(kind))


def test_what_a_new_list_does_not_name_is_gone() -> None:
    world = World()
    gone = world.objects["services shop/web"].metadata.resourceVersion
    relist(world, "Service", left_out="services shop/web")
    assert entries(world) == [("web.shop.svc.cluster.local", "Service web was deleted", None)]
    assert world.journal.entries()[0]["revisions"] == [gone]
    assert world.names.index.service(("shop", "web")) is None


def test_what_a_new_list_says_again_is_no_change_and_no_answer_is_forgotten() -> None:
    world = World()
    world.responder.reply(dns.message.make_query("web.shop.svc.cluster.local.", "A").to_wire())
    for kind in ("Namespace", "Service", "EndpointSlice"):
        relist(world, kind)
    assert entries(world) == [] and world.responder.remembered == 1


def test_a_list_that_broke_off_takes_nothing_away() -> None:
    world = World()
    world.changes.apply(Lists("Service"))
    world.changes.apply(view(world.objects["services shop/web"]))
    relist(world, "Service")
    assert entries(world) == []
