"""Create, read, update, delete over the wire: versions, conflicts, finalizers, graceful deletion, errors as Status."""

import pytest
from support.apiserver import config, pod, service

pytestmark = pytest.mark.system


def test_an_object_is_created_read_changed_and_deleted(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    made = api.admin.post(path, config("one", a="1"))
    assert made["metadata"]["uid"] and made["metadata"]["creationTimestamp"]
    assert api.admin.get(f"{path}/one") == made
    made["data"]["b"] = "2"
    changed = api.admin.put(f"{path}/one", made)
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    patched = api.admin.merge(f"{path}/one", {"data": {"a": None}})
    assert patched["data"] == {"b": "2"}
    gone = api.admin.delete(f"{path}/one")
    assert (gone["status"], gone["details"]["uid"]) == ("Success", made["metadata"]["uid"])
    missing = api.admin.get(f"{path}/one", 404)
    assert (missing["reason"], missing["message"]) == ("NotFound", 'configmaps "one" not found')


def test_a_stale_write_is_refused_and_a_write_of_the_same_changes_nothing(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    first = api.admin.post(path, config("one", a="1"))
    second = api.admin.put(f"{path}/one", {**first, "data": {"a": "2"}})
    stale = api.admin.put(f"{path}/one", {**first, "data": {"a": "3"}}, 409)
    assert stale["reason"] == "Conflict"
    assert stale["message"] == (
        'Operation cannot be fulfilled on configmaps "one": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert api.admin.put(f"{path}/one", second) == second
    assert api.admin.merge(f"{path}/one", {"data": {"a": "2"}}) == second
    stale = api.admin.merge(f"{path}/one", {"metadata": {"resourceVersion": "1"}, "data": {"a": "4"}}, 409)
    assert stale["reason"] == "Conflict"
    del second["metadata"]["resourceVersion"]
    assert api.admin.put(f"{path}/one", {**second, "data": {"a": "5"}})["data"] == {"a": "5"}


def test_a_name_is_given_out_once_and_generated_names_never_collide(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.post(path, pod("web"))
    again = api.admin.post(path, pod("web"), 409)
    assert (again["reason"], again["message"]) == ("AlreadyExists", 'pods "web" already exists')
    bare = pod("", metadata={"generateName": "web-"})
    del bare["metadata"]["name"]
    names = {api.admin.post(path, bare)["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20 and all(name.startswith("web-") and len(name) == 9 for name in names)


def test_a_change_of_what_is_wanted_raises_the_generation_and_a_status_does_not(api, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("x")["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    body = {"metadata": {"name": "web"}, "spec": spec, "status": {"replicas": 9}}
    made = api.admin.post(path, body)
    assert (made["metadata"]["generation"], made["status"].get("replicas", 0)) == (1, 0)
    reported = api.admin.merge(f"{path}/web/status", {"status": {"replicas": 3}, "spec": {"replicas": 7}})
    assert (reported["metadata"]["generation"], reported["status"]["replicas"]) == (1, 3)
    assert reported["spec"]["replicas"] == 1
    changed = api.admin.merge(f"{path}/web", {"spec": {"replicas": 2}, "status": {"replicas": 8}})
    assert (changed["metadata"]["generation"], changed["status"]["replicas"]) == (2, 3)
    # Sent back without its defaults it means the same, so it is the same.
    assert api.admin.put(f"{path}/web", {"metadata": {"name": "web"}, "spec": {**spec, "replicas": 2}}) == changed


def test_scale_is_a_subresource_of_its_own(api, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod("x")["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    made = api.admin.post(path, {"metadata": {"name": "web"}, "spec": spec})
    scale = api.admin.get(f"{path}/web/scale")
    assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["selector"]) == ("Scale", 1, "app=web")
    assert scale["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert api.admin.merge(f"{path}/web/scale", {"spec": {"replicas": 4}})["spec"]["replicas"] == 4
    assert api.admin.get(f"{path}/web")["metadata"]["generation"] == 2
    scale["spec"]["replicas"] = 9
    api.admin.put(f"{path}/web/scale", scale, 409)
    del scale["metadata"]["resourceVersion"]
    assert api.admin.put(f"{path}/web/scale", scale)["spec"]["replicas"] == 9
    api.admin.merge(f"{path}/web/scale", {"spec": {"replicas": -1}}, 422)


def test_a_pod_is_bound_once(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.post(path, pod("web"))
    binding = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "node-1"}}
    assert api.admin.post(f"{path}/web/binding", binding)["status"] == "Success"
    bound = api.admin.get(f"{path}/web")
    assert bound["spec"]["nodeName"] == "node-1"
    assert [(c["type"], c["status"]) for c in bound["status"]["conditions"]] == [("PodScheduled", "True")]
    again = api.admin.post(f"{path}/web/binding", binding, 409)
    assert "already assigned to node" in again["message"]


def test_a_bound_pod_takes_its_leave_and_the_agent_ends_it(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.post(path, pod("web", spec={"nodeName": "node-1"}))
    leaving = api.admin.delete(f"{path}/web")
    assert leaving["kind"] == "Pod" and leaving["metadata"]["deletionGracePeriodSeconds"] == 30
    wrong = {"gracePeriodSeconds": 0, "preconditions": {"uid": "another"}}
    assert "Precondition failed: UID" in api.admin.delete(f"{path}/web", wrong, 409)["message"]
    assert api.admin.delete(f"{path}/web?gracePeriodSeconds=5")["metadata"]["deletionGracePeriodSeconds"] == 5
    right = {"gracePeriodSeconds": 0, "preconditions": {"uid": leaving["metadata"]["uid"]}}
    assert api.admin.delete(f"{path}/web", right)["metadata"]["uid"] == right["preconditions"]["uid"]
    api.admin.get(f"{path}/web", 404)


def test_finalizers_hold_an_object_until_the_last_is_gone(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    body = config("held")
    body["metadata"]["finalizers"] = ["example.org/a", "example.org/b"]
    api.admin.post(path, body)
    assert api.admin.delete(f"{path}/held")["metadata"]["deletionTimestamp"]
    more = {"metadata": {"finalizers": ["example.org/a", "example.org/c"]}}
    assert api.admin.merge(f"{path}/held", more, 422)["reason"] == "Invalid"
    api.admin.merge(f"{path}/held", {"metadata": {"finalizers": ["example.org/b"]}})
    api.admin.get(f"{path}/held")
    api.admin.merge(f"{path}/held", {"metadata": {"finalizers": None}})
    api.admin.get(f"{path}/held", 404)


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_a_policy_leaves_work_for_the_garbage_controller(api, namespace, policy, finalizer):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.admin.post(path, config("owner"))
    assert api.admin.delete(f"{path}/owner", {"propagationPolicy": policy})["metadata"]["finalizers"] == [finalizer]


def test_a_namespace_takes_nothing_more_once_it_is_going(api, namespace):
    assert api.admin.get(f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Active"
    assert api.admin.delete(f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Terminating"
    refused = api.admin.post(f"/api/v1/namespaces/{namespace}/configmaps", config("late"), 403)
    assert "because it is being terminated" in refused["message"]
    left = api.admin.get(f"/api/v1/namespaces/{namespace}")
    api.admin.put(f"/api/v1/namespaces/{namespace}/finalize", {**left, "spec": {"finalizers": []}})
    api.admin.get(f"/api/v1/namespaces/{namespace}", 404)
    assert api.admin.post("/api/v1/namespaces/nowhere/configmaps", config("x"), 404)["details"]["kind"] == "namespaces"
    assert api.admin.delete("/api/v1/namespaces/kube-system", code=403)["reason"] == "Forbidden"


def test_selectors_choose_and_an_unknown_field_is_refused(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    for name, node, tier in (("a", "node-1", "front"), ("b", "node-2", "back"), ("c", "node-2", "front")):
        api.admin.post(path, pod(name, metadata={"labels": {"tier": tier}}, spec={"nodeName": node}))

    def names(query):
        return [item["metadata"]["name"] for item in api.admin.get(f"{path}?{query}")["items"]]

    assert names("labelSelector=tier%3Dfront") == ["a", "c"]
    assert names("labelSelector=tier+notin+(front)") == ["b"]
    assert names("fieldSelector=spec.nodeName%3Dnode-2") == ["b", "c"]
    assert names("fieldSelector=spec.nodeName!%3Dnode-2,metadata.name%3Da") == ["a"]
    assert names("fieldSelector=status.phase%3DPending&labelSelector=tier%3Dback") == ["b"]
    refused = api.admin.get(f"{path}?fieldSelector=spec.bogus%3Dx", 400)
    assert "field label not supported" in refused["message"]
    assert api.admin.get(f"{path}?labelSelector=%3D%3D", 400)["reason"] == "BadRequest"


def test_a_collection_is_deleted_by_selector(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name, kind in (("a", "x"), ("b", "y"), ("c", "x")):
        body = config(name)
        body["metadata"]["labels"] = {"kind": kind}
        api.admin.post(path, body)
    gone = api.admin.delete(f"{path}?labelSelector=kind%3Dx")
    assert [item["metadata"]["name"] for item in gone["items"]] == ["a", "c"]
    assert [item["metadata"]["name"] for item in api.admin.get(path)["items"]] == ["b"]


def test_pages_show_one_moment(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(5):
        api.admin.post(path, config(f"c{number}"))
    first = api.admin.get(f"{path}?limit=2")
    assert first["metadata"]["remainingItemCount"] == 3
    api.admin.delete(f"{path}/c3")
    api.admin.post(path, config("c9"))
    second = api.admin.get(f"{path}?limit=2&continue={first['metadata']['continue']}")
    third = api.admin.get(f"{path}?limit=2&continue={second['metadata']['continue']}")
    names = [item["metadata"]["name"] for page in (first, second, third) for item in page["items"]]
    assert names == ["c0", "c1", "c2", "c3", "c4"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert api.admin.get(f"{path}?limit=2&continue=nonsense", 400)["reason"] == "BadRequest"


def test_a_list_whose_moment_is_forgotten_is_expired_and_can_go_on_in_the_present(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(4):
        api.admin.post(path, config(f"c{number}"))
    first = api.admin.get(f"{path}?limit=2")
    api.admin.delete(f"{path}/c2")
    store = api.etcd.store()
    store.compact(store.revision())
    store.close()
    gone = api.admin.get(f"{path}?limit=2&continue={first['metadata']['continue']}", 410)
    assert gone["reason"] == "Expired" and gone["message"].startswith("The provided continue parameter is too old")
    rest = api.admin.get(f"{path}?continue={gone['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c3"]
    exact = f"{path}?resourceVersionMatch=Exact&resourceVersion={first['metadata']['resourceVersion']}"
    assert api.admin.get(exact, 410)["message"] == "The resourceVersion for the provided list is too old."


def test_a_table_goes_through_get_list_watch_and_a_write(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    made = api.admin.post(path, config("a", k="v"), **accept)
    api.admin.post(path, config("b"))
    one = api.admin.json("GET", f"{path}/a", code=200, **accept)
    many = api.admin.json("GET", f"{path}?limit=1", code=200, **accept)
    for table in (made, one, many):
        assert table["kind"] == "Table" and table["rows"][0]["cells"][:2] == ["a", 1]
        assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert many["metadata"]["resourceVersion"] and "continue" in many["metadata"]
    refused = api.admin.json("GET", path, code=406, Accept="text/html")
    assert (refused["kind"], refused["reason"]) == ("Status", "NotAcceptable")


def test_a_head_is_that_of_the_answer_even_where_a_watch_is_asked_for(api):
    for path in ("/api/v1/pods", "/api/v1/pods?watch=true", "/api/v1/namespaces/default"):
        answer = api.admin.ask("HEAD", path)
        assert (answer.status, answer.data) == (200, b"") and int(answer.headers["Content-Length"]) > 0


def test_a_dry_run_answers_and_stores_nothing(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    assert api.admin.post(f"{path}?dryRun=All", service("web"))["spec"]["clusterIP"]
    api.admin.get(f"{path}/web", 404)


BAD = [
    # what is sent, code, reason, a part of the message
    (b"{", 400, "BadRequest", "not valid JSON"),
    (b"[]", 400, "BadRequest", "must be a JSON object"),
    (b"[" * 100_000, 400, "BadRequest", "not valid JSON"),
    ({"kind": "Pod"}, 400, "BadRequest", "does not match the expected kind"),
    ({"metadata": {"name": "x", "namespace": "other"}}, 400, "BadRequest", "does not match the namespace"),
    ({"metadata": {"name": "x", "resourceVersion": "5"}}, 400, "BadRequest", "should not be set on objects to be"),
    ({"metadata": {"name": "x"}, "spec": {"ports": "none"}}, 400, "BadRequest", "spec.ports"),
    ({"metadata": {"name": "x"}, "spec": {"ports": [{"port": "80"}]}}, 400, "BadRequest", "spec.ports[0].port"),
    ({"metadata": {"name": "x"}, "spec": {"ports": [{}]}}, 422, "Invalid", "spec.ports[0].port: Required value"),
    ({"metadata": {"name": "Web"}, "spec": {"ports": [{"port": 80}]}}, 422, "Invalid", "metadata.name"),
    (
        {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 70000, "targetPort": 80}]}},
        422,
        "Invalid",
        'Service "web" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ),
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: str(case[3]))
def test_a_bad_object_is_refused_with_what_is_wrong(api, case):
    body, code, reason, message = case
    answer = api.admin.post("/api/v1/namespaces/default/services", body, code)
    assert (answer["kind"], answer["code"], answer["reason"]) == ("Status", code, reason)
    assert message in answer["message"]


def test_unknown_fields_are_all_named_or_warned_of_or_dropped(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/services"
    body = service("web", bogus=1, sellector={})
    strict = api.admin.post(f"{path}?fieldValidation=Strict", body, 400)
    assert strict["message"] == (
        'Service in version "v1" cannot be handled as a Service: strict decoding error: '
        'unknown field "spec.bogus", unknown field "spec.sellector"'
    )
    warned = api.admin.ask("POST", f"{path}?dryRun=All", body)
    assert warned.status == 201
    assert warned.headers.getlist("Warning") == [
        '299 - "unknown field \\"spec.bogus\\""',
        '299 - "unknown field \\"spec.sellector\\""',
    ]
    ignored = api.admin.ask("POST", f"{path}?fieldValidation=Ignore", body)
    assert ignored.status == 201 and "Warning" not in ignored.headers


def test_every_failure_is_a_status(api):
    http = api.admin
    for method, path, code in (
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nonsense", 404),
        ("PUT", "/api/v1/namespaces/default/pods", 405),
        ("POST", "/api/v1/pods", 405),
        ("OPTIONS", "/api/v1/namespaces/default/pods/x", 405),
        ("PATCH", "/apis/storage.k8s.io/v1/storageclasses/fast", 405),
    ):
        answer = http.json(method, path, code=code)
        assert (answer["kind"], answer["code"]) == ("Status", code), path
    big = http.json("POST", "/api/v1/namespaces/default/configmaps", b"x" * 5_000_000, 413)
    assert big["reason"] == "RequestEntityTooLarge"
    for kind, code, reason in (
        ("application/vnd.kubernetes.protobuf", 400, "BadRequest"),
        ("text/plain", 415, "UnsupportedMediaType"),
    ):
        wrong = http.json("POST", "/api/v1/namespaces/default/pods", b"k8s", code, Content_Type=kind)
        assert wrong["reason"] == reason
    plain = {"Content_Type": "application/json"}
    assert (
        "application/merge-patch+json"
        in http.json("PATCH", "/api/v1/namespaces/default", {"metadata": {}}, 415, **plain)["message"]
    )
