"""Field by field beside what Kubernetes publishes: names, types, what is required, how lists are merged.

The oracle is the package `kubernetes-validate`, which ships upstream's schemas. The version is the one that the server
says it is. What differs is listed here with its reason; a difference that is not listed fails, and so does one that is
gone.
"""

import json
from functools import cache
from importlib.resources import files

import pytest

from minik8s.api import kinds
from minik8s.api.absent import BARE
from minik8s.api.volumes import SOURCES
from minik8s.apiserver import discovery
from minik8s.apiserver.wire import schemas, swagger
from minik8s.apiserver.wire.operations import BODIES

CORE, META = schemas.CORE, schemas.META
OPAQUE = "kept as it is written: a storage system that minik8s cannot mount anyway"
GONE = "nothing has read it since Kubernetes 1.24; kept as it is written"
TYPED = {
    *("emptyDir", "configMap", "secret", "hostPath", "downwardAPI", "projected", "persistentVolumeClaim"),
    *("ephemeral", "csi", "nfs", "image"),
}
DIFFERENCES = {
    **{f"{CORE}.Volume.{name}": OPAQUE for name in SOURCES if name not in TYPED},
    f"{CORE}.PersistentVolumeClaimStatus.modifyVolumeStatus": "there are no claims; a template has no status",
    f"{CORE}.NodeSpec.configSource": GONE,
    f"{CORE}.NodeStatus.config": GONE,
    f"{META}.DeleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential": "alpha; nothing is stored encrypted here",
    f"{META}.ObjectMeta.selfLink": "empty since Kubernetes 1.20: dropped without a word",
}
# Metrics are published by a project of their own; of what there is none there are no fields.
PUBLISHED = [cls for cls in kinds.ALL if cls.resource.group != "metrics.k8s.io" and cls not in BARE]
MERGING = ("x-kubernetes-patch-strategy", "x-kubernetes-patch-merge-key", "x-kubernetes-list-map-keys")


@cache
def upstream():
    major, minor = discovery.KUBERNETES_VERSION
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{major}.{minor}.0-local"
    return json.loads((folder / "_definitions.json").read_text())["$defs"]


@cache
def ours():
    return swagger.build()["definitions"]


def name_in(definitions, cls):
    wanted = schemas.group_version_kind(cls)
    (name,) = [each for each, schema in definitions.items() if wanted in schema.get(schemas.GROUP_VERSION_KIND, ())]
    return name


def shape(schema):
    """What values look like, without words: "string", "integer/int32", [of what], {of what}, or a type by its name."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    kinds_ = schema.get("type")
    (kind,) = [each for each in (kinds_ if isinstance(kinds_, list) else [kinds_]) if each != "null"]
    if kind == "array":
        return [shape(schema["items"])]
    if kind == "object":
        inner = schema.get("additionalProperties")
        return {"": shape(inner)} if isinstance(inner, dict) else "object"
    return f"{kind}/{schema['format']}" if "format" in schema else kind


def pointers(schema):
    inner = [schema, schema.get("items") or {}, schema.get("additionalProperties") or {}]
    return [each["$ref"].rpartition("/")[2] for each in inner if isinstance(each, dict) and "$ref" in each]


def compared():
    """Names of all types that upstream's kinds are made of, as far as ours go."""
    waiting = [name_in(upstream(), cls) for cls in PUBLISHED]
    waiting += map(schemas.name_of, BODIES.values())
    found = []
    while waiting:
        name = waiting.pop()
        if name in found or name not in ours():
            continue
        found.append(name)
        for schema in upstream()[name].get("properties", {}).values():
            waiting += pointers(schema)
    return found


def differences():
    for name in compared():
        theirs, mine = upstream()[name].get("properties", {}), ours()[name].get("properties", {})
        for field in theirs.keys() | mine.keys():
            if field not in theirs or field not in mine or shape(theirs[field]) != shape(mine[field]):
                yield f"{name}.{field}", theirs.get(field), mine.get(field)


def test_every_kind_has_the_name_that_upstream_gave_it():
    for cls in PUBLISHED:
        assert schemas.name_of(cls) == name_in(upstream(), cls)


def test_every_type_of_ours_is_one_of_upstreams():
    # The group of devices is younger than the version; the schedulers that wait for it are, too.
    own = {swagger.PATCH, *(schemas.name_of(cls) for cls in BARE if cls.resource.group == "resource.k8s.io")}
    lists = {schemas.list_name(cls) for cls in kinds.ALL}
    strange = {name for name in ours() if name not in upstream()} - own - lists
    assert {name for name in strange if not name.startswith("io.k8s.metrics.")} == set()


def test_fields_and_types_are_upstreams_but_for_those_that_are_listed():
    found = {name: (theirs, mine) for name, theirs, mine in differences()}
    assert {name: found[name] for name in found.keys() - DIFFERENCES} == {}
    assert DIFFERENCES.keys() - found == set(), "these no longer differ"
    assert len(compared()) > 150


def test_what_is_required_is_what_upstream_requires():
    for name in compared():
        theirs = set(upstream()[name].get("required", ()))
        assert set(ours()[name].get("required", ())) == theirs, name


@pytest.mark.parametrize("what", MERGING)
def test_lists_are_merged_as_upstream_does(what):
    wrong = {
        f"{name}.{field}": (schema.get(what), ours()[name]["properties"][field].get(what))
        for name in compared()
        for field, schema in upstream()[name].get("properties", {}).items()
        if field in ours()[name]["properties"] and schema.get(what) != ours()[name]["properties"][field].get(what)
    }
    assert wrong == {}


def test_lists_that_are_maps_or_sets_are_those_of_upstream():
    what = "x-kubernetes-list-type"
    for name in compared():
        for field, schema in ours()[name].get("properties", {}).items():
            theirs = upstream()[name]["properties"].get(field, {}).get(what, "atomic")
            assert schema.get(what, "atomic") == theirs, f"{name}.{field}"


def test_what_is_one_value_to_server_side_apply_is_so_upstream():
    what = "x-kubernetes-map-type"
    for name in compared():
        assert ours()[name].get(what) == upstream()[name].get(what), name
