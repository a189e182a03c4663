"""A program in a Pod speaks to the API server with nothing but what the Pod was given."""

import sys

import pytest

from minik8s.api.pods import Pod, is_ready
from minik8s.host import processes

pytestmark = pytest.mark.system
FILES = "/var/run/secrets/kubernetes.io/serviceaccount"

ROBOT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: writer}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [create, get, list, watch, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: robot-writes}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: writer}
subjects:
- {kind: ServiceAccount, name: robot, namespace: NAMESPACE}
---
apiVersion: v1
kind: Pod
metadata: {name: robot}
spec:
  serviceAccountName: robot
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "minik8s/toolbox:1", command: [sleep, infinity]}
"""

# What anybody would write; `config.load_incluster_config` finds everything else.
PROGRAM = f"""
from kubernetes import client, config
config.load_incluster_config()
namespace = open("{FILES}/namespace").read()
v1 = client.CoreV1Api()
v1.create_namespaced_config_map(namespace, {{"metadata": {{"name": "made-inside"}}, "data": {{"a": "b"}}}})
v1.patch_namespaced_config_map("made-inside", namespace, {{"data": {{"a": "c"}}}})
print(v1.read_namespaced_config_map("made-inside", namespace).data["a"])
try:
    v1.list_namespaced_secret(namespace)
except client.ApiException as refused:
    print(refused.status)
me = client.AuthenticationV1Api().create_self_subject_review({{}})
print(me.status.user_info.username)
"""


def test_the_official_client_works_from_a_pod_unchanged(cluster, space):
    space.apply(ROBOT.replace("NAMESPACE", space.name))
    (pod,) = space.wait(Pod, lambda pods: pods and all(map(is_ready, pods.values()))).values()
    done = in_pod(cluster, pod, [sys.executable, "-c", PROGRAM])
    assert done.stdout.split("\n") == ["c", "403", f"system:serviceaccount:{space.name}:robot", ""]
    (made,) = [each for each in cluster.audit() if each["name"] == "made-inside" and each["verb"] == "create"]
    assert made["user"] == f"system:serviceaccount:{space.name}:robot"


def test_a_pod_reaches_the_api_server_by_name_and_knows_it(cluster, space):
    space.apply(ROBOT.replace("NAMESPACE", space.name))
    space.wait(Pod, lambda pods: pods and all(map(is_ready, pods.values())))
    ask = f'curl -sS --cacert {FILES}/ca.crt -H "Authorization: Bearer $(cat {FILES}/token)" '
    for name in ("kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "$KUBERNETES_SERVICE_HOST"):
        assert '"major":"1"' in space("exec", "robot", "--", "sh", "-c", f"{ask} https://{name}/version").stdout
    space("delete", "serviceaccount", "robot")
    refused = space("exec", "robot", "--", "sh", "-c", f"{ask} https://kubernetes.default.svc/version").stdout
    assert '"reason":"Unauthorized"' in refused


def in_pod(cluster, pod, argv):
    """Run a program of this machine in the Pod's network, with the Pod's files and environment where it has them."""
    pid = cluster.main_process(pod)
    (volume,) = [each.name for each in pod.spec.volumes if each.name.startswith("kube-api-access-")]
    files = cluster.where.root / "volumes" / pod.spec.nodeName / pod.metadata.uid / f"volume-{volume}"
    with open(f"/proc/{pid}/environ") as environ:
        given = [each for each in environ.read().split("\0") if each.startswith("KUBERNETES_")]
    script = f'mount -t tmpfs none /run && mkdir -p {FILES} && mount --bind "$0" {FILES} && exec "$@"'
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net", "unshare", "--mount", "sh", "-c", script, str(files)]
    return processes.run(["env", *given, *inside, *argv], timeout=60)
