"""How far the rollout of a Deployment, StatefulSet or DaemonSet is, in kubectl's words. Pure."""

from typing import Any

from minik8s.api.apps import DaemonSet, Deployment, StatefulSet
from minik8s.api.meta import Object
from minik8s.api.pods import condition


def progress(obj: Any) -> tuple[str, bool]:
    """(what to say, whether it is over)."""
    return ROLLED[type(obj)](obj)


def _deployment(deployment: Deployment) -> tuple[str, bool]:
    name, status = deployment.metadata.name, deployment.status
    wanted = 1 if deployment.spec.replicas is None else deployment.spec.replicas
    if status.observedGeneration < deployment.metadata.generation:
        return "Waiting for deployment spec update to be observed...", False
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    failed = condition(status.conditions, "Progressing")
    if failed is not None and failed.reason == "ProgressDeadlineExceeded":
        return f'error: deployment "{name}" exceeded its progress deadline', True
    if status.updatedReplicas < wanted:
        return f"{waiting}{status.updatedReplicas} out of {wanted} new replicas have been updated...", False
    if status.replicas > status.updatedReplicas:
        return f"{waiting}{status.replicas - status.updatedReplicas} old replicas are pending termination...", False
    if status.availableReplicas < status.updatedReplicas:
        available = f"{status.availableReplicas} of {status.updatedReplicas} updated replicas are available..."
        return waiting + available, False
    return f'deployment "{name}" successfully rolled out', True


def _stateful_set(sts: StatefulSet) -> tuple[str, bool]:
    status, strategy = sts.status, sts.spec.updateStrategy
    wanted = 1 if sts.spec.replicas is None else sts.spec.replicas
    if strategy.type != "RollingUpdate":
        return f"error: rollout status is only available for RollingUpdate strategy type, not {strategy.type}", True
    if status.observedGeneration < sts.metadata.generation:
        return "Waiting for statefulset spec update to be observed...", False
    if status.readyReplicas < wanted:
        return f"Waiting for {wanted - status.readyReplicas} pods to be ready...", False
    kept = (strategy.rollingUpdate.partition or 0) if strategy.rollingUpdate else 0
    if kept:
        changed = max(0, wanted - kept)
        if status.updatedReplicas < changed:
            done = f"{status.updatedReplicas} out of {changed} new pods have been updated..."
            return f"Waiting for partitioned roll out to finish: {done}", False
        return f"partitioned roll out complete: {status.updatedReplicas} new pods have been updated...", True
    if status.updateRevision != status.currentRevision:
        where = f"{status.updatedReplicas} pods at revision {status.updateRevision}..."
        return f"waiting for statefulset rolling update to complete {where}", False
    here = f"{status.currentReplicas} pods at revision {status.currentRevision}..."
    return f"statefulset rolling update complete {here}", True


def _daemon_set(ds: DaemonSet) -> tuple[str, bool]:
    name, status, wanted = ds.metadata.name, ds.status, ds.status.desiredNumberScheduled
    if ds.spec.updateStrategy.type != "RollingUpdate":
        return "error: rollout status is only available for RollingUpdate strategy type", True
    if status.observedGeneration < ds.metadata.generation:
        return "Waiting for daemon set spec update to be observed...", False
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if status.updatedNumberScheduled < wanted:
        return f"{waiting}{status.updatedNumberScheduled} out of {wanted} new pods have been updated...", False
    if status.numberAvailable < wanted:
        return f"{waiting}{status.numberAvailable} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


ROLLED: dict[type[Object], Any] = {Deployment: _deployment, StatefulSet: _stateful_set, DaemonSet: _daemon_set}
