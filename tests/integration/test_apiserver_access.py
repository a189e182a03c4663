"""Who may do what over TLS, what the audit tells of it, and that the real kubectl finds its way."""

import json
import shutil
import subprocess

import pytest
from support.apiserver import Http, config, pod, service, wait_until

from minik8s.store.etcd import Store
from minik8s.store.find import Pair
from minik8s.store.model import Unavailable

pytestmark = pytest.mark.system
KUBECTL = shutil.which("kubectl")


def test_somebody_unknown_sees_health_and_version_only(api):
    for path in ("/healthz", "/livez", "/readyz", "/version", "/version/"):
        assert api.anonymous.ask("GET", path).status == 200, path
    for path in ("/api", "/apis", "/api/v1", "/api/v1/pods", "/", "/minik8s/audit", "/nowhere"):
        answer = api.anonymous.json("GET", path, code=401)
        assert (answer["kind"], answer["reason"]) == ("Status", "Unauthorized"), path
    api.anonymous.post("/api/v1/namespaces/default/pods", pod("x"), 401)


def test_a_known_user_without_rights_is_told_which_are_missing(api):
    nobody = api.user("mallory")
    answer = nobody.get("/api/v1/namespaces/default/pods", 403)
    assert answer["message"] == (
        'pods is forbidden: User "mallory" cannot list resource "pods" in API group "" in the namespace "default"'
    )
    nobody.get("/minik8s/audit", 403)
    assert nobody.get("/api/v1")["kind"] == "APIResourceList"


def test_a_node_writes_its_own_and_nothing_else(api, namespace):
    node = api.user("system:node:node-1", "system:nodes")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.post(pods, pod("mine", spec={"nodeName": "node-1"}))
    api.admin.post(pods, pod("other", spec={"nodeName": "node-2"}))
    node.post("/api/v1/nodes", {"metadata": {"name": "node-1"}})
    node.merge("/api/v1/nodes/node-1/status", {"status": {"capacity": {"pods": "110"}}})
    node.post("/api/v1/nodes", {"metadata": {"name": "node-2"}}, 403)
    node.merge(f"{pods}/mine/status", {"status": {"phase": "Running"}})
    node.merge(f"{pods}/other/status", {"status": {"phase": "Running"}}, 403)
    node.delete(f"{pods}/other", code=403)
    node.post(pods, pod("new"), 403)
    lease = {"metadata": {"name": "node-1"}, "spec": {"holderIdentity": "node-1"}}
    node.post("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", lease)
    node.delete(f"{pods}/mine?gracePeriodSeconds=0")


def test_a_node_reads_the_secrets_and_settings_of_its_own_pods_only(api, namespace):
    node = api.user("system:node:node-1", "system:nodes")
    path = f"/api/v1/namespaces/{namespace}"
    for name in ("used", "unused"):
        api.admin.post(f"{path}/configmaps", config(name))
        api.admin.post(f"{path}/secrets", {"metadata": {"name": name}, "stringData": {"a": "b"}})
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "used", "key": "a"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "used", "key": "a"}}},
    ]
    container = {"name": "main", "image": "minik8s/toolbox:1", "env": env}
    api.admin.post(f"{path}/pods", pod("web", spec={"nodeName": "node-1", "containers": [container]}))
    for kind in ("configmaps", "secrets"):
        assert node.get(f"{path}/{kind}/used")["metadata"]["name"] == "used"
        assert "no Pod on node-1 uses it" in node.get(f"{path}/{kind}/unused", 403)["message"]
        node.get(f"{path}/{kind}", 403)
    api.admin.delete(f"{path}/pods/web?gracePeriodSeconds=0")
    node.get(f"{path}/secrets/used", 403)


def test_a_stolen_node_credential_opens_nothing_of_another_node(api, namespace):
    """Node-2's key is stolen: it reads no Secret that only node-1's Pods use, and gets no identity of theirs."""
    thief = api.user("system:node:node-2", "system:nodes")
    path = f"/api/v1/namespaces/{namespace}"
    for name in ("password", "token"):
        api.admin.post(f"{path}/secrets", {"metadata": {"name": name}, "stringData": {"a": "b"}})
    projected = [{"secret": {"name": "token"}}]
    volumes = [{"name": "v", "secret": {"secretName": "password"}}, {"name": "p", "projected": {"sources": projected}}]
    api.admin.post(f"{path}/serviceaccounts", {"metadata": {"name": "bank"}})
    spec = {"nodeName": "node-1", "volumes": volumes, "serviceAccountName": "bank"}
    api.admin.post(f"{path}/pods", pod("vault", spec=spec))
    ask = {"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "vault"}}}
    owner = api.user("system:node:node-1", "system:nodes")
    assert [owner.get(f"{path}/secrets/{name}")["metadata"]["name"] for name in ("password", "token")]
    assert owner.post(f"{path}/serviceaccounts/bank/token", ask)["status"]["token"]
    for name in ("password", "token"):
        assert "no Pod on node-2 uses it" in thief.get(f"{path}/secrets/{name}", 403)["message"]
    thief.get(f"{path}/secrets", 403)
    thief.post(f"{path}/serviceaccounts/bank/token", ask, 403)
    thief.post(f"{path}/serviceaccounts/bank/token", {"spec": {}}, 403)
    thief.merge(f"{path}/pods/vault", {"spec": {"nodeName": "node-2"}}, 403)
    thief.merge(f"{path}/pods/vault/status", {"status": {"phase": "Failed"}}, 403)
    thief.delete(f"{path}/pods/vault", code=403)
    thief.post(f"{path}/pods", pod("bait", spec={**spec, "nodeName": "node-2"}), 403)
    thief.json("GET", f"{path}/secrets/password", code=403, Impersonate_User="system:node:node-1")


def test_the_store_opens_for_the_api_server_alone(api):
    """Not in the clear, and not for those whom the cluster's own authority vouches for."""
    cert, key = api.certificates.client("system:kube-controller-manager")
    for tls in (None, Pair(cert, key, api.etcd.tls.authority)):
        stranger = Store(api.etcd.endpoint, timeout=1.0, tls=tls)
        with pytest.raises(Unavailable):
            stranger.list("/registry/core/secrets/")
        stranger.close()
    server = api.etcd.store()
    assert server.list("/registry/core/namespaces/").items
    server.close()


def test_the_audit_tells_who_wrote_what_and_why(api, namespace):
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    before = int(api.admin.get(path)["metadata"]["resourceVersion"])
    why = {"X_Minik8s_Because": "two are missing", "X_Minik8s_From": "pods/a/web-1@12,replicasets/a/web@9"}
    made = api.admin.post(path, config("one"), **why, User_Agent="minik8s-test")
    api.admin.post(path, config("one"), 409)
    text = api.admin.ask("GET", f"/minik8s/audit?since={before}").data.decode()
    lines = [line for line in map(json.loads, text.splitlines()) if line["namespace"] == namespace]
    assert [line["code"] for line in lines] == [201, 409]
    line = lines[0]
    assert line["revision"] == int(made["metadata"]["resourceVersion"])
    assert (line["verb"], line["user"], line["agent"]) == ("create", "kubernetes-admin", "minik8s-test")
    assert (line["resource"], line["name"], line["because"]) == ("configmaps", "one", "two are missing")
    assert line["from"] == ["pods/a/web-1@12", "replicasets/a/web@9"]
    assert api.admin.get(f"/minik8s/audit?since={'x'}", 400)["reason"] == "BadRequest"


def test_a_service_account_shows_its_token_and_is_forgotten_with_it(api, namespace):
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.admin.post(accounts, {"metadata": {"name": "robot"}})
    before = int(api.admin.get(accounts)["metadata"]["resourceVersion"])
    token = api.admin.post(f"{accounts}/robot/token", {"spec": {"expirationSeconds": 600}})["status"]["token"]
    shown = {"Authorization": f"Bearer {token}"}
    assert api.anonymous.json("GET", "/api/v1", code=200, **shown)["kind"] == "APIResourceList"
    refused = api.anonymous.json("GET", f"/api/v1/namespaces/{namespace}/secrets", code=403, **shown)
    assert f'User "system:serviceaccount:{namespace}:robot" cannot list resource "secrets"' in refused["message"]
    for path in ("/.well-known/openid-configuration", "/openid/v1/jwks"):
        assert api.admin.get(path)
    audit = api.admin.ask("GET", f"/minik8s/audit?since={before - 1}").data.decode()
    lines = [json.loads(line) for line in audit.splitlines()]
    assert ("create", "token", "robot", 201) in [(e["verb"], e["subresource"], e["name"], e["code"]) for e in lines]
    assert token not in audit
    at_other = Http(api.other)
    assert at_other.json("GET", "/api/v1", code=200, **shown)
    api.admin.delete(f"{accounts}/robot")
    for server in (api.anonymous, at_other):
        wait_until(lambda s=server: s.ask("GET", "/version", **shown).status == 401, what="the token is forgotten")
        answer = server.json("GET", "/version", code=401, **shown)
        assert (answer["kind"], answer["reason"]) == ("Status", "Unauthorized")


def test_a_role_counts_as_soon_as_it_is_bound_and_no_longer_than_that(api, namespace):
    """At either server, whichever wrote it: a no is said only after a look at what is newest."""
    jane, at_other = api.user("jane"), Http(api.other, "jane")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    jane.get(pods, 403)
    api.admin.post(f"{rbac}/rolebindings", bound("reader", "Role", "jane"))
    role = {"metadata": {"name": "reader"}, "rules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]}
    api.admin.post(f"{rbac}/roles", role)
    assert at_other.get(pods)["items"] == jane.get(pods)["items"] == []
    jane.get("/api/v1/pods", 403)
    jane.post(f"{rbac}/roles", role, 403)
    api.admin.delete(f"{rbac}/roles/reader")
    for user in (jane, at_other):
        wait_until(lambda u=user: u.ask("GET", pods).status == 403, what="the right is gone")


def test_an_editor_works_in_its_own_namespace_and_gives_nobody_more_than_it_has(api, namespace):
    jane = api.user("jane")
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    api.admin.post(f"{rbac}/rolebindings", bound("jane", "ClusterRole", "jane", role="admin"))
    jane.post(f"/api/v1/namespaces/{namespace}/pods", pod("web"))
    jane.post("/api/v1/namespaces/default/pods", pod("web"), 403)
    jane.post(f"{rbac}/rolebindings", bound("jack", "ClusterRole", "jack", role="view"))
    refused = jane.post(f"{rbac}/rolebindings", bound("more", "ClusterRole", "jack", role="cluster-admin"), 403)
    assert "is attempting to grant RBAC permissions not currently held" in refused["message"]
    assert api.user("jack").get(f"/api/v1/namespaces/{namespace}/pods")["items"]


def bound(name, kind, user, role="reader"):
    """A RoleBinding for a user."""
    ref = {"kind": kind, "name": role, "apiGroup": "rbac.authorization.k8s.io"}
    return {"metadata": {"name": name}, "roleRef": ref, "subjects": [{"kind": "User", "name": user}]}


def test_asking_as_somebody_else_is_asking_with_their_rights(api, namespace):
    pods = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.json("POST", pods, pod("web"), 403, Impersonate_User="jane")
    api.user("jane").json(
        "GET", pods, code=403, Impersonate_User="kubernetes-admin", Impersonate_Group="system:masters"
    )
    lines = [json.loads(line) for line in api.admin.ask("GET", "/minik8s/audit?since=0").data.splitlines()]
    asked = [line for line in lines if line["namespace"] == namespace and line["impersonated"]]
    assert [(line["user"], line["impersonated"], line["code"]) for line in asked] == [("kubernetes-admin", "jane", 403)]


def kubectl_of(api, tmp_path, namespace):
    """The real kubectl as the administrator; its output, or what it said when it failed."""
    config_file = api.server.kubeconfig(tmp_path / "kubeconfig", "kubernetes-admin", "system:masters")

    def run(*words: str) -> str:
        base = [KUBECTL, "--kubeconfig", str(config_file), "--cache-dir", str(tmp_path / "cache"), "-n", namespace]
        done = subprocess.run([*base, *words], capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr

    return run


@pytest.mark.skipif(not KUBECTL, reason="no kubectl on this machine")
def test_the_real_kubectl_asks_what_one_may_do_and_gives_roles(api, namespace, tmp_path):
    kubectl = kubectl_of(api, tmp_path, namespace)
    robot = f"system:serviceaccount:{namespace}:robot"
    assert "yes" in kubectl("auth", "can-i", "delete", "nodes")
    assert kubectl("auth", "can-i", "list", "pods", "--as", robot).startswith("no")
    assert kubectl("create", "serviceaccount", "robot") == "serviceaccount/robot created\n"
    assert "created" in kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods,deployments.apps")
    given = kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:robot")
    assert given == "rolebinding.rbac.authorization.k8s.io/reader created\n"
    assert kubectl("auth", "can-i", "list", "pods", "--as", robot) == "yes\n"
    assert kubectl("auth", "can-i", "delete", "pods", "--as", robot).startswith("no")
    listed = kubectl("auth", "can-i", "--list", "--as", robot)
    assert any(line.split()[0] == "deployments.apps" and "[get list]" in line for line in listed.splitlines()[1:])
    assert "Role/reader" in kubectl("get", "rolebindings")


@pytest.mark.skipif(not KUBECTL, reason="no kubectl on this machine")
def test_the_real_kubectl_applies_reads_changes_and_deletes(api, namespace, tmp_path):
    config_file = api.server.kubeconfig(tmp_path / "kubeconfig", "kubernetes-admin", "system:masters")

    def kubectl(*words: str, given: object = None) -> str:
        base = [KUBECTL, "--kubeconfig", str(config_file), "--cache-dir", str(tmp_path / "cache"), "-n", namespace]
        text = json.dumps(given) if given else None
        done = subprocess.run([*base, *words], input=text, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "deployments" in kubectl("api-resources")
    objects = {"apiVersion": "v1", "kind": "List", "items": [service("web"), pod("web-1"), config("settings", a="1")]}
    applied = kubectl("apply", "--validate=false", "-f", "-", given=objects)
    assert applied.splitlines() == ["service/web created", "pod/web-1 created", "configmap/settings created"]
    assert "unchanged" in kubectl("apply", "--validate=false", "-f", "-", given=objects)
    assert kubectl("get", "svc,po", "-o", "name").split() == ["service/web", "pod/web-1"]
    assert kubectl("get", "svc", "web", "-o", "jsonpath={.spec.clusterIP}").startswith("10.96.")
    assert "labeled" in kubectl("label", "pod/web-1", "app=web")
    assert kubectl("get", "pods", "-l", "app=web", "-o", "name").split() == ["pod/web-1"]
    assert kubectl("get", "pods", "--field-selector", "status.phase=Running", "-o", "name") == ""
    assert 'pod "web-1" deleted' in kubectl("delete", "pod/web-1", "--timeout=10s")
    assert kubectl("get", "pods", "-o", "name") == ""
