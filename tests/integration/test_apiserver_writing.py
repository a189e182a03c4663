"""Writing as Kubernetes has it: each kind of patch, dry runs, versions as locks, what a write leaves as it is."""

import pytest
from support.apiserver import config, pod

pytestmark = pytest.mark.system
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


def deployment(name="web", **spec):
    container = {"name": "main", "image": "minik8s/toolbox:1"}
    template = {
        "metadata": {"labels": {"app": name}, "creationTimestamp": None},
        "spec": {"containers": [container]},
    }
    given = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": given}


@pytest.fixture
def web(api, namespace):
    """The path of a Deployment."""
    api.admin.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment())
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/web"


def patch(api, path, kind, body, code=200):
    return api.admin.json("PATCH", path, body, code, Content_Type=kind)


def containers(deployment):
    return deployment["spec"]["template"]["spec"]["containers"]


def test_a_strategic_patch_goes_into_lists_and_a_merge_patch_replaces_them(api, web):
    sidecar = {"name": "sidecar", "image": "minik8s/toolbox:1"}
    body = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    merged = patch(api, web, STRATEGIC, body)
    assert [each["name"] for each in containers(merged)] == ["sidecar", "main"], "what is new comes first"
    assert [each["name"] for each in containers(patch(api, web, MERGE, body))] == ["sidecar"]


def test_a_json_patch_is_done_whole_or_not_at_all(api, web):
    change = {"op": "replace", "path": "/spec/replicas", "value": 3}
    failed = patch(api, web, JSON, [change, {"op": "test", "path": "/spec/paused", "value": True}], 422)
    assert failed["reason"] == "Invalid"
    assert failed["message"].endswith("testing value /spec/paused failed")
    assert api.admin.get(web)["spec"]["replicas"] == 1
    assert patch(api, web, JSON, [change])["spec"]["replicas"] == 3


@pytest.mark.parametrize("kind", [STRATEGIC, MERGE, JSON])
def test_a_version_in_a_patch_is_a_lock(api, web, kind):
    def body(version):
        if kind == JSON:
            return [{"op": "replace", "path": "/metadata/resourceVersion", "value": version}]
        return {"metadata": {"resourceVersion": version}}

    now = api.admin.get(web)["metadata"]["resourceVersion"]
    assert patch(api, web, kind, body("1"), 409)["reason"] == "Conflict"
    assert patch(api, web, kind, body(now))["metadata"]["resourceVersion"] == now


def test_a_patch_of_no_known_kind_is_told_which_there_are(api, web):
    refused = patch(api, web, "application/json", {}, 415)
    assert refused["reason"] == "UnsupportedMediaType"
    for kind in (STRATEGIC, MERGE, JSON):
        assert kind in refused["message"]


def test_what_a_patch_makes_is_checked_like_any_other_object(api, web):
    wrong = patch(api, web, STRATEGIC, {"spec": {"replicas": "many"}}, 422)
    assert (wrong["reason"], wrong["details"]["causes"][0]["field"]) == ("Invalid", "patch")
    assert "spec.replicas" in wrong["message"]
    strict = patch(api, web + "?fieldValidation=Strict", STRATEGIC, {"spec": {"bogus": 1}}, 400)
    assert strict["message"].endswith('strict decoding error: unknown field "spec.bogus"')
    invalid = patch(api, web, MERGE, {"spec": {"replicas": -1}}, 422)
    assert invalid["details"]["causes"][0]["field"] == "spec.replicas"


def test_every_kind_of_patch_works_on_status_and_scale(api, web):
    condition = {"type": "Available", "status": "True"}
    patch(api, web + "/status", STRATEGIC, {"status": {"conditions": [condition]}})
    more = patch(api, web + "/status", STRATEGIC, {"status": {"conditions": [{**condition, "type": "Progressing"}]}})
    assert [each["type"] for each in more["status"]["conditions"]] == ["Progressing", "Available"]
    assert more["metadata"]["generation"] == 1
    for replicas, kind in enumerate((STRATEGIC, MERGE), 2):
        made = patch(api, web + "/scale", kind, {"spec": {"replicas": replicas}})
        assert (made["kind"], made["spec"]["replicas"]) == ("Scale", replicas)
    patch(api, web + "/scale", JSON, [{"op": "replace", "path": "/spec/replicas", "value": 0}])
    assert api.admin.get(web)["spec"]["replicas"] == 0
    assert api.admin.get(web)["metadata"]["generation"] == 4


def test_nulls_are_no_values_and_change_nothing(api, namespace, web):
    made = api.admin.get(web)
    assert "creationTimestamp" not in made["spec"]["template"]["metadata"]
    again = api.admin.put(web, deployment())
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    template = {"metadata": {"creationTimestamp": None, "annotations": None}}
    kept = patch(api, web, STRATEGIC, {"spec": {"template": template}})
    assert kept["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_replacement_without_a_version_is_unconditional_and_with_an_old_one_refused(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    first = api.admin.post(path, config("one", a="1"))["metadata"]["resourceVersion"]
    api.admin.put(f"{path}/one", config("one", a="2"))
    stale = config("one", a="3")
    stale["metadata"]["resourceVersion"] = first
    assert api.admin.put(f"{path}/one", stale, 409)["reason"] == "Conflict"
    assert api.admin.get(f"{path}/one")["data"] == {"a": "2"}


def test_a_dry_run_shows_what_would_be_and_stores_nothing(api, web):
    before = api.admin.get(web)
    shown = patch(api, web + "?dryRun=All", STRATEGIC, {"spec": {"replicas": 9}})
    assert (shown["spec"]["replicas"], shown["metadata"]["generation"]) == (9, 2)
    assert api.admin.delete(web + "?dryRun=All")["status"] == "Success"
    refused = patch(api, web + "?dryRun=Some", STRATEGIC, {}, 422)
    assert refused["details"]["causes"][0]["field"] == "dryRun"
    assert api.admin.get(web) == before


# --- server-side apply ------------------------------------------------------------------------------------------------


def apply(api, path, who, body, code=200):
    return api.admin.json("PATCH", f"{path}?fieldManager={who}", body, code, Content_Type=APPLY)


def owners(obj):
    return [
        (each["manager"], each["operation"], each.get("subresource", "")) for each in obj["metadata"]["managedFields"]
    ]


def test_an_apply_creates_changes_and_leaves_alone(api, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    made = apply(api, path, "anna", deployment(), 201)
    assert owners(made) == [("anna", "Apply", "")]
    again = apply(api, path, "anna", deployment())
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    more = apply(api, path, "anna", deployment(replicas=2))
    assert (more["spec"]["replicas"], more["metadata"]["generation"]) == (2, 2)


def test_a_conflict_names_the_owner_and_force_takes_the_field(api, web):
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3}}
    patch(api, web + "?fieldManager=scaler", MERGE, {"spec": {"replicas": 2}})
    refused = apply(api, web, "anna", body, 409)
    assert refused["reason"] == "Conflict"
    assert refused["message"] == ('Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas')
    assert refused["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "scaler" using apps/v1',
            "field": ".spec.replicas",
        }
    ]
    forced = apply(api, web, "anna&force=true", body)
    assert forced["spec"]["replicas"] == 3
    assert "scaler" not in [name for name, _, _ in owners(forced)]


def test_what_an_apply_gives_up_goes_back_to_its_default(api, namespace):
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    apply(api, path, "anna", deployment(replicas=3, revisionHistoryLimit=2), 201)
    without = deployment(replicas=3)
    assert apply(api, path, "anna", without)["spec"]["revisionHistoryLimit"] == 10


def test_an_apply_may_be_yaml_and_must_say_whose_it_is(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps/one"
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n  day: 2020-01-01\n  a: b\n"
    assert apply(api, path, "anna", body, 201)["data"] == {"day": "2020-01-01", "a": "b"}
    nameless = api.admin.json("PATCH", path, body, 422, Content_Type=APPLY)
    assert nameless["details"]["causes"][0]["field"] == "fieldManager"
    for wrong in (b"a: &x [1]\nb: *x", b"[", b"\xff", b"- a", b"kind: ConfigMap"):
        assert apply(api, path, "anna", wrong, 400)["reason"] == "BadRequest"


def test_an_apply_states_known_fields_and_no_managers(api, web):
    body = deployment()
    body["spec"]["bogus"] = 1
    assert ".spec.bogus: field not declared in schema" in apply(api, web, "anna", body, 400)["message"]
    body = deployment()
    body["metadata"]["managedFields"] = []
    assert apply(api, web, "anna", body, 400)["message"] == "metadata.managedFields must be nil"


def test_every_writer_is_written_down_once(api, web):
    api.admin.json(
        "PATCH", web, {"metadata": {"labels": {"a": "1"}}}, 200, Content_Type=MERGE, User_Agent="tool/1.2 (x)"
    )
    condition = {"type": "Available", "status": "True"}
    patch(api, web + "/status?fieldManager=controller", STRATEGIC, {"status": {"conditions": [condition]}})
    patch(api, web + "/scale?fieldManager=scaler", MERGE, {"spec": {"replicas": 4}})
    made = api.admin.get(web)
    assert {("tool", "Update", ""), ("controller", "Update", "status"), ("scaler", "Update", "scale")} <= set(
        owners(made)
    )
    reset = patch(api, web, MERGE, {"metadata": {"managedFields": [{}]}})
    assert "managedFields" not in reset["metadata"]


def test_an_apply_reaches_status_and_scale(api, web):
    condition = {"type": "Available", "status": "True"}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    made = apply(api, web + "/status", "anna", {**body, "status": {"conditions": [condition]}})
    assert made["status"]["conditions"] == [condition]
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 7}}
    assert apply(api, web + "/scale", "anna", scale, 409)["details"]["causes"][0]["field"] == ".spec.replicas"
    assert apply(api, web + "/scale", "anna&force=true", scale)["spec"]["replicas"] == 7


# --- what may not change, and what goes -------------------------------------------------------------------------------


def causes(refused):
    return [(each["field"], each["message"]) for each in refused["details"]["causes"]]


def test_what_cannot_change_is_refused_in_kubernetes_words(api, namespace, web):
    other = {"matchLabels": {"app": "other"}}
    refused = patch(
        api, web, MERGE, {"spec": {"selector": other, "template": {"metadata": {"labels": {"app": "other"}}}}}, 422
    )
    assert causes(refused) == [("spec.selector", 'Invalid value: {"matchLabels":{"app":"other"}}: field is immutable')]
    assert refused["message"].startswith('Deployment.apps "web" is invalid: spec.selector: Invalid value: ')

    pods = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.post(pods, pod("one", spec={"tolerations": [{"key": "a", "operator": "Exists"}]}))
    for change in (
        {"restartPolicy": "Never"},
        {"containers": [{"name": "main", "command": ["true"]}]},
        {"nodeName": "node-1"},
        {"terminationGracePeriodSeconds": 1},
    ):
        ((field, message),) = causes(patch(api, f"{pods}/one", STRATEGIC, {"spec": change}, 422))
        assert field == "spec"
        assert message.startswith(
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
            "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative)"
        )
    more = [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}]
    change = {"containers": [{"name": "main", "image": "minik8s/toolbox:2"}], "tolerations": more}
    made = patch(api, f"{pods}/one", STRATEGIC, {"spec": {**change, "activeDeadlineSeconds": 60}})
    assert made["metadata"]["generation"] == 2
    fewer = patch(api, f"{pods}/one", MERGE, {"spec": {"tolerations": more[1:], "activeDeadlineSeconds": 61}}, 422)
    assert [field for field, _ in causes(fewer)] == ["spec.activeDeadlineSeconds", "spec.tolerations"]


def test_an_immutable_secret_stays_as_it_is(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/secrets"
    api.admin.post(path, {"metadata": {"name": "s"}, "stringData": {"a": "1"}, "immutable": True})
    refused = patch(api, f"{path}/s", MERGE, {"immutable": False, "stringData": {"a": "2"}, "type": "other"}, 422)
    assert causes(refused) == [
        ("type", 'Invalid value: "other": field is immutable'),
        ("immutable", "Forbidden: field is immutable when `immutable` is set"),
        ("data", "Forbidden: field is immutable when `immutable` is set"),
    ]


def test_a_collection_goes_by_selector_and_not_in_a_dry_run(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(4):
        labelled = config(f"c{number}")
        labelled["metadata"]["labels"] = {"odd": str(number % 2)}
        api.admin.post(path, labelled)

    def names():
        return [each["metadata"]["name"] for each in api.admin.get(path)["items"]]

    tried = api.admin.delete(f"{path}?labelSelector=odd%3D1&dryRun=All")
    assert [each["metadata"]["name"] for each in tried["items"]] == ["c1", "c3"]
    assert len(names()) == 4
    refused = api.admin.delete(f"{path}?propagationPolicy=Sideways", code=422)
    assert refused["details"]["causes"][0]["field"] == "propagationPolicy"
    api.admin.delete(f"{path}?labelSelector=odd%3D1&fieldSelector=metadata.name!%3Dc3")
    assert names() == ["c0", "c2", "c3"]
    api.admin.delete(path, {"propagationPolicy": "Foreground"})
    assert all(each["metadata"]["finalizers"] == ["foregroundDeletion"] for each in api.admin.get(path)["items"])


def test_a_deletion_holds_to_its_preconditions(api, web):
    meta = api.admin.get(web)["metadata"]
    wrong = api.admin.delete(web, {"preconditions": {"uid": "other"}}, 409)
    assert wrong["message"] == (
        'Operation cannot be fulfilled on deployments.apps "web": Precondition failed: UID in precondition: other, '
        f"UID in object meta: {meta['uid']}"
    )
    assert api.admin.delete(web, {"preconditions": {"resourceVersion": "1"}}, 409)["reason"] == "Conflict"
    right = {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}
    assert api.admin.delete(web, right)["details"]["uid"] == meta["uid"]
