"""What the small kinds must keep to: ConfigMap, Secret, Node, Namespace, PodDisruptionBudget."""

import base64

from minik8s.api.autoscaling import HorizontalPodAutoscaler
from minik8s.api.core import ConfigMap, Namespace, Node, Secret
from minik8s.api.policy import PodDisruptionBudget
from minik8s.api.validation.fields import KEY, Problems
from minik8s.api.validation.metadata import check_key
from minik8s.api.validation.workloads import check_selector, check_share

MAX_DATA = 1024 * 1024
EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")


def _check_data(problems: Problems, *fields: tuple[str, dict[str, str]]) -> None:
    seen: set[str] = set()
    for field, data in fields:
        for key in data:
            if not KEY.fullmatch(key) or key in (".", "..") or len(key) > 253:
                problems.invalid(
                    f"{field}[{key}]",
                    key,
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                )
            if key in seen:
                problems.invalid(f"{field}[{key}]", key, "duplicate of a key in another field")
            seen.add(key)
    if sum(len(value) for _, data in fields for value in data.values()) > MAX_DATA:
        problems.too_long(fields[0][0], MAX_DATA)


def check_config_map(problems: Problems, config: ConfigMap) -> None:
    _check_data(problems, ("data", config.data), ("binaryData", config.binaryData))
    _check_base64(problems, "binaryData", config.binaryData)


def check_secret(problems: Problems, secret: Secret) -> None:
    _check_data(problems, ("data", secret.data))
    _check_base64(problems, "data", secret.data)


def _check_base64(problems: Problems, field: str, data: dict[str, str]) -> None:
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            hint = "; `stringData` takes plain text" if field == "data" else ""
            # Not shown: it may be the secret itself.
            problems.invalid(f"{field}[{key}]", "", f"must be base64{hint}")


def check_immutable(problems: Problems, new: ConfigMap | Secret, old: ConfigMap | Secret) -> None:
    if isinstance(new, Secret) and isinstance(old, Secret):
        problems.immutable("type", new.type, old.type)
    if not old.immutable:
        return
    if not new.immutable:
        problems.forbidden("immutable", "field is immutable when `immutable` is set")
    for field in ("data", "binaryData"):
        if getattr(new, field, None) != getattr(old, field, None):
            problems.forbidden(field, "field is immutable when `immutable` is set")


def check_node_update(problems: Problems, new: Node, old: Node) -> None:
    if old.spec.podCIDRs and new.spec.podCIDRs != old.spec.podCIDRs:
        problems.forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    if old.spec.providerID and new.spec.providerID != old.spec.providerID:
        problems.forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid')


def check_node(problems: Problems, node: Node) -> None:
    if node.spec.podCIDR:
        problems.cidr("spec.podCIDR", node.spec.podCIDR)
    for at, cidr in enumerate(node.spec.podCIDRs):
        problems.cidr(f"spec.podCIDRs[{at}]", cidr)
    for at, taint in enumerate(node.spec.taints):
        check_key(problems, f"spec.taints[{at}].key", taint.key)
        problems.one_of(f"spec.taints[{at}].effect", taint.effect, EFFECTS)


def check_namespace(problems: Problems, namespace: Namespace) -> None:
    for at, finalizer in enumerate(namespace.spec.finalizers):
        if finalizer != "kubernetes" and "/" not in finalizer:
            problems.invalid(
                f"spec.finalizers[{at}]",
                finalizer,
                "name is neither a standard finalizer name nor is it fully qualified",
            )


def check_autoscaler(problems: Problems, scaler: HorizontalPodAutoscaler) -> None:
    spec, target = scaler.spec, scaler.spec.scaleTargetRef
    for field in ("kind", "name"):
        if not target or not getattr(target, field):
            problems.required(f"spec.scaleTargetRef.{field}")
    if spec.maxReplicas < 1:
        problems.invalid("spec.maxReplicas", spec.maxReplicas, "must be greater than 0")
    if spec.minReplicas is not None and spec.minReplicas < 1:
        problems.invalid("spec.minReplicas", spec.minReplicas, "must be greater than or equal to 1")
    if spec.minReplicas is not None and spec.maxReplicas < spec.minReplicas:
        problems.invalid("spec.maxReplicas", spec.maxReplicas, "must be greater than or equal to `minReplicas`")
    share = spec.targetCPUUtilizationPercentage
    if share is not None and share < 1:
        problems.invalid("spec.targetCPUUtilizationPercentage", share, "must be greater than 0")


def check_budget(problems: Problems, budget: PodDisruptionBudget) -> None:
    spec = budget.spec
    if spec.minAvailable is not None and spec.maxUnavailable is not None:
        problems.invalid("spec", {}, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        check_share(problems, f"spec.{field}", getattr(spec, field))
        value = getattr(spec, field)
        if isinstance(value, str) and value[:-1].isdecimal() and int(value[:-1]) > 100:
            problems.invalid(f"spec.{field}", value, "must not be greater than 100%")
    if spec.selector is not None:
        check_selector(problems, spec.selector)
    if spec.unhealthyPodEvictionPolicy is not None:
        known = ("AlwaysAllow", "IfHealthyBudget")
        problems.one_of("spec.unhealthyPodEvictionPolicy", spec.unhealthyPodEvictionPolicy, known)
