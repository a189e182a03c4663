"""What the journal tells of a change, and what never happens to the indexes."""

from dns_worlds import World


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
    assert not (index.services or index.slices or index.slices_by_name or index.namespaces)
    assert not (index.owners or index.pods or index.pod_addresses or any(index.prefixes.values()))
