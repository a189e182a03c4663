"""Paths to targets, HTTP methods to verbs, and what discovery lists."""

import pytest

from minik8s.api import kinds
from minik8s.apiserver import discovery, routes

PATHS = [
    # path, kind, namespace, name, subresource, rest
    ("/api/v1/pods", "Pod", "", "", "", ""),
    ("/api/v1/namespaces/default/pods", "Pod", "default", "", "", ""),
    ("/api/v1/namespaces/default/pods/", "Pod", "default", "", "", ""),
    ("/api/v1/namespaces/default/pods/web-1", "Pod", "default", "web-1", "", ""),
    ("/api/v1/namespaces/default/pods/web-1/status", "Pod", "default", "web-1", "status", ""),
    ("/api/v1/namespaces/default/pods/web-1/binding", "Pod", "default", "web-1", "binding", ""),
    ("/api/v1/namespaces/default/bindings", "Pod", "default", "", "binding", ""),
    ("/api/v1/namespaces", "Namespace", "", "", "", ""),
    ("/api/v1/namespaces/default", "Namespace", "", "default", "", ""),
    ("/api/v1/namespaces/default/finalize", "Namespace", "", "default", "finalize", ""),
    ("/api/v1/namespaces/default/status", "Namespace", "", "default", "status", ""),
    ("/api/v1/nodes/node-1/proxy/debug/dns/names", "Node", "", "node-1", "proxy", "debug/dns/names"),
    ("/apis/apps/v1/namespaces/a/deployments/web/scale", "Deployment", "a", "web", "scale", ""),
    ("/apis/networking.k8s.io/v1/ipaddresses/10.96.0.1", "IPAddress", "", "10.96.0.1", "", ""),
]

NOWHERE = [
    "/",
    "/api",
    "/api/v1",
    "/apis/apps/v1",
    "/api/v2/pods",
    "/api/v1/podz",
    "/apis/apps/v1/pods",
    "/api/v1/pods/web-1",
    "/api/v1/namespaces/default/nodes",
    "/api/v1/namespaces/default/pods/web-1/scale",
    "/api/v1/namespaces/default/pods/web-1/status/more",
    "/api/v1/namespaces//pods",
    "/healthz",
    "/apis",
]


@pytest.mark.parametrize("row", PATHS, ids=lambda row: row[0])
def test_a_path_names_a_kind_and_a_place(row):
    found = routes.resolve(row[0])
    assert found is not None
    assert (found.cls.resource.kind, found.namespace, found.name, found.subresource, found.rest) == row[1:]


@pytest.mark.parametrize("path", NOWHERE)
def test_a_path_that_no_kind_has_is_nothing(path):
    assert routes.resolve(path) is None


@pytest.mark.parametrize(
    ("path", "method", "watch", "verb"),
    [
        ("/api/v1/pods", "GET", False, "list"),
        ("/api/v1/pods", "GET", True, "watch"),
        ("/api/v1/namespaces/a/pods", "POST", False, "create"),
        ("/api/v1/namespaces/a/pods", "DELETE", False, "deletecollection"),
        ("/api/v1/namespaces/a/pods", "PUT", False, None),
        ("/api/v1/namespaces/a/pods/x", "GET", False, "get"),
        ("/api/v1/namespaces/a/pods/x", "HEAD", False, "get"),
        ("/api/v1/namespaces/a/pods/x", "PUT", False, "update"),
        ("/api/v1/namespaces/a/pods/x", "PATCH", False, "patch"),
        ("/api/v1/namespaces/a/pods/x", "POST", False, None),
        ("/api/v1/namespaces/a/pods/x/binding", "POST", False, "create"),
    ],
)
def test_a_method_is_a_verb(path, method, watch, verb):
    target = routes.resolve(path)
    assert target is not None
    assert routes.verb(target, method, watch) == verb


def test_every_kind_is_found_by_its_own_path():
    for cls in kinds.KINDS:
        namespace = "default" if cls.resource.namespaced else ""
        found = routes.resolve(cls.resource.path(namespace, "x"))
        assert found == routes.Target(cls, namespace, "x")


def test_discovery_lists_every_kind_with_its_subresources():
    listed = discovery.resources("", "v1")
    assert listed is not None
    names = [entry["name"] for entry in listed["resources"]]
    assert {"pods", "pods/status", "pods/binding", "pods/log", "namespaces/finalize", "services"} <= set(names)
    assert discovery.resources("", "v2") is None
    apps = discovery.resources("apps", "v1")
    assert apps is not None
    scale = next(entry for entry in apps["resources"] if entry["name"] == "deployments/scale")
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


def test_discovery_lists_every_group_but_the_core():
    names = [group["name"] for group in discovery.groups()["groups"]]
    assert sorted(names) == sorted({cls.resource.group for cls in kinds.ALL} - {""})
    assert discovery.core_versions()["versions"] == ["v1"]
