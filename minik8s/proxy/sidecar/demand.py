"""Inside the proxy: asks for a sidecar process as soon as a Pod of this node wants one.

Whoever keeps the proxy running (on one machine the zygote) keeps the sidecar running too, once it was asked to
(`minik8s status` shows it, `kill` and `start` work). A cluster without such Pods has one small watch more for each node
and no process. Where nobody is there to be asked, an Event on the Pod says what to start by hand; until then the Pod's
connections go the node's way.

Next: `main.py`, which is what is asked for.
"""

import socket

import msgspec

from minik8s import params
from minik8s.api.meta import ObjectMeta
from minik8s.api.pods import Pod, PodSpec, PodStatus
from minik8s.client.component import Component
from minik8s.client.informer import Informer
from minik8s.client.loop import Controller
from minik8s.client.queue import WorkQueue
from minik8s.host import supervisor
from minik8s.proxy.sidecar.plan import asks

TIMEOUT_S = 5.0
ASK = "ask"  # the one key of the queue


class NoSidecar(Exception):
    """Why there is none; the text is for the Pod's owner."""


def main(component: Component) -> None:
    """Run until `component.stop`."""
    queue, pods = WorkQueue(), informer(component)
    mode = component.options.proxy_mode

    def changed(old: Pod | None, new: Pod | None) -> None:
        if new and asks(new, mode) and not (old and asks(old, mode)):
            queue.add(ASK)

    def sync(_key: str) -> float | None:
        wanting = [each for each in pods.values() if asks(each, mode) and not each.metadata.deletionTimestamp]
        if not wanting:
            return None
        try:
            ensure(component)
        except NoSidecar as error:
            for pod in wanting:
                component.events.warning(pod, "SidecarFailed", f"no sidecar, connections go the node's way: {error}")
        return params.SIDECAR_ASK_S

    pods.on_change(changed)
    Controller("sidecar-demand", sync, queue, [pods], stop=component.stop).run()
    pods.stop()


def informer(component: Component) -> Informer[Pod]:
    """The Pods of this node, as much of them as the sidecar reads."""
    return Informer(component.client, Pod, fields=f"spec.nodeName={component.options.node}", transform=_lean)


def ensure(component: Component) -> None:
    """See to it that a sidecar runs. NoSidecar: why not."""
    options = component.options
    if _answers():
        return
    if not options.supervisor:
        how = f"minik8s run sidecar --kubeconfig {options.kubeconfig} --node {options.node}"
        raise NoSidecar(f"nobody here starts processes; start it by hand: {how}")
    name = f"sidecar@{options.node}"
    try:
        known = supervisor.ask(options.supervisor, {"do": "ensure", "names": [name]}, TIMEOUT_S)["processes"]
    except (OSError, ValueError) as error:
        raise NoSidecar(f"whoever keeps the processes of this node running does not answer ({error})") from error
    if name not in known:
        raise NoSidecar("this cluster was brought up --without sidecar")
    if not known[name]["wanted"]:
        raise NoSidecar(f"it was stopped; `minik8s start {name}`")


def _answers() -> bool:
    """Does one run already, whoever started it?"""
    try:
        socket.create_connection(("127.0.0.1", params.HEALTH_PORTS["sidecar"]), TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _lean(pod: Pod) -> Pod:
    meta, status = pod.metadata, pod.status
    return msgspec.structs.replace(
        pod,
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=meta.uid,
            resourceVersion=meta.resourceVersion,
            deletionTimestamp=meta.deletionTimestamp,
            annotations={name: text for name, text in meta.annotations.items() if name == params.PROXY_ANNOTATION},
        ),
        spec=PodSpec(hostNetwork=pod.spec.hostNetwork),
        status=PodStatus(phase=status.phase, podIP=status.podIP, podIPs=status.podIPs),
    )
