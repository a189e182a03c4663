"""What the server adds to a new Pod: whose it is, and the token by which it shows that.

Upstream's admission plugin ServiceAccount. Every container finds token, authority and namespace where in-cluster
clients look for them, unless the Pod or its ServiceAccount wants none. Invariant: a Pod's ServiceAccount exists; only
of `default` it is believed that it will in a moment, because the controller makes it for every namespace, and the
node waits for it. Read `tokens.py` for the token, and the agent's `projector.py` for the files.
"""

from minik8s.api import codec
from minik8s.api.containers import Container, ObjectFieldSelector, VolumeMount
from minik8s.api.core import ServiceAccount
from minik8s.api.meta import Object
from minik8s.api.pods import Pod
from minik8s.api.volumes import (
    ConfigMapProjection,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
    KeyToPath,
    ProjectedVolumeSource,
    ServiceAccountTokenProjection,
    Volume,
    VolumeProjection,
)
from minik8s.apiserver import errors
from minik8s.apiserver.registry import Registry, key_of
from minik8s.host import clock

MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME = "kube-api-access-"
AUTHORITY = "kube-root-ca.crt"
TOKEN_SECONDS = 3607  # upstream's odd number, by which one sees that nobody chose it


def admit(registry: Registry, draft: Object) -> None:
    """Complete a new Pod, in place. Any other kind is left alone. Raises a 403 for an account that is not there."""
    if not isinstance(draft, Pod):
        return
    name = draft.spec.serviceAccountName or draft.spec.serviceAccount or "default"
    draft.spec.serviceAccountName = draft.spec.serviceAccount = name
    account = _account(registry, draft, name)
    wanted = draft.spec.automountServiceAccountToken
    if wanted is None and account is not None:
        wanted = account.automountServiceAccountToken
    if wanted is not False:
        _mount(draft)


def _account(registry: Registry, pod: Pod, name: str) -> ServiceAccount | None:
    namespace = pod.metadata.namespace
    cached = registry.cache.get(key_of(ServiceAccount, namespace, name))
    if cached is not None:
        return codec.decode(ServiceAccount, cached)
    stored = registry.read(ServiceAccount, namespace, name)
    if stored is None and name != "default":
        because = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise errors.forbidden(Pod, pod.metadata.name or pod.metadata.generateName, because)
    return codec.decode(ServiceAccount, stored.kv.value) if stored else None


def _mount(pod: Pod) -> None:
    """The volume, and a mount in each container that has nothing of its own there."""
    without = [each for each in (*pod.spec.initContainers, *pod.spec.containers) if not _mounts(each)]
    if not without:
        return
    there = [each.name for each in pod.spec.volumes if each.name.startswith(VOLUME)]
    name = there[0] if there else VOLUME + clock.suffix()
    if not there:
        pod.spec.volumes = [*pod.spec.volumes, Volume(name=name, projected=_sources())]
    for container in without:
        mount = VolumeMount(name=name, mountPath=MOUNT_PATH, readOnly=True)
        container.volumeMounts = [*container.volumeMounts, mount]


def _mounts(container: Container) -> bool:
    return any(each.mountPath.rstrip("/") == MOUNT_PATH for each in container.volumeMounts)


def _sources() -> ProjectedVolumeSource:
    authority = ConfigMapProjection(name=AUTHORITY, items=[KeyToPath(key="ca.crt", path="ca.crt")])
    field = ObjectFieldSelector(apiVersion="v1", fieldPath="metadata.namespace")
    namespace = DownwardAPIProjection(items=[DownwardAPIVolumeFile(path="namespace", fieldRef=field)])
    token = ServiceAccountTokenProjection(path="token", expirationSeconds=TOKEN_SECONDS)
    parts = [
        VolumeProjection(serviceAccountToken=token),
        VolumeProjection(configMap=authority),
        VolumeProjection(downwardAPI=namespace),
    ]
    return ProjectedVolumeSource(sources=parts, defaultMode=0o644)
