"""Fields that upstream's schemas call required although our types forgive their absence.

The types are lenient, so that an object of any server decodes; validation demands what an author must write. What the
schema calls required, a client that builds models from it relies on finding in every answer. A field without a default
in its type is required without a line here. Source: the published OpenAPI of Kubernetes 1.33, to which a test compares.
"""

import msgspec

from minik8s.api import (
    apps,
    authentication,
    autoscaling,
    batch,
    containers,
    core,
    discovery,
    networking,
    placement,
    pods,
    rbac,
    volumes,
)
from minik8s.api.meta import Condition

REQUIRED: dict[type[msgspec.Struct], tuple[str, ...]] = {
    Condition: ("lastTransitionTime", "message", "reason"),
    authentication.TokenRequest: ("spec",),
    authentication.TokenRequestSpec: ("audiences",),
    authentication.TokenRequestStatus: ("expirationTimestamp", "token"),
    apps.DeploymentSpec: ("selector", "template"),
    apps.StatefulSetSpec: ("selector", "template"),
    apps.StatefulSetStatus: ("replicas",),
    apps.DaemonSetSpec: ("selector", "template"),
    apps.DaemonSetStatus: (
        "currentNumberScheduled",
        "desiredNumberScheduled",
        "numberMisscheduled",
        "numberReady",
    ),
    apps.ControllerRevision: ("revision",),
    apps.ReplicaSetSpec: ("selector",),
    apps.ReplicaSetStatus: ("replicas",),
    autoscaling.ScaleStatus: ("replicas",),
    batch.JobSpec: ("template",),
    batch.PodFailurePolicy: ("rules",),
    batch.PodFailurePolicyOnExitCodesRequirement: ("values",),
    batch.PodFailurePolicyOnPodConditionsPattern: ("status",),
    batch.SuccessPolicy: ("rules",),
    containers.ContainerStateTerminated: ("exitCode",),
    containers.ContainerStatus: ("image", "imageID", "ready", "restartCount"),
    core.DaemonEndpoint: ("Port",),
    core.Binding: ("target",),
    core.Event: ("involvedObject", "metadata"),
    core.NodeSystemInfo: (
        "architecture",
        "bootID",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "operatingSystem",
        "osImage",
        "systemUUID",
    ),
    core.PortStatus: ("protocol",),
    discovery.Endpoint: ("addresses",),
    discovery.EndpointSlice: ("addressType", "endpoints"),
    networking.HTTPIngressPath: ("backend", "pathType"),
    networking.HTTPIngressRuleValue: ("paths",),
    networking.IPAddressSpec: ("parentRef",),
    networking.IngressServiceBackend: ("name",),
    networking.ParentReference: ("name", "resource"),
    placement.NodeSelector: ("nodeSelectorTerms",),
    pods.HostIP: ("ip",),
    pods.PodIP: ("ip",),
    pods.PodSpec: ("containers",),
    rbac.ClusterRoleBinding: ("roleRef",),
    rbac.PolicyRule: ("verbs",),
    rbac.RoleBinding: ("roleRef",),
    rbac.RoleRef: ("apiGroup",),
    volumes.PersistentVolumeClaimTemplate: ("spec",),
}
