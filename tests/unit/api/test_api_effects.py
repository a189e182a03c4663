"""Nothing is silently accepted and ignored: what a field without effect is told, and that no field is forgotten."""

import re
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
import yaml

from minik8s.api import codec, defaults, effects, kinds
from minik8s.api.apps import DaemonSetSpec, Deployment, DeploymentSpec, StatefulSetSpec
from minik8s.api.batch import JobSpec
from minik8s.api.core import ConfigMap, NodeSpec, Secret, ServiceAccount, ServiceSpec
from minik8s.api.discovery import Endpoint, EndpointSlice
from minik8s.api.networking import IngressClassSpec, IngressSpec
from minik8s.api.pods import Pod, PodSpec
from minik8s.api.policy import PodDisruptionBudgetSpec

PACKAGE = Path(effects.__file__).parents[1]
POD = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}"
SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {%s}}"
ONE = "containers: [{name: c, image: i, %s}]"


def read(text):
    value = yaml.safe_load(text)
    return codec.from_dict(kinds.by_kind(value["apiVersion"], value["kind"]), value)


def told(text):
    return [each.partition(":")[0] for each in effects.without_effect(read(text))]


TOLD = [
    (POD % (ONE % "terminationMessagePath: /x, terminationMessagePolicy: FallbackToLogsOnError"),
     ["spec.containers[0].terminationMessagePath", "spec.containers[0].terminationMessagePolicy"]),
    (POD % (ONE % "terminationMessagePath: /tmp/x"), ["spec.containers[0].terminationMessagePath"]),
    (POD % (ONE % "ports: [{containerPort: 80, hostPort: 80}]"), []),
    (POD % ("hostNetwork: true, " + ONE % "ports: [{containerPort: 80, hostPort: 80}]"), []),
    (POD % (ONE % "securityContext: {runAsGroup: 5}"), ["spec.containers[0].securityContext.runAsGroup"]),
    (POD % ("securityContext: {runAsUser: 4}, " + ONE % "securityContext: {runAsGroup: 5}"), []),
    (POD % ("priority: 7, preemptionPolicy: PreemptLowerPriority, " + ONE % ""),
     ["spec.priority", "spec.preemptionPolicy"]),
    (POD % ("serviceAccountName: robot, automountServiceAccountToken: true, " + ONE % ""), []),
    (POD % ("volumes: [{name: v, emptyDir: {medium: Memory, sizeLimit: 1Mi}}], " + ONE % ""),
     ["spec.volumes[0].emptyDir.medium", "spec.volumes[0].emptyDir.sizeLimit"]),
    (POD % ("affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a}]}}, "
            + ONE % ""), ["spec.affinity.podAntiAffinity"]),
    ("{apiVersion: v1, kind: Pod, metadata: {name: w, annotations: {minik8s.io/proxy: sidecar}},"
     " spec: {hostNetwork: true}}", ["metadata.annotations[minik8s.io/proxy]"]),
    ("{apiVersion: v1, kind: Pod, metadata: {name: w, annotations: {minik8s.io/proxy: nftables}},"
     " spec: {hostNetwork: true}}", []),
    ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: w}, spec: {template: {spec: {priority: 1}}}}",
     ["spec.template.spec.priority"]),
    ("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: w}, spec: {volumeClaimTemplates: [{}],"
     " persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}}}",
     ["spec.volumeClaimTemplates", "spec.persistentVolumeClaimRetentionPolicy"]),
    ("{apiVersion: batch/v1, kind: Job, metadata: {name: w}, spec: {podFailurePolicy: {}, backoffLimitPerIndex: 1,"
     " template: {spec: {priority: 1}}}}",
     ["spec.podFailurePolicy", "spec.backoffLimitPerIndex", "spec.template.spec.priority"]),
    (SERVICE % "type: LoadBalancer, loadBalancerIP: 1.1.1.1, loadBalancerSourceRanges: [10.0.0.0/8]",
     []),
    (SERVICE % "type: NodePort, loadBalancerIP: 1.1.1.1", ["spec.loadBalancerIP"]),
    (SERVICE % "type: LoadBalancer, loadBalancerClass: a/b", ["spec.loadBalancerClass"]),
    (SERVICE % "type: LoadBalancer, loadBalancerClass: minik8s.io/lan", []),
    (SERVICE % "type: NodePort, externalIPs: [1.1.1.1], ports: [{port: 1, protocol: SCTP}]",
     ["spec.ports[0].protocol"]),
    (SERVICE % "externalName: example.org", ["spec.externalName"]),
    (SERVICE % "externalName: example.org, type: ExternalName", []),
    (SERVICE % "trafficDistribution: PreferClose", ["spec.trafficDistribution"]),
    (SERVICE % "trafficDistribution: PreferSameNode, ports: [{port: 1, protocol: UDP}]", []),
    ("{apiVersion: v1, kind: Endpoints, metadata: {name: w}, subsets: [{addresses: [{ip: 1.1.1.1}]}]}", []),
    ("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: w}, addressType: FQDN}",
     ["addressType"]),
    ("{apiVersion: v1, kind: Node, metadata: {name: n}, spec: {taints: [{key: a, effect: PreferNoSchedule}]}}",
     ["spec.taints[0].effect"]),
    (POD % ("hostUsers: false, hostPID: true, os: {name: windows}, " + ONE % ""),
     ["spec.hostUsers", "spec.hostPID", "spec.os.name"]),
    (POD % ("os: {name: linux}, securityContext: {seccompProfile: {type: RuntimeDefault}, fsGroup: 5}, "
            + ONE % "securityContext: {privileged: true, seccompProfile: {type: Unconfined}, procMount: Default}"),
     ["spec.containers[0].securityContext.seccompProfile.type"]),
    (POD % (ONE % "livenessProbe: {grpc: {port: 1}}, resources: {claims: [{name: a}]}"),
     ["spec.containers[0].livenessProbe.grpc", "spec.containers[0].resources.claims"]),
    (POD % ("volumes: [{name: v, hostPath: {path: /x}}, {name: w, nfs: {server: a, path: b}}, {name: x, rbd: {a: b}}], "
            + ONE % ""), ["spec.volumes[1].nfs", "spec.volumes[2].rbd"]),
    ("{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}, imagePullSecrets: [{name: s}]}",
     ["imagePullSecrets"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), TOLD)
def test_a_field_without_effect_is_told_by_its_path(text, fields):
    assert sorted(told(text)) == sorted(fields)


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "StatefulSet", "DaemonSet", "Service"])
def test_a_field_that_the_server_fills_in_is_never_told(kind):
    template = "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [%s]}}"
    spec = {
        "Pod": "containers: [{name: c, image: i, ports: [{containerPort: 80}]}], hostNetwork: true",
        "Deployment": template % "{name: c, image: i}",
        "DaemonSet": template % "{name: c, image: i}",
        "StatefulSet": template % "{name: c, image: i}",
        "Service": "type: NodePort, ports: [{port: 80}], sessionAffinity: ClientIP",
    }[kind]
    version = "apps/v1" if kind in ("Deployment", "StatefulSet", "DaemonSet") else "v1"
    obj = read(f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: w}}, spec: {{{spec}}}}}")
    assert effects.without_effect(obj) == []
    defaults.set_defaults(obj)
    assert effects.without_effect(obj) == []


# --- No field is forgotten --------------------------------------------------------------------------------------------

WHAT_IS_WANTED = (
    IngressSpec,
    IngressClassSpec,
    PodSpec,
    ServiceSpec,
    DeploymentSpec,
    StatefulSetSpec,
    DaemonSetSpec,
    JobSpec,
    PodDisruptionBudgetSpec,
    NodeSpec,
    ServiceAccount,
    Endpoint,
    EndpointSlice,
    Pod,
)
OBJECTS = {"apiVersion", "kind", "metadata", "status"}
# Fields that say something to people or to other programs, and are kept and shown for that.
INFORMATION = {"Taint.timeAdded"}
# Told where false asks for something.
TOLD_OTHERWISE = {"PodSpec.hostUsers"}


TOLD_FIELDS = {(cls, each.field) for cls, idle in effects.TABLE.items() for each in idle}


def structs(cls, found=None):
    """A type and all types below it, but for what is below a field without effect."""
    found = {} if found is None else found
    if isinstance(cls, type) and issubclass(cls, msgspec.Struct) and cls not in found:
        found[cls] = get_type_hints(cls)
        for name, hint in found[cls].items():
            if name not in OBJECTS and name != "resource" and (cls, name) not in TOLD_FIELDS:
                structs(hint, found)
    for inner in get_args(cls):
        structs(inner, found)
    return found


@cache
def components():
    """The text of everything that acts."""
    folders = ("ingress", "agent", "apiserver", "controllers", "dns", "proxy", "scheduler", "client")
    files = [file for folder in folders for file in sorted((PACKAGE / folder).rglob("*.py"))]
    # Questions that several components ask stand below them.
    files += [PACKAGE / "api" / name for name in ("eligibility.py", "selectors.py")]
    return "\n".join(file.read_text() for file in files)


def told_below(cls, name):
    """Every field of the type that this field holds is told to be without effect, unless it asks for what is done."""
    inner = [each for each in structs(get_type_hints(cls)[name]) if each in effects.TABLE]
    return bool(inner) and all((each, field) in TOLD_FIELDS for each in inner for field in each.__struct_fields__)


def acted_on(name):
    return re.search(rf"\.{name}\b|\"{name}\"", components()) is not None


def fields():
    for root in WHAT_IS_WANTED:
        for cls in structs(root):
            for field in msgspec.structs.fields(cls):
                yield cls, field.name


def test_every_field_is_acted_on_by_a_component_or_told_to_be_without_effect():
    forgotten = {
        f"{cls.__name__}.{name}"
        for cls, name in fields()
        if (cls, name) not in TOLD_FIELDS and name not in OBJECTS and not acted_on(name) and not told_below(cls, name)
    }
    assert forgotten - INFORMATION - TOLD_OTHERWISE == set()


def test_the_table_names_only_fields_that_are_there():
    for cls, idle in effects.TABLE.items():
        assert {each.field for each in idle} <= set(cls.__struct_fields__), cls


def test_small_kinds_have_nothing_to_tell():
    for cls in (ConfigMap, Secret, Deployment):
        assert effects.without_effect(cls()) == []
