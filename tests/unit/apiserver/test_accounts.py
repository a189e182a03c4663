"""What a new Pod gets from its ServiceAccount."""

import pytest
from memory_store import ask, registry

from minik8s.api import codec
from minik8s.api.core import Namespace, Pod, ServiceAccount
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.verbs import Verbs

MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def verbs():
    made = Verbs(registry())
    made.create(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    return made


def account(verbs, name, **more):
    verbs.create(ask("create", ServiceAccount, body={"metadata": {"name": name}, **more}))


def made(verbs, **spec):
    body = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "main", "image": "x:1"}], **spec}}
    return codec.decode(Pod, verbs.create(ask("create", Pod, body=body)).body)


def mounts(pod):
    everything = [*pod.spec.initContainers, *pod.spec.containers]
    return [[each.mountPath for each in container.volumeMounts] for container in everything]


def test_every_container_finds_the_token_where_clients_look_for_it(verbs):
    pod = made(verbs, initContainers=[{"name": "first", "image": "x:1"}])
    (volume,) = pod.spec.volumes
    assert volume.name.startswith("kube-api-access-")
    token, authority, namespace = volume.projected.sources
    assert (token.serviceAccountToken.path, token.serviceAccountToken.expirationSeconds) == ("token", 3607)
    assert [(each.key, each.path) for each in authority.configMap.items] == [("ca.crt", "ca.crt")]
    assert namespace.downwardAPI.items[0].fieldRef.fieldPath == "metadata.namespace"
    assert mounts(pod) == [[MOUNT], [MOUNT]]
    assert pod.spec.serviceAccountName == pod.spec.serviceAccount == "default"


AUTOMOUNT = [
    # what the Pod says, what its ServiceAccount says, is there a token?
    (None, None, True),
    (None, False, False),
    (None, True, True),
    (False, True, False),
    (True, False, True),
]


@pytest.mark.parametrize("pods, accounts, answer", AUTOMOUNT)
def test_the_pod_has_the_last_word_on_whether_it_gets_a_token(verbs, pods, accounts, answer):
    account(verbs, "robot", **({} if accounts is None else {"automountServiceAccountToken": accounts}))
    spec = {} if pods is None else {"automountServiceAccountToken": pods}
    pod = made(verbs, serviceAccountName="robot", **spec)
    assert bool(pod.spec.volumes) is answer
    assert mounts(pod) == [[MOUNT] if answer else []]


def test_a_container_that_has_something_of_its_own_there_keeps_it(verbs):
    own = {"name": "own", "image": "x:1", "volumeMounts": [{"name": "v", "mountPath": MOUNT + "/"}]}
    pod = made(verbs, containers=[own], volumes=[{"name": "v", "emptyDir": {}}])
    assert [each.name for each in pod.spec.volumes] == ["v"]


def test_a_pod_needs_the_account_it_names_but_default_is_believed_to_come(verbs):
    with pytest.raises(Failure) as refused:
        made(verbs, serviceAccountName="robot")
    assert refused.value.code == 403
    assert str(refused.value) == (
        'pods "web" is forbidden: error looking up service account a/robot: serviceaccount "robot" not found'
    )
    assert made(verbs).spec.volumes
