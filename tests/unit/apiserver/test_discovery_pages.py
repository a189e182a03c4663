"""Discovery in both of its forms, and the health pages: what a client is told before it asks for anything."""

import json

import pytest

from minik8s.api import kinds
from minik8s.apiserver import pages, routes

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
KUBECTL_1_33 = f"{AGGREGATED.format('v2')},{AGGREGATED.format('v2beta1')},application/json"
KUBECTL_1_27 = f"{AGGREGATED.format('v2beta1')},application/json"


def read(path, accept=""):
    return json.loads(pages.find(path, {}, accept).body)


def listed(group, version):
    return read(f"/apis/{group}/{version}" if group else f"/api/{version}")["resources"]


GROUP_VERSIONS = [(g, v) for g, versions in routes.group_versions(kinds.ALL).items() for v in versions]


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (KUBECTL_1_33, "v2"),
        (KUBECTL_1_27, "v2beta1"),
        (AGGREGATED.format("v2"), "v2"),
        ("application/json", None),
        ("*/*", None),
        ("", None),
        (f"application/json,{AGGREGATED.format('v2')}", None),
        (f"application/yaml,{AGGREGATED.format('v2')}", "v2"),
        (f"{AGGREGATED.format('v3')},application/json", None),
        ("application/json;g=meta.k8s.io;v=v1;as=Table,application/json", None),
    ],
)
@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_a_client_gets_the_first_form_of_discovery_that_it_asks_for(path, accept, version):
    page = pages.find(path, {}, accept)
    if version is None:
        assert page.content_type == "application/json"
        assert json.loads(page.body)["kind"] in ("APIVersions", "APIGroupList")
    else:
        assert page.content_type == AGGREGATED.format(version)
        assert json.loads(page.body)["apiVersion"] == f"apidiscovery.k8s.io/{version}"
        assert page.headers["ETag"]


def test_both_forms_list_the_same():
    found = {}
    for path in ("/api", "/apis"):
        for group in read(path, KUBECTL_1_33)["items"]:
            for version in group["versions"]:
                found[group["metadata"].get("name", ""), version["version"]] = version["resources"]
    assert list(found) == GROUP_VERSIONS
    for where, resources in found.items():
        flat = [(each["resource"], each["verbs"], each["responseKind"]["kind"]) for each in resources]
        flat += [
            (f"{each['resource']}/{sub['subresource']}", sub["verbs"], sub["responseKind"]["kind"])
            for each in resources
            for sub in each.get("subresources", ())
        ]
        assert sorted(flat) == sorted((each["name"], each["verbs"], each["kind"]) for each in listed(*where))


def test_the_core_group_has_no_name_and_stands_alone_under_api():
    (core,) = read("/api", KUBECTL_1_33)["items"]
    assert core["metadata"] == {}
    assert "" not in [each["metadata"].get("name", "") for each in read("/apis", KUBECTL_1_33)["items"]]


def test_what_kubectl_makes_short_of_is_there():
    pods = next(each for each in listed("", "v1") if each["name"] == "pods")
    assert pods["shortNames"] == ["po"] and pods["categories"] == ["all"] and pods["singularName"] == "pod"
    assert {"list", "watch", "create", "delete", "deletecollection"} <= set(pods["verbs"])


@pytest.mark.parametrize(
    ("group", "name", "expected"),
    [
        ("apps", "deployments/scale", ("autoscaling", "v1", "Scale")),
        ("", "serviceaccounts/token", ("authentication.k8s.io", "v1", "TokenRequest")),
        ("", "pods/binding", ("", "v1", "Binding")),
        ("", "pods/exec", (None, None, "PodExecOptions")),
        ("", "nodes/proxy", (None, None, "NodeProxyOptions")),
        ("", "pods/status", (None, None, "Pod")),
    ],
)
def test_a_subresource_says_what_it_is_made_of(group, name, expected):
    entry = next(each for each in listed(group, "v1") if each["name"] == name)
    assert (entry.get("group"), entry.get("version"), entry["kind"]) == expected


def test_the_older_documents_have_all_that_typed_clients_demand():
    assert read("/api")["serverAddressByClientCIDRs"][0].keys() == {"clientCIDR", "serverAddress"}
    for group in read("/apis")["groups"]:
        assert group["preferredVersion"] in group["versions"]
        assert read(f"/apis/{group['name']}") == group | {"apiVersion": "v1", "kind": "APIGroup"}


def test_the_version_has_every_field_of_upstreams():
    found = read("/version")
    assert found["gitVersion"].startswith(f"v{found['major']}.{found['minor']}.")
    assert found.keys() == {
        "major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform",
        "emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor",
    }  # fmt: skip


def test_the_root_names_every_group_and_version():
    paths = read("/")["paths"]
    assert {f"/apis/{g}/{v}" for g, v in GROUP_VERSIONS if g} | {"/api/v1", "/openapi/v3", "/readyz"} <= set(paths)


# --- health -----------------------------------------------------------------------------------------------------------


def health(path, failed=(), **query):
    return pages.health(path.split("/"), failed, query)


@pytest.mark.parametrize("path", ["healthz", "livez", "readyz", "readyz/etcd", "livez/ping"])
def test_a_healthy_server_says_ok(path):
    page = health(path)
    assert (page.code, page.body) == (200, b"ok")


def test_what_is_wrong_is_said_without_being_asked():
    page = health("readyz", ["etcd"])
    assert page.code == 500
    assert b"[-]etcd failed: " in page.body and b"[+]ping ok\n" in page.body
    assert page.body.endswith(b"readyz check failed\n")
    assert health("readyz/etcd", ["etcd"]).code == 500
    assert health("readyz/ping", ["etcd"]).code == 200
    assert health("livez", ["etcd"]).code == 200


def test_a_check_can_be_left_out_and_all_can_be_shown():
    assert health("readyz", ["etcd"], exclude="etcd").code == 200
    lines = health("readyz", verbose="").body.decode().splitlines()
    assert lines == [*(f"[+]{name} ok" for name in pages.CHECKS), "readyz check passed"]


def test_there_is_no_page_for_a_check_that_there_is_not():
    assert health("readyz/none") is None
