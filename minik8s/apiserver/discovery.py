"""What this server has: /api, /apis and the lists of resources, derived from the table of kinds. Pure.

Invariant: what is listed here works, with those verbs; clients (kubectl above all) believe it. Source: the API groups'
discovery documents, legacy form; every client understands it.
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
STREAMS = {"exec": "PodExecOptions", "attach": "PodAttachOptions", "portforward": "PodPortForwardOptions"}
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
        entry: dict[str, Any] = {
            "name": f"{where.plural}/{each}",
            "singularName": "",
            "namespaced": where.namespaced,
            "kind": STREAMS.get(each, where.kind),
            "verbs": verbs_of(cls, each),
        }
        if each in SUBRESOURCE_KINDS:
            entry["group"], entry["version"], entry["kind"] = SUBRESOURCE_KINDS[each]
        entries.append(entry)
    return entries
