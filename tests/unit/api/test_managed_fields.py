"""Who owns which field: sets and their algebra, updates, and server-side apply with conflicts, force and giving up."""

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minik8s.api import codec
from minik8s.api.apps import Deployment
from minik8s.api.core import ConfigMap, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import ManagedFieldsEntry
from minik8s.api.ownership import fieldset, managers, merge, paths, walk
from minik8s.api.ownership.managers import Conflicts, Held, Manager, Stated
from minik8s.api.ownership.recorded import Author, record

ANNA, BERT = Manager("anna", "Apply", "apps/v1"), Manager("bert", "Apply", "apps/v1")
EDITOR = Manager("editor", "Update", "apps/v1")


def deployment(labels=None, replicas=None, containers=None):
    """Only what is given is stated."""
    spec = {}
    if replicas is not None:
        spec["replicas"] = replicas
    if containers:
        rendered = [{"name": name, **fields} for name, fields in containers.items()]
        spec["template"] = {"spec": {"containers": rendered}}
    metadata = {"name": "web", **({"labels": labels} if labels else {})}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, **({"spec": spec} if spec else {})}


class World:
    """An object and its managers, changed by applies and updates."""

    def __init__(self):
        self.obj, self.managers, self.clock = {}, {}, 0

    def apply(self, who, stated, force=False):
        self.clock += 1
        before = deepcopy((self.obj, stated, self.managers))
        try:
            made = managers.apply(self.managers, Deployment, self.obj, Stated(stated, who, force), str(self.clock))
        finally:
            assert (self.obj, stated, self.managers) == before, "arguments were changed"
        self.obj, self.managers = made
        return self

    def update(self, who, obj):
        self.clock += 1
        self.managers = managers.update(self.managers, Deployment, (self.obj, obj), who, str(self.clock))
        self.obj = obj
        return self

    def owned_by(self, who):
        return paths.every(self.managers[who].fields) if who in self.managers else []


# --- sets -------------------------------------------------------------------------------------------------------------


def test_an_applied_object_owns_just_what_it_states():
    stated = deployment({"app": "web"}, 2, {"c": {"image": "x", "ports": [{"containerPort": 80}], "command": ["a"]}})
    stated["metadata"]["finalizers"] = ["a/b"]
    stated["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    assert walk.owned(Deployment, stated) == {
        "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {'v:"a/b"': {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"c"}': {
                            ".": {},
                            "f:name": {},
                            "f:image": {},
                            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                            "f:command": {},
                        }
                    }
                }
            },
        },
    }


def test_what_an_update_adds_comes_with_its_containers():
    changed, gone = walk.compare(Deployment, deployment(), deployment({"a": "1"}, 1))
    assert changed == {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}, "f:spec": {"f:replicas": {}}}
    assert gone == {}
    assert walk.compare(Deployment, deployment({"a": "1", "b": "2"}), deployment({"a": "2"})) == (
        {"f:metadata": {"f:labels": {"f:a": {}}}},
        {"f:metadata": {"f:labels": {"f:b": {}}}},
    )


def test_the_servers_own_fields_belong_to_nobody():
    old = {"kind": "Deployment", "metadata": {"name": "a", "resourceVersion": "1", "generation": 1}}
    new = {"kind": "Deployment", "metadata": {"name": "a", "resourceVersion": "2", "generation": 2, "uid": "x"}}
    assert walk.compare(Deployment, old, new) == ({}, {})
    assert walk.owned(Deployment, new) == {}


def test_fields_are_written_as_people_read_them():
    fields = {
        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}}}},
        "f:metadata": {"f:finalizers": {'v:"a/b"': {}}, "f:labels": {"f:app.kubernetes.io/name": {}}},
    }
    assert paths.every(fields) == [
        '.metadata.finalizers[="a/b"]',
        ".metadata.labels.app.kubernetes.io/name",
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
    ]


sets = st.recursive(
    st.just({}),
    lambda inner: st.dictionaries(st.sampled_from(["f:a", "f:b", "k:{}"]), inner, max_size=3).flatmap(
        lambda node: st.sampled_from([node, {".": {}, **node}] if node else [node])
    ),
    max_leaves=8,
).map(fieldset.below)


def as_set(fields):
    return set(fieldset.members(fields))


@given(sets, sets)
def test_the_algebra_is_that_of_sets(left, right):
    before = deepcopy((left, right))
    assert as_set(fieldset.union(left, right)) == as_set(left) | as_set(right)
    assert as_set(fieldset.minus(left, right)) == as_set(left) - as_set(right)
    assert as_set(fieldset.common(left, right)) == as_set(left) & as_set(right)
    assert (left, right) == before
    assert fieldset.is_wellformed(left)


def test_what_is_no_set_of_fields_is_seen():
    deep = {}
    for _ in range(1000):
        deep = {"f:a": deep}
    for wrong in (1, {"a": {}}, {"f:a": []}, deep):
        assert not fieldset.is_wellformed(wrong)


# --- updates ----------------------------------------------------------------------------------------------------------


def test_an_update_owns_what_it_changes_and_takes_it_from_the_others():
    world = World().apply(ANNA, deployment({"a": "1"}, 1)).update(EDITOR, deployment({"a": "1"}, 3))
    assert world.owned_by(ANNA) == [".metadata.labels.a"]
    assert world.owned_by(EDITOR) == [".spec.replicas"]


def test_what_an_update_removes_belongs_to_nobody():
    world = World().apply(ANNA, deployment({"a": "1", "b": "2"})).update(EDITOR, deployment({"a": "1"}))
    assert world.owned_by(ANNA) == [".metadata.labels.a"]
    assert world.owned_by(EDITOR) == []


def test_a_time_changes_only_with_the_set():
    world = World().update(EDITOR, deployment({"a": "1"}, 1))
    since = world.managers[EDITOR].time
    assert world.update(EDITOR, deployment({"a": "1"}, 2)).managers[EDITOR].time == since
    assert world.update(EDITOR, deployment({"a": "1", "b": "1"}, 2)).managers[EDITOR].time != since


def test_many_updaters_are_taken_together_so_that_no_object_fills_up():
    world = World()
    for number in range(30):
        world.update(
            Manager(f"m{number}", "Update", "apps/v1"), deployment({f"l{at}": "1" for at in range(number + 1)})
        )
    entries = managers.write(world.managers)
    assert len(entries) == managers.MAX_UPDATERS
    read = managers.read(entries)
    assert Manager(managers.ANCIENT, "Update", "apps/v1") in read
    together = {}
    for held in read.values():
        together = fieldset.union(together, held.fields)
    assert len(fieldset.members(together)) == 31


def test_the_list_keeps_upstreams_order_and_its_meaning():
    known = {
        EDITOR: Held({"f:a": {}}, "1"),
        BERT: Held({"f:b": {}}, "3"),
        ANNA: Held({"f:c": {}}, "2"),
        Manager("nobody", "Update", "v1"): Held({}, "1"),
    }
    entries = managers.write(known)
    assert [each.manager for each in entries] == ["anna", "bert", "editor"]
    assert managers.read(entries) == {manager: held for manager, held in known.items() if held.fields}


def config(**more):
    return codec.from_dict(ConfigMap, {"metadata": {"name": "c", **more}, "data": {"a": "1"}})


def test_a_client_may_write_the_list_and_an_empty_one_forgets_everybody():
    old = config()
    record(old, None, Author("first", "1"))
    assert [each.manager for each in old.metadata.managedFields] == ["first"]
    for said in ([], [{}]):
        new = config(managedFields=said)
        record(new, old, Author("second", "2"))
        assert new.metadata.managedFields is None
    entry = {"manager": "x", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}}
    new = config(managedFields=[entry])
    record(new, old, Author("second", "2"))
    assert [each.manager for each in new.metadata.managedFields] == ["x"]
    new = config(managedFields=[{**entry, "fieldsV1": {"nonsense": 1}}])
    record(new, old, Author("second", "2"))
    assert new.metadata.managedFields == old.metadata.managedFields
    new = config(managedFields=[entry])
    record(new, old, Author("second", "2", "status"))
    assert new.metadata.managedFields == old.metadata.managedFields, "not through a subresource"


def test_the_status_belongs_to_who_writes_it_through_its_own_subresource():
    old = codec.from_dict(Service, {"metadata": {"name": "s"}})
    new = codec.from_dict(
        Service, {"metadata": {"name": "s"}, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
    )
    record(new, old, Author("balancer", "1", "status"))
    assert new.metadata.managedFields == [
        ManagedFieldsEntry(
            manager="balancer",
            operation="Update",
            apiVersion="v1",
            time="1",
            fieldsType="FieldsV1",
            fieldsV1={"f:status": {"f:loadBalancer": {"f:ingress": {}}}},
            subresource="status",
        )
    ]


def test_the_endpoints_of_a_slice_are_one_field_however_many_they_are():
    def slice_of(*addresses):
        endpoints = [{"addresses": [each]} for each in addresses]
        return codec.from_dict(EndpointSlice, {"metadata": {"name": "s"}, "endpoints": endpoints})

    old, more, none = slice_of("10.0.0.1"), slice_of("10.0.0.1", "10.0.0.2"), slice_of()
    record(old, None, Author("first", "1"))
    record(more, old, Author("second", "2"))
    record(none, more, Author("third", "3"))
    owners = [
        [(each.manager, paths.every(each.fieldsV1)) for each in obj.metadata.managedFields or ()]
        for obj in (old, more, none)
    ]
    assert owners == [
        [("first", [".endpoints"])],
        [("second", [".endpoints"])],
        [],
    ]


# --- apply ------------------------------------------------------------------------------------------------------------


def test_changing_what_is_others_is_a_conflict_that_names_field_and_owner():
    world = World().apply(ANNA, deployment({"a": "1"}, 1, {"c": {"image": "x:1"}}))
    with pytest.raises(Conflicts) as found:
        world.apply(BERT, deployment(containers={"c": {"image": "x:2"}}))
    assert str(found.value) == (
        'Apply failed with 1 conflict: conflict with "anna": .spec.template.spec.containers[name="c"].image'
    )
    world.update(EDITOR, deployment({"a": "1"}, 5, {"c": {"image": "x:1"}}))
    with pytest.raises(Conflicts) as found:
        world.apply(BERT, deployment({"a": "2"}, 7))
    assert str(found.value) == (
        'Apply failed with 2 conflicts: conflicts with "anna":\n- .metadata.labels.a\n'
        'conflicts with "editor" using apps/v1:\n- .spec.replicas'
    )


def test_force_takes_the_field():
    world = World().apply(ANNA, deployment({"a": "1"}, 1)).apply(BERT, deployment(replicas=2), force=True)
    assert (world.obj["spec"]["replicas"], world.owned_by(ANNA)) == (2, [".metadata.labels.a"])
    assert world.owned_by(BERT) == [".spec.replicas"]


def test_who_applies_the_same_owns_it_together():
    world = World().apply(ANNA, deployment(replicas=1)).apply(BERT, deployment(replicas=1))
    assert world.owned_by(ANNA) == world.owned_by(BERT) == [".spec.replicas"]
    world.apply(ANNA, deployment())
    assert world.obj["spec"]["replicas"] == 1, "bert still wants it"
    assert "spec" not in world.apply(BERT, deployment()).obj


def test_an_element_that_is_given_up_goes_with_what_nobody_owns_in_it():
    world = World().apply(ANNA, deployment(containers={"c": {"image": "x"}, "d": {"image": "y"}}))
    world.obj["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = "Always"  # a default
    world.apply(ANNA, deployment(containers={"c": {"image": "x"}}))
    assert [each["name"] for each in world.obj["spec"]["template"]["spec"]["containers"]] == ["c"]


def test_the_order_of_a_list_is_that_of_the_last_apply_and_others_keep_their_place():
    world = World().apply(ANNA, deployment(containers={"a": {}, "b": {}}))
    world.apply(BERT, deployment(containers={"x": {}}))
    world.apply(ANNA, deployment(containers={"b": {}, "a": {}}))
    assert [each["name"] for each in world.obj["spec"]["template"]["spec"]["containers"]] == ["b", "a", "x"]


def test_what_was_there_before_anybody_was_written_down_is_somebodys():
    world = World()
    world.obj = deployment(replicas=1)
    with pytest.raises(Conflicts, match=r'conflict with "before-first-apply" using apps/v1: .spec.replicas'):
        world.apply(ANNA, deployment(replicas=2))


def test_an_element_that_is_stated_twice_is_refused():
    stated = deployment(containers={"c": {"image": "x"}})
    stated["spec"]["template"]["spec"]["containers"] *= 2
    with pytest.raises(merge.Doubled, match=r".spec.template.spec.containers: duplicate entries"):
        World().apply(ANNA, stated)


# --- what holds of any applies ----------------------------------------------------------------------------------------

labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
container = st.fixed_dictionaries({}, optional={"image": st.sampled_from("xy"), "tty": st.booleans()})
objects = st.builds(
    deployment,
    labels,
    st.none() | st.integers(0, 2),
    st.dictionaries(st.sampled_from("cd"), container, max_size=2),
)
histories = st.lists(st.tuples(st.sampled_from([ANNA, BERT]), objects), max_size=4)


def after(history):
    world = World()
    for who, stated in history:
        world.apply(who, stated, force=True)
    return world


@given(histories, objects)
@settings(deadline=None)
def test_applying_a_second_time_changes_nothing(history, stated):
    world = after(history).apply(ANNA, stated, force=True)
    before = deepcopy((world.obj, managers.write(world.managers)))
    world.apply(ANNA, stated)
    assert (world.obj, managers.write(world.managers)) == before


def only(objects, keep):
    """The object with just those labels and containers."""
    return objects.map(
        lambda obj: deployment(
            {key: value for key, value in obj["metadata"].get("labels", {}).items() if key in keep},
            containers={
                each["name"]: {key: value for key, value in each.items() if key != "name"}
                for each in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
                if each["name"] in keep
            },
        )
    )


@given(only(objects, "ac"), only(objects, "bd"), only(objects, "ac"))
@settings(deadline=None)
def test_two_who_state_different_things_never_conflict_and_never_lose_any(first, second, third):
    world = World().apply(ANNA, first).apply(BERT, second).apply(ANNA, third)
    again = deepcopy(world.obj)
    for who, stated in ((ANNA, third), (BERT, second)):
        assert world.owned_by(who) == paths.every(walk.owned(Deployment, stated))
        assert world.apply(who, stated).obj == again


@given(histories, objects, objects)
@settings(deadline=None)
def test_what_is_given_up_goes_just_where_nobody_else_owns_it(history, first, second):
    world = after(history).apply(ANNA, first, force=True).apply(ANNA, second, force=True)
    there, wanted = (set(paths.every(walk.owned(Deployment, each))) for each in (world.obj, second))
    others = world.owned_by(BERT)
    assert wanted | set(others) <= there
    for path in set(paths.every(walk.owned(Deployment, first))) - wanted:
        if not any(other.startswith(path) for other in others):
            assert path not in there
