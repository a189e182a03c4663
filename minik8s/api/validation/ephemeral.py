"""What containers must keep to that are added to a running Pod. Source: Kubernetes' validateEphemeralContainers.

They are guests: they may ask for nothing of the node that the Pod has not got already, and nobody is sent to them. Read
next: containers.py, for what every container must keep to.
"""

from minik8s.api import codec
from minik8s.api.containers import EphemeralContainer
from minik8s.api.pods import Pod
from minik8s.api.validation import containers
from minik8s.api.validation.fields import Problems

NOT_FOR_GUESTS = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources")
_NONE = codec.to_dict(EphemeralContainer(name=""))


def check(problems: Problems, pod: Pod) -> None:
    spec = pod.spec
    volumes = {volume.name for volume in spec.volumes}
    targets = {container.name for container in (*spec.containers, *spec.initContainers)}
    seen = set(targets)
    for at, container in enumerate(spec.ephemeralContainers):
        here = f"spec.ephemeralContainers[{at}]"
        if container.name in seen:
            problems.duplicate(f"{here}.name", container.name)
        seen.add(container.name)
        containers.check(problems, here, container, volumes)
        for field in NOT_FOR_GUESTS:
            if codec.to_dict(container).get(field) != _NONE.get(field):
                problems.forbidden(f"{here}.{field}", "cannot be set for an Ephemeral Container")
        if container.targetContainerName and container.targetContainerName not in targets:
            problems.not_found(f"{here}.targetContainerName", container.targetContainerName)


def check_new(problems: Problems, pod: Pod) -> None:
    if pod.spec.ephemeralContainers:
        problems.forbidden("spec.ephemeralContainers", "cannot be set on create")


def check_update(problems: Problems, new: Pod, old: Pod) -> None:
    """What is there stays as it is."""
    now = {container.name: container for container in new.spec.ephemeralContainers}
    for before in old.spec.ephemeralContainers:
        if now.get(before.name) != before:
            what = "changed" if before.name in now else "removed"
            said = f'existing ephemeral containers "{before.name}" may not be {what}'
            problems.forbidden("spec.ephemeralContainers", said)
