"""What this server has: /api, /apis and the lists of resources, derived from the table of kinds. Pure.

Invariant: what is listed here works, with those verbs; clients (kubectl above all) believe it. There are two forms:
one document for each group and version, which every client understands, and since kubectl 1.27 one for all groups
(`aggregated`), which saves the others. Source: the published OpenAPI of meta/v1; KEP-3352 (aggregated discovery).
"""

import platform
from typing import Any

from minik8s.api import kinds
from minik8s.api.meta import Object
from minik8s.apiserver.routes import group_versions

SUBRESOURCE_VERBS = {
    "binding": ["create"],
    "eviction": ["create"],
    "exec": ["create", "get"],
    "attach": ["create", "get"],
    "portforward": ["create", "get"],
    "log": ["get"],
    "finalize": ["update"],
    "proxy": ["create", "delete", "get", "patch", "update"],
    "token": ["create"],
}
SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "binding": ("", "v1", "Binding"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}
# What follows the kind's name where the question is made of options: PodExecOptions, NodeProxyOptions.
STREAMS = {
    "exec": "ExecOptions",
    "attach": "AttachOptions",
    "portforward": "PortForwardOptions",
    "proxy": "ProxyOptions",
}
AGGREGATED_GROUP, AGGREGATED = "apidiscovery.k8s.io", "APIGroupDiscoveryList"
AGGREGATED_VERSIONS = ("v2", "v2beta1")
# The API that is implemented; minik8s' own version stands in gitVersion's suffix.
KUBERNETES_VERSION = ("1", "33")


def version() -> dict[str, str]:
    major, minor = KUBERNETES_VERSION
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{major}.{minor}.0+minik8s",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{platform.machine()}",
        # What it stands in for, and from which version on it could: itself.
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": minor,
    }


def core_versions() -> dict[str, Any]:
    """/api"""
    return {
        "kind": "APIVersions",
        "versions": group_versions(kinds.ALL).get("", []),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
    }


def group(name: str) -> dict[str, Any] | None:
    """/apis/<group>"""
    versions = group_versions(kinds.ALL).get(name)
    if not name or not versions:
        return None
    listed = [{"groupVersion": f"{name}/{each}", "version": each} for each in versions]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": listed, "preferredVersion": listed[0]}


def groups() -> dict[str, Any]:
    """/apis"""
    found = [group(name) for name in group_versions(kinds.ALL) if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def resources(name: str, version_: str) -> dict[str, Any] | None:
    """/api/v1 and /apis/<group>/<version>"""
    found = [cls for cls in kinds.ALL if (cls.resource.group, cls.resource.version) == (name, version_)]
    if not found:
        return None
    entries = [entry for cls in found for entry in (_kind(cls), *_subresources(cls))]
    group_version = f"{name}/{version_}" if name else version_
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": entries}


def verbs_of(cls: type[Object], subresource: str = "") -> list[str]:
    """What can be done with objects of a kind, or with a subresource of it."""
    if subresource:
        return SUBRESOURCE_VERBS.get(subresource, ["get", "patch", "update"])
    return list(cls.resource.verbs)


def _kind(cls: type[Object]) -> dict[str, Any]:
    where = cls.resource
    entry: dict[str, Any] = {
        "name": where.plural,
        "singularName": where.singular,
        "namespaced": where.namespaced,
        "kind": where.kind,
        "verbs": verbs_of(cls),
    }
    if where.shortNames:
        entry["shortNames"] = list(where.shortNames)
    if where.categories:
        entry["categories"] = list(where.categories)
    return entry


def _subresources(cls: type[Object]) -> list[dict[str, Any]]:
    where = cls.resource
    entries = []
    for each in where.subresources:
        group, version, kind = kind_of(cls, each)
        entry: dict[str, Any] = {
            "name": f"{where.plural}/{each}",
            "singularName": "",
            "namespaced": where.namespaced,
            "kind": kind,
            "verbs": verbs_of(cls, each),
        }
        if each in SUBRESOURCE_KINDS:
            entry["group"], entry["version"] = group, version
        entries.append(entry)
    return entries


def kind_of(cls: type[Object], subresource: str) -> tuple[str, str, str]:
    """Group, version and kind of what a subresource takes or gives: the object itself, unless a table has another."""
    where = cls.resource
    if subresource in SUBRESOURCE_KINDS:
        return SUBRESOURCE_KINDS[subresource]
    if subresource in STREAMS:
        return "", "v1", f"{where.kind}{STREAMS[subresource]}"
    return where.group, where.version, where.kind


# --- one document for everything --------------------------------------------------------------------------------------


def aggregated(version_: str, core: bool) -> dict[str, Any]:
    """/api (the core group) or /apis (all others), as versions v2 and v2beta1 of apidiscovery.k8s.io have it."""
    items = []
    for name, versions in group_versions(kinds.ALL).items():
        if (not name) == core:
            listed = [
                {"version": each, "freshness": "Current", "resources": _aggregated_resources(name, each)}
                for each in versions
            ]
            items.append({"metadata": {"name": name} if name else {}, "versions": listed})
    return {"kind": AGGREGATED, "apiVersion": f"{AGGREGATED_GROUP}/{version_}", "metadata": {}, "items": items}


def _aggregated_resources(group_: str, version_: str) -> list[dict[str, Any]]:
    classes = [cls for cls in kinds.ALL if (cls.resource.group, cls.resource.version) == (group_, version_)]
    return [_aggregated_resource(cls) for cls in classes]


def _aggregated_resource(cls: type[Object]) -> dict[str, Any]:
    where = cls.resource
    entry = {
        "resource": where.plural,
        "responseKind": _response_kind((where.group, where.version, where.kind)),
        "scope": "Namespaced" if where.namespaced else "Cluster",
        "singularResource": where.singular,
        "verbs": verbs_of(cls),
        "shortNames": list(where.shortNames),
        "categories": list(where.categories),
        "subresources": [
            {"subresource": each, "responseKind": _response_kind(kind_of(cls, each)), "verbs": verbs_of(cls, each)}
            for each in where.subresources
        ],
    }
    return {name: value for name, value in entry.items() if value}


def _response_kind(kind: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("group", "version", "kind"), kind, strict=True))
