"""Fields that are known and do nothing here: what an author is told who sets one. Pure.

Kubernetes' objects are taken as they are written for Kubernetes, so a field is not refused for having no effect; but
silence would be a lie, so the API server answers with a `Warning:` header for each, which kubectl and our own command
line show. Invariant: a field of these types is either acted on by a component or stands in `TABLE` (a test compares
both). What a defaulted field says is what happens anyway, so it warns of nothing: `harmless`.

Read `unknown.py` for fields that are not known at all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from minik8s import params
from minik8s.api.apps import RollingUpdateStatefulSetStrategy, StatefulSetSpec
from minik8s.api.autoscaling import HorizontalPodAutoscalerSpec
from minik8s.api.batch import JobSpec
from minik8s.api.coordination import LeaseSpec
from minik8s.api.core import NodeSpec, Secret, ServiceAccount, ServicePort, ServiceSpec, Taint
from minik8s.api.discovery import Endpoint, EndpointSlice
from minik8s.api.meta import Object
from minik8s.api.networking import IngressBackend, IngressClassSpec, ServiceCIDRSpec
from minik8s.api.pods import (
    MOUNTED,
    SOURCES,
    Affinity,
    AppArmorProfile,
    Container,
    EmptyDirVolumeSource,
    EphemeralContainer,
    HostPathVolumeSource,
    Lifecycle,
    LifecycleHandler,
    NodeAffinity,
    Pod,
    PodOS,
    PodSecurityContext,
    PodSpec,
    PodTemplateSpec,
    Probe,
    ResourceRequirements,
    SeccompProfile,
    SecurityContext,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from minik8s.api.shapes import shapes

NO_CLASS = "nobody of this class is here: EXTERNAL-IP stays <pending>, the node ports work"
NO_ZONES = "endpoints get no zones here; of the preferences only PreferSameNode is followed"
NO_KEPT_TOKEN = "no token is put into it: `kubectl create token` asks for one, and Pods have theirs as files"
NO_RANGE = "Services get addresses of the cluster's own range alone; nodes have no routes to others"
NO_CLAIMS = "no volume outlives its Pod here: each Pod gets an emptyDir of that name"
NO_CLAIMED_DEVICES = "no devices are given to Pods here"
NOT_LOOKED = "nobody looks whether the image runs as root; set runAsUser"
NOT_MOUNTED = "it is not mounted: a container that mounts it waits for ever"
NO_SELINUX = "SELinux labels are left to Docker"
NO_WINDOWS = "there are no Windows nodes"
SCTP = "rules are written for SCTP, but only TCP and UDP are tried"


def always(owner: Any) -> bool:
    """The field never does anything, whatever stands beside it."""
    return True


@dataclass(frozen=True)
class Idle:
    """A field without effect: what happens instead, which values ask for nothing more, and when it is spoken of.

    What is empty, false or 0 asks for nothing.
    """

    field: str
    says: str
    harmless: tuple[Any, ...] = ()
    when: Callable[[Any], bool] = always  # asked with the struct that has the field


def _is(field: str, *values: str) -> Callable[[Any], bool]:
    return lambda owner: getattr(owner, field) in values


def _deletes_claims(spec: StatefulSetSpec) -> bool:
    policy = spec.persistentVolumeClaimRetentionPolicy
    return policy is not None and "Delete" in (policy.whenDeleted, policy.whenScaled)


def _other(spec: ServiceCIDRSpec) -> bool:
    return not {*spec.cidrs} <= {params.SERVICE_CIDR, params.SERVICE_CIDR_V6}


OF_CONTAINERS = (
    Idle("terminationMessagePath", "no message is read from it", ("/dev/termination-log",)),
    Idle("terminationMessagePolicy", "no message is read", ("File",)),
    Idle("resizePolicy", "nothing changes the resources of a container that runs"),
    Idle("restartPolicy", "an init container that goes on running keeps the others from starting"),
    Idle("volumeDevices", "no volume is a device here"),
)
# The struct that has the field → its fields without effect.
TABLE: dict[type[msgspec.Struct], tuple[Idle, ...]] = {
    Container: OF_CONTAINERS,
    EphemeralContainer: OF_CONTAINERS,
    VolumeProjection: (Idle("clusterTrustBundle", "there are no such bundles; its files are not written"),),
    ResourceRequirements: (Idle("claims", NO_CLAIMED_DEVICES),),
    Probe: (Idle("grpc", "only whether its port takes connections is asked"),),
    Lifecycle: (
        Idle("postStart", "nothing is done after the start"),
        Idle("stopSignal", "the image's own signal is sent, or SIGTERM"),
    ),
    LifecycleHandler: (Idle("tcpSocket", "it does nothing in Kubernetes either"),),
    SecurityContext: (
        Idle("runAsNonRoot", NOT_LOOKED),
        Idle("procMount", "/proc is mounted as Docker does it", ("Default",)),
        Idle("seLinuxOptions", NO_SELINUX),
        Idle("windowsOptions", NO_WINDOWS),
    ),
    PodSecurityContext: (
        Idle("runAsNonRoot", NOT_LOOKED),
        Idle("fsGroupChangePolicy", "volumes change no owner: containers join the group"),
        Idle("supplementalGroupsPolicy", "the image's groups always count", ("Merge",)),
        Idle("sysctls", "the Pod's namespaces keep the kernel's defaults"),
        Idle("seLinuxOptions", NO_SELINUX),
        Idle("seLinuxChangePolicy", NO_SELINUX),
        Idle("windowsOptions", NO_WINDOWS),
    ),
    SeccompProfile: (
        Idle("type", "Docker's own profile holds", ("RuntimeDefault",)),
        Idle("localhostProfile", "Docker's own profile holds"),
    ),
    AppArmorProfile: (
        Idle("type", "Docker's own profile holds", ("RuntimeDefault",)),
        Idle("localhostProfile", "Docker's own profile holds"),
    ),
    VolumeMount: (
        Idle("subPathExpr", "the whole volume is mounted; write subPath"),
        Idle("mountPropagation", "mounts made later are not seen on the other side", ("None",)),
        Idle("recursiveReadOnly", "only the mount itself is read-only", ("Disabled", "IfPossible")),
    ),
    HostPathVolumeSource: (
        Idle("type", "nobody looks what is there", when=_is("type", "Socket", "CharDevice", "BlockDevice")),
    ),
    Volume: tuple(Idle(name, NOT_MOUNTED) for name in SOURCES if name not in MOUNTED),
    EmptyDirVolumeSource: (
        Idle("medium", "an emptyDir is a directory on the node's disk, whatever its medium"),
        Idle("sizeLimit", "nobody measures how full it is"),
    ),
    Affinity: (
        Idle("podAffinity", "the scheduler does not look for other Pods' company"),
        Idle("podAntiAffinity", "the scheduler spreads Pods of one kind anyway, but does not insist"),
    ),
    NodeAffinity: (
        Idle("preferredDuringSchedulingIgnoredDuringExecution", "the scheduler goes by what is required alone"),
    ),
    PodSpec: (
        Idle("priority", "all Pods are of the same priority"),
        Idle("preemptionPolicy", "no Pod is ever evicted for another", ("Never",), when=lambda it: bool(it.priority)),
        Idle("priorityClassName", "all Pods are of the same priority"),
        Idle("topologySpreadConstraints", "the scheduler spreads Pods of one kind anyway, but does not insist"),
        Idle("imagePullSecrets", "images are pulled without credentials"),
        Idle("hostPID", "it sees its own processes only"),
        Idle("hostIPC", "it has an IPC namespace of its own"),
        Idle("shareProcessNamespace", "each container sees its own processes only"),
        Idle("runtimeClassName", "all containers are run by Docker"),
        Idle("overhead", "only what containers ask for is counted"),
        Idle("resources", "only what containers ask for is counted"),
        Idle("resourceClaims", NO_CLAIMED_DEVICES),
    ),
    ServiceAccount: (
        Idle("secrets", "Pods get their tokens as files, and may use any Secret of their namespace"),
        Idle("imagePullSecrets", "images are pulled without credentials"),
    ),
    Secret: (Idle("type", NO_KEPT_TOKEN, when=_is("type", "kubernetes.io/service-account-token")),),
    ServiceSpec: (
        Idle("externalName", "only a Service of type ExternalName has one", when=lambda it: it.type != "ExternalName"),
        Idle("loadBalancerIP", "only type LoadBalancer gets an address", when=lambda it: it.type != "LoadBalancer"),
        Idle("loadBalancerClass", NO_CLASS, (params.LOAD_BALANCER_CLASS,)),
        Idle("trafficDistribution", NO_ZONES, ("PreferSameNode",)),
    ),
    ServicePort: (Idle("protocol", SCTP, when=_is("protocol", "SCTP")),),
    EndpointSlice: (Idle("addressType", "only addresses are used, no names", when=_is("addressType", "FQDN")),),
    Endpoint: (
        Idle("zone", "nodes have no zones here"),
        Idle("deprecatedTopology", "it is of an older API; use nodeName and hints"),
    ),
    IngressBackend: (Idle("resource", "only Services are served: requests that come here get 503"),),
    HorizontalPodAutoscalerSpec: (
        Idle("scaleTargetRef", "nobody scales by use here; `kubectl scale` does it by hand"),
    ),
    ServiceCIDRSpec: (
        Idle(
            "cidrs",
            NO_RANGE,
            when=_other,
        ),
    ),
    IngressClassSpec: (Idle("parameters", "nothing is read from them"),),
    StatefulSetSpec: (
        Idle("volumeClaimTemplates", NO_CLAIMS),
        Idle("persistentVolumeClaimRetentionPolicy", NO_CLAIMS, when=_deletes_claims),
    ),
    RollingUpdateStatefulSetStrategy: (Idle("maxUnavailable", "Pods are replaced one at a time", (1,)),),
    JobSpec: (
        Idle("podFailurePolicy", "every Pod that failed counts, however it did"),
        Idle("successPolicy", "the Job is complete when all its completions are reached"),
        Idle("backoffLimitPerIndex", "failures are counted for the Job, not for each index"),
        Idle("maxFailedIndexes", "failures are counted for the Job, not for each index"),
    ),
    PodOS: (Idle("name", "all nodes are Linux", ("linux",)),),
    NodeSpec: (
        Idle("providerID", "there is no cloud to look it up in"),
        Idle("externalID", "nothing reads it any more"),
        Idle("configSource", "nothing reads it any more"),
    ),
    LeaseSpec: (
        Idle("preferredHolder", "leaders are not coordinated: whoever comes first holds it"),
        Idle("strategy", "leaders are not coordinated: whoever comes first holds it"),
    ),
    Taint: (
        Idle("effect", "the scheduler does not prefer other nodes for it", when=_is("effect", "PreferNoSchedule")),
    ),
}


def without_effect(obj: Object) -> list[str]:
    """What to tell the author of this object, in the order of its fields. Ask before defaults are filled in."""
    return [f"{path}: {says}" for path, says in _walk(obj, "")]


def _walk(owner: msgspec.Struct, path: str) -> Iterator[tuple[str, str]]:
    for name, written, told in _telling(type(owner)):
        value = getattr(owner, name)
        if not value:
            continue
        here = f"{path}.{written}" if path else written
        if told and value not in told.harmless and told.when(owner):
            yield here, told.says
        for deeper, inner in _structs(value, here):
            yield from _walk(inner, deeper)
    if isinstance(owner, PodSpec):
        yield from _beside(owner, path)
    if isinstance(owner, Pod | PodTemplateSpec):
        yield from _annotated(owner, path)


@cache
def _telling(cls: type[msgspec.Struct]) -> list[tuple[str, str, Idle | None]]:
    """The fields of a struct that have something to tell, or lead to one: its name, the wire's, and what it tells."""
    idle = {each.field: each for each in TABLE.get(cls, ())}
    names = zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True)
    return [(name, on_wire, idle.get(name)) for name, on_wire in names if name in idle or _leads(cls, on_wire)]


def _leads(cls: type[msgspec.Struct], field: str) -> bool:
    inner = shapes(cls)[field].cls
    return inner is not None and bool(_telling(inner))


def _structs(value: Any, path: str) -> Iterator[tuple[str, msgspec.Struct]]:
    if isinstance(value, msgspec.Struct):
        yield path, value
    elif isinstance(value, list):
        yield from ((f"{path}[{at}]", each) for at, each in enumerate(value) if isinstance(each, msgspec.Struct))


def _annotated(pod: Pod | PodTemplateSpec, path: str) -> Iterable[tuple[str, str]]:
    if pod.spec.hostNetwork and pod.metadata.annotations.get(params.PROXY_ANNOTATION) == "sidecar":
        here = f"{path}.metadata.annotations" if path else "metadata.annotations"
        yield f"{here}[{params.PROXY_ANNOTATION}]", "a Pod in the node's own network has none of its own for a sidecar"


def _beside(spec: PodSpec, path: str) -> Iterable[tuple[str, str]]:
    """Fields whose effect depends on others of the Pod, or that ask for something when they are false."""
    if spec.hostUsers is False:
        yield f"{path}.hostUsers", "there are no user namespaces: root in a container is root on the node"
    for kind, containers in (("initContainers", spec.initContainers), ("containers", spec.containers)):
        for at, container in enumerate(containers):
            here = f"{path}.{kind}[{at}]"
            contexts = [each for each in (spec.securityContext, container.securityContext) if each]
            if any(each.runAsGroup is not None for each in contexts) and all(
                each.runAsUser is None for each in contexts
            ):
                yield f"{here}.securityContext.runAsGroup", "a group counts only beside runAsUser"
