"""How far a Deployment's rollout is, in kubectl's words. Pure."""

from minik8s.api.apps import Deployment
from minik8s.api.pods import condition


def progress(deployment: Deployment) -> tuple[str, bool]:
    """(what to say, whether it is over)."""
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
