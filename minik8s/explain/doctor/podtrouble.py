"""Why is this Pod not Ready? Pure.

The states are asked in the order in which a Pod comes to life: placed, its image there, its configuration there,
running, probed. The first that stands in the way is the answer.

Read next: ../../agent/status.py, which reports these states.
"""

from minik8s.api import times
from minik8s.api.pods import ContainerStatus, Pod, Probe, condition, is_terminating
from minik8s.explain.doctor.facts import Facts, node_is_ready
from minik8s.explain.doctor.verdict import Evidence, Verdict, red

YOUNG_S = 5.0
TEMPLATE_HASH = "pod-template-hash"  # the label by which Pods of one template are known
IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
CONFIG = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")

# kind → (code, what to do; {pod}, {place}, {container} are filled in)
KINDS: dict[str, tuple[str, str]] = {
    "ending": ("MK-POD-ENDING", "see who deleted it: minik8s history{place} pod/{pod}"),
    "pending": ("MK-POD-PENDING", "mend what the scheduler says: minik8s describe{place} pod/{pod}"),
    "node": ("MK-NODE", "minik8s node heal {node}; minik8s start agent@{node}"),
    "image": ("MK-IMAGE", "name an image that is there: see `Images` in minik8s describe node/{node}"),
    "config": ("MK-CONFIG", "make what it refers to: minik8s describe{place} pod/{pod}"),
    "crash": ("MK-CRASH", "mend what it says before it ends: minik8s logs{place} {pod} -c {container} --previous"),
    "probe": (
        "MK-PROBE",
        "mend the readinessProbe or what it asks: minik8s get{place} {owner} -o yaml",
    ),
    "starting": ("MK-STARTING", "wait a moment, then ask again: minik8s get{place} pods -w"),
}


def verdict(facts: Facts, pod: Pod, said: str) -> Verdict:
    kind, cause = trouble(facts, pod)
    code, mend = KINDS[kind]
    better = better_probe(pod) if kind == "probe" else None
    if better:
        mend = f"minik8s get{{place}} {{owner}} -o yaml | sed 's/{better[0]}/{better[1]}/' | minik8s apply -f -"
    place = f" -n {facts.namespace}" if facts.namespace != "default" else ""
    status = next((each for each in pod.status.containerStatuses if not each.ready), None)
    words = {
        "pod": pod.metadata.name,
        "place": place,
        "node": pod.spec.nodeName or "NODE",
        "container": status.name if status else "CONTAINER",
        "owner": owner(pod),
    }
    shown = Evidence(f"minik8s describe{place} pod/{pod.metadata.name}", cause)
    return red(code, f"{said}: {pod.metadata.name}: {word(facts, pod)}", cause, mend.format(**words), shown)


def owner(pod: Pod) -> str:
    """Where the Pod's template stands: the Deployment of its ReplicaSet, as names tell."""
    mark = pod.metadata.labels.get(TEMPLATE_HASH, "")
    made_by = next((each for each in pod.metadata.ownerReferences if each.controller), None)
    if made_by is None:
        return f"pod/{pod.metadata.name}"
    if made_by.kind == "ReplicaSet" and mark and made_by.name.endswith(f"-{mark}"):
        return f"deployment/{made_by.name.removesuffix(f'-{mark}')}"
    return f"{made_by.kind.lower()}/{made_by.name}"


def word(facts: Facts, pod: Pod) -> str:
    """Its state as `get pods` would say it, in a few words."""
    kind, _ = trouble(facts, pod)
    for status in pod.status.containerStatuses:
        if not status.ready and status.state.waiting and status.state.waiting.reason:
            return status.state.waiting.reason
    return {"ending": "Terminating", "pending": "Pending", "node": "its node is lost", "probe": "not Ready"}.get(
        kind, "starting"
    )


def trouble(facts: Facts, pod: Pod) -> tuple[str, str]:
    """(kind, the cause in a sentence)."""
    if is_terminating(pod):
        return "ending", "It was deleted and is about to end; nothing has taken its place."
    placed = condition(pod.status.conditions, "PodScheduled")
    if not pod.spec.nodeName:
        return "pending", placed.message if placed and placed.message else "No node was chosen: does a scheduler run?"
    node = next((each for each in facts.nodes if each.metadata.name == pod.spec.nodeName), None)
    if node is None or not node_is_ready(node):
        return "node", f"{pod.spec.nodeName} is silent: it is cut off, or its agent does not run."
    for status in [*pod.status.initContainerStatuses, *pod.status.containerStatuses]:
        found = _of_container(status)
        if found:
            return found
    return _of_probe(facts, pod)


def _of_container(status: ContainerStatus) -> tuple[str, str] | None:
    waiting = status.state.waiting
    if waiting and waiting.reason in IMAGE:
        return "image", f"Image {status.image}: {waiting.message or waiting.reason}"
    if waiting and waiting.reason in CONFIG:
        return "config", f"{waiting.reason}: {waiting.message}"
    ended = status.state.terminated or (status.lastState.terminated if waiting else None)
    if ended and (ended.exitCode or status.restartCount):
        return "crash", (
            f"Container {status.name} ended with exit code {ended.exitCode}, {status.restartCount} restarts so far."
        )
    return None


def _of_probe(facts: Facts, pod: Pod) -> tuple[str, str]:
    """Everything runs, so it is the probe, or it has only just begun."""
    running = [each for each in pod.status.containerStatuses if each.state.running and not each.ready]
    probed = [c.name for c in pod.spec.containers if c.readinessProbe and c.name in {s.name for s in running}]
    if not probed:
        return "starting", "Its containers have not all started yet."
    if any(_is_young(facts, each) for each in running):
        return "starting", "Its container started a moment ago, and its readinessProbe has not passed yet."
    said = [each for each in facts.warnings.get(pod.metadata.name, ()) if "eadiness probe" in each]
    asks = next(asked(c.readinessProbe) for c in pod.spec.containers if c.name == probed[0] and c.readinessProbe)
    named = ", ".join(f"{p.name or 'port'} {p.containerPort}" for c in pod.spec.containers for p in c.ports)
    ports = f" The containers' ports: {named}." if named else ""
    return "probe", f"{said[-1] if said else 'It has not passed yet'}. It asks {asks}.{ports}"


def _is_young(facts: Facts, status: ContainerStatus) -> bool:
    """The first probes of a program that is still starting fail as a rule."""
    began = status.state.running.startedAt if status.state.running else None
    return began is not None and 0 <= facts.now - times.parse(began) < YOUNG_S


def asked(probe: Probe) -> str:
    """What a probe asks, in words."""
    if probe.httpGet:
        return f"port {probe.httpGet.port} for {probe.httpGet.path or '/'}"
    if probe.tcpSocket:
        return f"whether port {probe.tcpSocket.port} takes connections"
    return f"`{' '.join(probe.exec.command)}`" if probe.exec else "nothing"


def better_probe(pod: Pod) -> tuple[str, str] | None:
    """The probe's port, where no container names such a port, and the one that was probably meant."""
    ports = [port for container in pod.spec.containers for port in container.ports]
    for probe in (container.readinessProbe for container in pod.spec.containers if container.readinessProbe):
        way = probe.httpGet or probe.tcpSocket
        if way and len(ports) == 1 and way.port not in (ports[0].containerPort, ports[0].name):
            return f"port: {way.port}", f"port: {ports[0].containerPort}"
    return None
