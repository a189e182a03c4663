"""OpenAPI: what clients need to find in it, and that it keeps together. What kubectl makes of it is tried elsewhere."""

import json
import re

import pytest

from minik8s.api import kinds
from minik8s.apiserver import discovery, pages, routes
from minik8s.apiserver.wire import openapi, operations, swagger

GROUP_VERSIONS = sorted({(cls.resource.group, cls.resource.version) for cls in kinds.ALL})
POD = "io.k8s.api.core.v1.Pod"


def document(group="", version="v1"):
    path = f"apis/{group}/{version}" if group else f"api/{version}"
    return json.loads(openapi.document(path))


def schemas():
    return document()["components"]["schemas"]


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


@pytest.mark.parametrize("where", GROUP_VERSIONS)
def test_every_pointer_points_to_something_in_the_same_document(where):
    found = document(*where)
    pointers = {each["$ref"] for each in walk(found) if isinstance(each, dict) and isinstance(each.get("$ref"), str)}
    assert pointers
    for pointer in pointers:
        at = found
        for part in pointer.removeprefix("#/").split("/"):
            assert part in at, pointer
            at = at[part]


@pytest.mark.parametrize("where", GROUP_VERSIONS)
def test_every_path_that_is_described_leads_to_that_kind(where):
    for path, item in document(*where)["paths"].items():
        target = routes.resolve(re.sub(r"\{\w+\}", "x", path))
        assert target, path
        for method, operation in item.items():
            if method != "parameters":
                assert routes.verb(target, method.upper(), watch=False), (method, path)
                assert operation["x-kubernetes-action"] and operation["operationId"]


def test_operations_have_names_of_their_own():
    names = [each.id for cls in kinds.ALL for each in operations.of(cls)]
    assert sorted(names) == sorted(set(names))
    wanted = {
        "listCoreV1PodForAllNamespaces",
        "listCoreV1NamespacedPod",
        "readCoreV1NamespacedPodStatus",
        "replaceAppsV1NamespacedDeploymentScale",
        "deleteCoreV1CollectionNamespacedPod",
        "connectCoreV1PostNamespacedPodExec",
        "patchCoreV1Node",
    }
    assert wanted <= set(names)


@pytest.mark.parametrize("cls", kinds.ALL, ids=lambda cls: cls.__name__)
def test_the_operations_of_a_kind_are_the_verbs_of_its_discovery(cls):
    plain = {each.verb for each in operations.of(cls) if not each.subresource}
    assert plain == set(discovery.verbs_of(cls)) - {"watch"}


def test_kubectl_finds_that_the_server_checks_fields_and_can_run_dry():
    item = document("apps")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert {"fieldValidation", "dryRun", "fieldManager", "force"} <= {each["name"] for each in item["parameters"]}
    assert item["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert "application/apply-patch+yaml" in item["requestBody"]["content"]


def test_a_scale_is_described_as_a_scale():
    item = document("apps")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["get"]
    assert item["x-kubernetes-group-version-kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    (answer,) = item["responses"]["200"]["content"].values()
    assert answer["schema"]["$ref"].endswith("/io.k8s.api.autoscaling.v1.Scale")


def test_every_failure_that_the_server_may_answer_with_is_described_as_a_status():
    found = document()
    for item in found["paths"].values():
        for operation in (each for name, each in item.items() if name != "parameters"):
            assert {"400", "401", "403", "404", "429", "500", "503"} <= set(operation["responses"])
    for answer in found["components"]["responses"].values():
        assert answer["content"]["application/json"]["schema"]["$ref"].endswith("meta.v1.Status")


def test_a_description_stands_beside_a_pointer_as_v3_wants_it():
    fields = schemas()[POD]["properties"]
    assert fields["spec"]["allOf"] == [{"$ref": "#/components/schemas/io.k8s.api.core.v1.PodSpec"}]
    assert fields["spec"]["description"] and "default" not in fields["spec"]  # a spec needs containers
    assert fields["status"]["default"] == {}


def test_scalars_with_a_name_of_their_own_have_upstreams_form():
    found = schemas()
    metadata = found["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]
    assert metadata["creationTimestamp"]["allOf"][0]["$ref"].endswith("meta.v1.Time")
    assert metadata["generation"] | {"description": ""} == {"type": "integer", "format": "int64", "description": ""}
    port = found["io.k8s.api.core.v1.ServicePort"]["properties"]
    assert port["targetPort"]["allOf"][0]["$ref"].endswith("util.intstr.IntOrString")
    assert port["port"]["format"] == "int32"
    assert found["io.k8s.api.core.v1.Secret"]["properties"]["data"]["additionalProperties"]["format"] == "byte"


def test_lists_say_how_they_are_merged():
    ports = schemas()["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]
    assert ports["x-kubernetes-list-type"] == "map"
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert (ports["x-kubernetes-patch-strategy"], ports["x-kubernetes-patch-merge-key"]) == ("merge", "port")


def test_what_must_be_there_is_called_required():
    found = schemas()
    assert found["io.k8s.api.core.v1.PodSpec"]["required"] == ["containers"]
    assert found["io.k8s.api.core.v1.ContainerPort"]["required"] == ["containerPort"]
    assert found["io.k8s.api.core.v1.PodList"]["required"] == ["items"]
    assert "required" not in found[POD]


# --- how it is handed out ----------------------------------------------------------------------------------------


def test_the_index_names_each_document_by_the_hash_of_its_content():
    index = json.loads(pages.find("/openapi/v3", {}).body)["paths"]
    assert len(index) == len(GROUP_VERSIONS)
    for path, entry in index.items():
        url, _, digest = entry["serverRelativeURL"].partition("?hash=")
        assert url == f"/openapi/v3/{path}"
        page = pages.find(url, {"hash": digest})
        assert openapi.etag(page.body) == digest
        assert page.headers["ETag"] == f'"{digest}"'
        assert "immutable" in page.headers["Cache-Control"] and page.headers["Expires"]


def test_a_document_without_its_hash_or_with_an_old_one_is_not_to_be_kept():
    for query in ({}, {"hash": "0" * 64}):
        page = pages.find("/openapi/v3/api/v1", query)
        assert page.body == openapi.document("api/v1")
        assert "Cache-Control" not in page.headers


@pytest.mark.parametrize("path", ["/openapi", "/openapi/v3/api", "/openapi/v3/apis/none/v1", "/openapi/v4"])
def test_there_is_nothing_at_other_paths(path):
    assert pages.find(path, {}) is None


# --- v2, for older kubectls and other programs --------------------------------------------------------------------


def swagger_page(accept):
    return pages.find("/openapi/v2", {}, accept)


def fields(data):
    """Protobuf's wire format, read back without a table: (number, bytes or number) one after the other."""
    at, found = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        value = varint()
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        found.append((key >> 3, value))
    return found


def numbered(data, number):
    return [value for each, value in fields(data) if each == number]


def named(data, number=1):
    """An object of protobuf: a list of pairs."""
    pairs = [dict(fields(pair)) for pair in numbered(data, number)]
    return {pair[1].decode(): pair[2] for pair in pairs}


def inside(data, *numbers):
    """What is in the field of a field, or nothing."""
    for number in numbers:
        data = b"".join(numbered(data, number))
    return data


def test_kubectl_gets_protobuf_and_everybody_else_json():
    asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    page = swagger_page(asked)
    assert page.content_type == asked.replace("@", ".")
    for accept in ("application/json", "*/*", ""):
        assert json.loads(swagger_page(accept).body)["swagger"] == "2.0"
    assert swagger_page("").headers["ETag"] != page.headers["ETag"]


def test_the_protobuf_says_the_same_as_the_json():
    document, encoded = swagger.build(), swagger.as_protobuf()
    assert numbered(encoded, 1) == [b"2.0"]
    (definitions,) = numbered(encoded, 9)
    schemas_ = named(definitions)
    assert list(schemas_) == list(document["definitions"])
    for name, schema in schemas_.items():
        wanted = document["definitions"][name]
        assert numbered(schema, 4) == [wanted["description"].encode()]
        assert [each.decode() for each in numbered(schema, 19)] == wanted.get("required", [])
        properties = [list(named(each)) for each in numbered(schema, 25)]
        assert properties == ([list(wanted["properties"])] if wanted.get("properties") else [])


def test_a_pointer_and_an_extension_survive_protobuf():
    (definitions,) = numbered(swagger.as_protobuf(), 9)
    pod = named(definitions)[POD]
    spec = named(numbered(pod, 25)[0])["spec"]
    assert numbered(spec, 1) == [b"#/definitions/io.k8s.api.core.v1.PodSpec"]
    extension = dict(fields(numbered(pod, 31)[0]))
    assert extension[1] == b"x-kubernetes-group-version-kind"
    assert json.loads(dict(fields(extension[2]))[2]) == [{"group": "", "version": "v1", "kind": "Pod"}]


def test_old_kubectls_find_that_the_server_checks_fields():
    (paths,) = numbered(swagger.as_protobuf(), 8)
    (patch,) = numbered(named(paths, 2)["/api/v1/namespaces/{namespace}/pods/{name}"], 8)
    names = {numbered(inside(each, 1, 2, 3), 4)[0].decode() for each in numbered(patch, 8) if inside(each, 1, 2, 3)}
    assert {"fieldValidation", "dryRun"} <= names


def test_every_pointer_of_v2_points_to_something_in_it():
    document = swagger.build()
    pointers = {each["$ref"] for each in walk(document) if isinstance(each, dict) and isinstance(each.get("$ref"), str)}
    assert pointers and {each.removeprefix("#/definitions/") for each in pointers} <= set(document["definitions"])
    assert not any("allOf" in each or "oneOf" in each for each in walk(document) if isinstance(each, dict))
