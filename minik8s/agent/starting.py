"""Starts things: a sandbox with its address and wire, a container with its image, environment and volumes.

What a container asks for and does not get becomes a Refusal: it waits with a reason and is tried again later. All
other errors rise to the controller loop. Read next: doing.py.
"""

from pathlib import Path

from minik8s import params
from minik8s.agent import recipe, restarts
from minik8s.agent.actions import StartContainer
from minik8s.agent.addresses import NoAddressLeft
from minik8s.agent.environment import ConfigError
from minik8s.agent.hands import Hands
from minik8s.agent.memory import PodMemory
from minik8s.agent.observed import Refusal, Sandbox, Seen
from minik8s.agent.world.docker import EngineError, ImageError
from minik8s.agent.world.network import NotReady
from minik8s.api.containers import EphemeralContainer
from minik8s.api.pods import Container, Pod
from minik8s.host import clock


def start_sandbox(hands: Hands, pod: Pod, because: str) -> None:
    """Make the Pod's sandbox and plug it in."""
    try:
        sandbox = _host_sandbox(hands, pod) if pod.spec.hostNetwork else _own_sandbox(hands, pod)
    except NotReady as error:
        hands.tell.warning(pod, "NetworkNotReady", f"network is not ready: {error}")
        raise
    except (EngineError, NoAddressLeft, OSError) as error:
        hands.tell.warning(pod, "FailedCreatePodSandBox", f"Failed to create pod sandbox: {error}")
        raise
    for said in recipe.limited(recipe.resolver(pod, node_resolver()))[1]:
        hands.tell.warning(pod, "DNSConfigForming", said)
    hands.tell.journal("sandbox", because, pod, address=sandbox.address or hands.node_address, sandbox=sandbox.id)


def _own_sandbox(hands: Hands, pod: Pod) -> Sandbox:
    def make(addresses: tuple[str, ...]) -> Sandbox:
        wanted = recipe.sandbox(pod, hands.home, addresses, clock.suffix(), node_resolver())
        return hands.engine.create_sandbox(wanted, "none")

    sandbox = hands.network.with_addresses(hands.engine.addresses, make)
    connect(hands, pod, sandbox)
    return sandbox


def _host_sandbox(hands: Hands, pod: Pod) -> Sandbox:
    wanted = recipe.sandbox(pod, hands.home, (), clock.suffix())
    return hands.engine.create_sandbox(wanted, node_network(hands))


def connect(hands: Hands, pod: Pod, sandbox: Sandbox) -> None:
    if not pod.spec.hostNetwork:
        hands.network.connect(sandbox, f"pod-{pod.metadata.namespace}.{pod.metadata.name}")


def node_network(hands: Hands) -> str:
    """Docker's name of the node's network: the node sandbox's, or the machine's where the machine is the node."""
    node = hands.engine.node_sandbox()
    if node:
        return f"container:{node}"
    if not hands.own_machine():
        raise EngineError("hostNetwork: the node's own sandbox is not there")
    return "host"


# --- Containers -------------------------------------------------------------------------------------------------------


def start_container(hands: Hands, memory: PodMemory, pod: Pod, seen: Seen, action: StartContainer) -> None:
    """One attempt to start one container."""
    listed: list[Container] = [*pod.spec.initContainers, *pod.spec.containers, *pod.spec.ephemeralContainers]
    spec = next(c for c in listed if c.name == action.container)
    try:
        _ensure_image(hands, pod, spec)
        made = _create(hands, pod, spec, seen, action)
    except ConfigError as error:
        _refuse(hands, memory, pod, action, ("CreateContainerConfigError", str(error)))
        return
    except ImageError as error:
        reason = "ErrImageNeverPull" if spec.imagePullPolicy == "Never" else "ErrImagePull"
        _refuse(hands, memory, pod, action, (reason, str(error)))
        return
    except EngineError as error:
        if not error.status:
            raise  # Docker itself is away
        _refuse(hands, memory, pod, action, ("CreateContainerError", str(error)))
        return
    memory.refusals.pop(spec.name, None)
    hands.tell.normal(pod, "Created", f"Created container: {spec.name}")
    _launch(hands, pod, spec, made, action)


def _ensure_image(hands: Hands, pod: Pod, spec: Container) -> None:
    """Pull only what says where it comes from, and only as the policy says."""
    present = hands.engine.has_image(spec.image)
    if present and (spec.imagePullPolicy != "Always" or not hands.engine.can_pull(spec.image)):
        hands.tell.normal(pod, "Pulled", f'Container image "{spec.image}" already present on machine')
        return
    if spec.imagePullPolicy == "Never":
        raise ImageError(f'Container image "{spec.image}" is not present with pull policy of Never')
    hands.tell.normal(pod, "Pulling", f'Pulling image "{spec.image}"')
    hands.engine.pull(spec.image)
    hands.tell.normal(pod, "Pulled", f'Successfully pulled image "{spec.image}"')


def _create(hands: Hands, pod: Pod, spec: Container, seen: Seen, action: StartContainer) -> str:
    sandbox = next(s for s in seen.sandboxes if s.id == action.sandbox)
    sources = hands.sources(pod, sandbox.addresses or hands.node_addresses)
    target = seen.latest(spec.targetContainerName) if isinstance(spec, EphemeralContainer) else None
    attempt = recipe.Attempt(
        number=action.attempt, streak=action.streak, sandbox=action.sandbox, beside=target.id if target else ""
    )
    wanted = recipe.container(pod, spec, attempt, hands.home, sources)
    hands.project(pod, sandbox.addresses or hands.node_addresses)
    binds = hands.volumes.binds(pod, spec, sources)
    if not pod.spec.hostNetwork:
        return hands.engine.create_container(wanted, f"container:{sandbox.id}", binds)
    binds += _name_files(hands, pod)
    return hands.engine.create_container(wanted, node_network(hands), binds)


def _name_files(hands: Hands, pod: Pod) -> list[str]:
    """For a Pod on the node's network, whose own resolv.conf and hosts are not the Pod's to change: files beside."""
    binds = []
    resolver, _ = recipe.limited(recipe.resolver(pod, node_resolver()))
    if resolver.nameservers:
        file = hands.volumes.write_file(pod.metadata.uid, "resolv.conf", recipe.resolv_conf(resolver))
        binds.append(f"{file}:/etc/resolv.conf:ro")
    if pod.spec.hostAliases:
        text = recipe.hosts_file(Path("/etc/hosts").read_text(), pod)
        binds.append(f"{hands.volumes.write_file(pod.metadata.uid, 'hosts', text)}:/etc/hosts:ro")
    return binds


def node_resolver() -> recipe.Resolver:
    """What the node's own resolv.conf says, for Pods whose dnsPolicy is Default."""
    try:
        return recipe.read_resolver(Path("/etc/resolv.conf").read_text(errors="replace"))
    except FileNotFoundError:
        return recipe.Resolver()


def _launch(hands: Hands, pod: Pod, spec: Container, made: str, action: StartContainer) -> None:
    try:
        hands.engine.start(made)
    except EngineError as error:
        if not error.status:
            raise
        # Docker keeps it as one that could not start: it is seen as ended, and restarted with the usual patience.
        hands.tell.warning(pod, "Failed", f"Error: failed to start container {spec.name!r}: {error}")
        return
    hands.tell.normal(pod, "Started", f"Started container {spec.name}")
    hands.tell.journal("started", action.because, pod, container=spec.name, id=made, attempt=action.attempt)


def _refuse(hands: Hands, memory: PodMemory, pod: Pod, action: StartContainer, why: tuple[str, str]) -> None:
    reason, message = why
    before, now = memory.refusals.get(action.container), clock.wall()
    count = before.count + 1 if before is not None and before.reason == reason else 1
    pause = restarts.image_delay(count) if reason.startswith("ErrImage") else params.CONFIG_RETRY_S
    memory.refusals[action.container] = Refusal(
        reason=reason, message=message, at=now, retry_at=now + pause, count=count
    )
    hands.tell.warning(pod, "Failed", f"Error: {reason}" if count > 1 else f"Error: {message}")
