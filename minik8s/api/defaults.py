"""What a field is when the user did not say: Kubernetes' own defaults.

They are the same to the letter, so that `kubectl diff` after `apply` shows nothing. One function for each kind that
has defaults, in the table at the end. Addresses and node ports are not defaults but allocations; they are the API
server's work. Source: the published OpenAPI ("Defaults to …") of Kubernetes 1.33.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from minik8s import params
from minik8s.api import quantity, rbac
from minik8s.api.apps import (
    DaemonSet,
    Deployment,
    ReplicaSet,
    RollingUpdateDaemonSet,
    RollingUpdateDeployment,
    RollingUpdateStatefulSetStrategy,
    StatefulSet,
    StatefulSetPersistentVolumeClaimRetentionPolicy,
)
from minik8s.api.autoscaling import HorizontalPodAutoscaler
from minik8s.api.batch import Job
from minik8s.api.core import ClientIPConfig, Endpoints, Namespace, Secret, Service, SessionAffinityConfig
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object, Quantity
from minik8s.api.pods import Container, HTTPGetAction, Pod, PodSecurityContext, PodSpec, Probe
from minik8s.api.rbac import AnyBinding, ClusterRoleBinding, RoleBinding
from minik8s.api.volumes import Volume

# ClientIP affinity lasts three hours unless told otherwise.
AFFINITY_TIMEOUT_S = 10800
# What `spec.type` values have in common: they get a ClusterIP.
WITH_CLUSTER_IP = ("ClusterIP", "NodePort", "LoadBalancer")


def _probe(probe: Probe) -> None:
    probe.timeoutSeconds = probe.timeoutSeconds or 1
    probe.periodSeconds = probe.periodSeconds or 10
    probe.successThreshold = probe.successThreshold or 1
    probe.failureThreshold = probe.failureThreshold or 3
    _http(probe.httpGet)
    if probe.grpc and probe.grpc.service is None:
        probe.grpc.service = ""  # kubectl describe dereferences it


def _http(action: HTTPGetAction | None) -> None:
    if action:
        action.path = action.path or "/"
        action.scheme = action.scheme or "HTTP"


def _canonical(amounts: dict[str, Quantity]) -> None:
    """Quantities as they are stored; what is none is left for validation to name."""
    for name, amount in amounts.items():
        try:
            amounts[name] = quantity.canonical(amount)
        except ValueError:
            continue


def _container(container: Container) -> None:
    _canonical(container.resources.limits)
    _canonical(container.resources.requests)
    _, _, tag = container.image.rpartition("/")[2].partition(":")
    latest = tag == "latest" or (not tag and "@" not in container.image)
    container.imagePullPolicy = container.imagePullPolicy or ("Always" if latest else "IfNotPresent")
    container.terminationMessagePath = container.terminationMessagePath or "/dev/termination-log"
    container.terminationMessagePolicy = container.terminationMessagePolicy or "File"
    for probe in (container.livenessProbe, container.readinessProbe, container.startupProbe):
        if probe:
            _probe(probe)
    for moment in ("preStop", "postStart"):
        handler = getattr(container.lifecycle, moment, None)
        _http(handler.httpGet if handler else None)
    for each in container.env:
        field = each.valueFrom.fieldRef if each.valueFrom else None
        if field:
            field.apiVersion = field.apiVersion or "v1"


def pod_spec(spec: PodSpec) -> None:
    """Defaults of a Pod's spec, in a Pod and in a template alike."""
    spec.restartPolicy = spec.restartPolicy or "Always"
    spec.dnsPolicy = spec.dnsPolicy or "ClusterFirst"
    spec.schedulerName = spec.schedulerName or "default-scheduler"
    if spec.terminationGracePeriodSeconds is None:
        spec.terminationGracePeriodSeconds = params.TERMINATION_GRACE_PERIOD_S
    # kubectl debug dereferences it, so it is always there.
    spec.securityContext = spec.securityContext or PodSecurityContext()
    # One field with two names; the shorter is the older one.
    spec.serviceAccountName = spec.serviceAccount = spec.serviceAccountName or spec.serviceAccount
    for container in (*spec.initContainers, *spec.containers, *spec.ephemeralContainers):
        _container(container)
    for volume in spec.volumes:
        _volume(volume)


def _volume(volume: Volume) -> None:
    for source in (volume.configMap, volume.secret, volume.downwardAPI, volume.projected):
        if source and source.defaultMode is None:
            source.defaultMode = 0o644
    parts = volume.projected.sources if volume.projected else []
    for part in parts:
        if part.serviceAccountToken and part.serviceAccountToken.expirationSeconds is None:
            part.serviceAccountToken.expirationSeconds = 3600
    for fields in (volume.downwardAPI, *(part.downwardAPI for part in parts)):
        for item in fields.items if fields else []:
            if item.fieldRef:
                item.fieldRef.apiVersion = item.fieldRef.apiVersion or "v1"


def _pod(pod: Pod) -> None:
    """What a Pod has beside that, and a template has not: its Pods get it when they are made."""
    pod_spec(pod.spec)
    spec = pod.spec
    spec.serviceAccountName = spec.serviceAccount = spec.serviceAccountName or "default"
    if spec.enableServiceLinks is None:
        spec.enableServiceLinks = True
    if spec.priority is None:
        spec.priority = 0
    spec.preemptionPolicy = spec.preemptionPolicy or "PreemptLowerPriority"
    for container in (*spec.initContainers, *spec.containers):
        for port in container.ports if spec.hostNetwork else ():
            port.hostPort = port.hostPort or port.containerPort
        # What is limited is also what is asked for, unless said otherwise.
        for name, limit in container.resources.limits.items():
            container.resources.requests.setdefault(name, limit)
    pod.status.phase = pod.status.phase or "Pending"
    pod.status.qosClass = pod.status.qosClass or _qos(spec)


def _qos(spec: PodSpec) -> str:
    """Guaranteed: limits equal requests for both, everywhere. BestEffort: none anywhere. Else Burstable."""
    everywhere = [container.resources for container in (*spec.initContainers, *spec.containers)]
    if not any(each.limits or each.requests for each in everywhere):
        return "BestEffort"
    full = all({"cpu", "memory"} <= each.limits.keys() and each.limits == each.requests for each in everywhere)
    return "Guaranteed" if full else "Burstable"


def _replica_set(rs: ReplicaSet) -> None:
    if rs.spec.replicas is None:
        rs.spec.replicas = 1
    pod_spec(rs.spec.template.spec)


def _deployment(deployment: Deployment) -> None:
    spec = deployment.spec
    if spec.replicas is None:
        spec.replicas = 1
    if spec.revisionHistoryLimit is None:
        spec.revisionHistoryLimit = 10
    if spec.progressDeadlineSeconds is None:
        spec.progressDeadlineSeconds = 600
    spec.strategy.type = spec.strategy.type or "RollingUpdate"
    if spec.strategy.type == "RollingUpdate":
        rolling = spec.strategy.rollingUpdate = spec.strategy.rollingUpdate or RollingUpdateDeployment()
        if rolling.maxUnavailable is None:
            rolling.maxUnavailable = "25%"
        if rolling.maxSurge is None:
            rolling.maxSurge = "25%"
    pod_spec(spec.template.spec)


def _stateful_set(sts: StatefulSet) -> None:
    spec = sts.spec
    if spec.replicas is None:
        spec.replicas = 1
    if spec.revisionHistoryLimit is None:
        spec.revisionHistoryLimit = 10
    spec.podManagementPolicy = spec.podManagementPolicy or "OrderedReady"
    spec.updateStrategy.type = spec.updateStrategy.type or "RollingUpdate"
    if spec.updateStrategy.type == "RollingUpdate":
        rolling = spec.updateStrategy.rollingUpdate = (
            spec.updateStrategy.rollingUpdate or RollingUpdateStatefulSetStrategy()
        )
        if rolling.partition is None:
            rolling.partition = 0
    kept = spec.persistentVolumeClaimRetentionPolicy = (
        spec.persistentVolumeClaimRetentionPolicy or StatefulSetPersistentVolumeClaimRetentionPolicy()
    )
    kept.whenDeleted, kept.whenScaled = kept.whenDeleted or "Retain", kept.whenScaled or "Retain"
    for claim in spec.volumeClaimTemplates:
        claim.apiVersion, claim.kind = claim.apiVersion or "v1", claim.kind or "PersistentVolumeClaim"
        _canonical(claim.spec.resources.requests)
        claim.spec.volumeMode = claim.spec.volumeMode or "Filesystem"
        claim.status.phase = claim.status.phase or "Pending"
    pod_spec(spec.template.spec)


def _daemon_set(ds: DaemonSet) -> None:
    spec, strategy = ds.spec, ds.spec.updateStrategy
    if spec.revisionHistoryLimit is None:
        spec.revisionHistoryLimit = 10
    strategy.type = strategy.type or "RollingUpdate"
    if strategy.type == "RollingUpdate":
        rolling = strategy.rollingUpdate = strategy.rollingUpdate or RollingUpdateDaemonSet()
        rolling.maxUnavailable = 1 if rolling.maxUnavailable is None else rolling.maxUnavailable
        rolling.maxSurge = 0 if rolling.maxSurge is None else rolling.maxSurge
    pod_spec(spec.template.spec)


def _job(job: Job) -> None:
    spec = job.spec
    if spec.completions is None and spec.parallelism is None:
        spec.completions = 1
    if spec.parallelism is None:
        spec.parallelism = 1
    if spec.backoffLimit is None:
        # With a limit for each index, failures altogether do not count.
        spec.backoffLimit = 6 if spec.backoffLimitPerIndex is None else 2**31 - 1
    job.metadata.labels = job.metadata.labels or dict(spec.template.metadata.labels)
    spec.completionMode = spec.completionMode or "NonIndexed"
    spec.suspend = bool(spec.suspend)
    spec.podReplacementPolicy = spec.podReplacementPolicy or (
        "Failed" if spec.podFailurePolicy else "TerminatingOrFailed"
    )
    pod_spec(spec.template.spec)


def _service(service: Service) -> None:
    spec = service.spec
    spec.type = spec.type or "ClusterIP"
    spec.sessionAffinity = spec.sessionAffinity or "None"
    if spec.sessionAffinity == "ClientIP":
        _affinity(service)
    elif spec.sessionAffinity == "None":
        spec.sessionAffinityConfig = None
    _ingress(service)
    if spec.type in WITH_CLUSTER_IP and spec.internalTrafficPolicy is None:
        spec.internalTrafficPolicy = "Cluster"
    if spec.type in ("NodePort", "LoadBalancer") or (spec.type == "ClusterIP" and spec.externalIPs):
        spec.externalTrafficPolicy = spec.externalTrafficPolicy or "Cluster"
    if spec.type == "LoadBalancer" and spec.allocateLoadBalancerNodePorts is None:
        spec.allocateLoadBalancerNodePorts = True
    for port in spec.ports:
        port.protocol = port.protocol or "TCP"
        # Not 0: a missing target port means "the same as the Service's own".
        if port.targetPort in (None, "", 0):
            port.targetPort = port.port


def _ingress(service: Service) -> None:
    for given in service.status.loadBalancer.ingress:
        if given.ip and given.ipMode is None:
            given.ipMode = "VIP"


def _affinity(service: Service) -> None:
    config = service.spec.sessionAffinityConfig = service.spec.sessionAffinityConfig or SessionAffinityConfig()
    config.clientIP = config.clientIP or ClientIPConfig()
    if config.clientIP.timeoutSeconds is None:
        config.clientIP.timeoutSeconds = AFFINITY_TIMEOUT_S


def _endpoints(endpoints: Endpoints) -> None:
    for subset in endpoints.subsets:
        for port in subset.ports:
            port.protocol = port.protocol or "TCP"


def _endpoint_slice(each: EndpointSlice) -> None:
    for port in each.ports:
        port.name = port.name or ""
        port.protocol = port.protocol or "TCP"


def _namespace(namespace: Namespace) -> None:
    # Label of KEP-2161: a namespace can be selected by its name.
    if namespace.metadata.name:
        namespace.metadata.labels["kubernetes.io/metadata.name"] = namespace.metadata.name
    namespace.status.phase = namespace.status.phase or "Active"


def _secret(secret: Secret) -> None:

    secret.type = secret.type or "Opaque"
    for name, text in secret.stringData.items():
        secret.data[name] = b64encode(text.encode()).decode()
    secret.stringData = {}


def _binding(binding: AnyBinding) -> None:
    binding.roleRef.apiGroup = binding.roleRef.apiGroup or rbac.GROUP
    for subject in binding.subjects:
        if subject.kind in ("User", "Group"):
            subject.apiGroup = subject.apiGroup or rbac.GROUP


def _autoscaler(scaler: HorizontalPodAutoscaler) -> None:
    if scaler.spec.minReplicas is None:
        scaler.spec.minReplicas = 1


_DEFAULTS: dict[type[Object], Callable[[Any], None]] = {
    Pod: _pod,
    Service: _service,
    Endpoints: _endpoints,
    EndpointSlice: _endpoint_slice,
    ReplicaSet: _replica_set,
    Deployment: _deployment,
    StatefulSet: _stateful_set,
    DaemonSet: _daemon_set,
    Job: _job,
    HorizontalPodAutoscaler: _autoscaler,
    Namespace: _namespace,
    Secret: _secret,
    RoleBinding: _binding,
    ClusterRoleBinding: _binding,
}


def set_defaults(obj: Object) -> None:
    """Fill in, in place, what was left out. Doing it twice changes nothing more."""
    fill = _DEFAULTS.get(type(obj))
    if fill:
        fill(obj)
