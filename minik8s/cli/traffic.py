"""`traffic`: steady requests to a Service or a Pod, and what became of each.

The client is the toolbox' own (cluster/toolbox/client.py): it never retries and keeps to its schedule. It runs in a Pod
(`--from pod/P`; without, one is made for the purpose and removed again), as the external client (`--from outside`), or
in a node's network (`--from node/N`). What must hold: a Pod made here is gone when the verb ends, however it ends.

Read next: tally.py.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click

from minik8s import params
from minik8s.api.addresses import host_port
from minik8s.api.core import Node, Pod, Service
from minik8s.api.meta import DeleteOptions, ObjectMeta
from minik8s.api.pods import Container, PodSpec, is_ready
from minik8s.cli import doors, objects, tally
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.cli.tally import Tally
from minik8s.client.errors import NotFound, from_body
from minik8s.client.rest import Unreachable, Why, read_watch
from minik8s.cluster import fabric, state, toolbox
from minik8s.host import processes
from minik8s.streams import client as streams
from minik8s.streams.websocket import STDERR

CLIENT_POD = "minik8s-client"
CLIENT_READY_S = 30.0
IN_IMAGE = "/app/client.py"
# The client ends when our connection does: nobody sends requests that nobody counts.
WRAPPED = (
    'exec 3<&0; python3 {program} "$@" & P=$!; (read x <&3; kill $P) >/dev/null 2>&1 & W=$!; '
    "wait $P; kill $W 2>/dev/null"
)


@verb("traffic")
@click.argument("words", nargs=-1, required=True, metavar="svc/NAME | pod/NAME")
@click.option("--rate", type=click.FloatRange(0.1, 1000), default=10.0, help="Requests a second (10).")
@click.option("--seconds", type=click.FloatRange(min=0), default=10.0, help="How long (10); 0 is until Ctrl-C.")
@click.option("--count", type=click.IntRange(min=1), help="How many requests, instead of --seconds.")
@click.option("--from", "origin", default="", metavar="pod/P | node/N | outside", help="Where the client stands.")
@click.option("--port", "port", default=0, help="Which port of the target; its first one otherwise.")
@click.option("--keepalive", is_flag=True, help="One connection for as long as it lasts: one Pod answers all.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="The summary for programs.")
def traffic(session: Session, words: tuple[str, ...], origin: str, output: str | None, **options: Any) -> None:
    """Send steady traffic to a Service and count what becomes of it: minik8s traffic svc/web --rate 50."""
    kind, _, name = origin.partition("/")
    if kind not in ("", "pod", "node", "outside") or (kind in ("pod", "node") and not name):
        raise Failed(f"error: --from {origin}: say pod/NAME, node/NAME or outside")
    url = address(session, words, kind, options["port"])
    count = Tally(url, origin or f"pod/{CLIENT_POD}")
    arguments = client_arguments(url, options)
    with source(session, kind, name, arguments) as lines:
        listen(lines, count, "" if output else how_to_show())
    click.echo(json.dumps(tally.values(count)) if output else tally.summary(count))
    if not count.sent:
        raise Failed("error: the client sent nothing")


def client_arguments(url: str, options: dict[str, Any]) -> list[str]:
    """What the client is told."""
    arguments = ["--url", url, "--rate", f"{options['rate']:g}"]
    if options["count"]:
        arguments += ["--count", str(options["count"])]
    else:
        arguments += ["--seconds", f"{options['seconds']:g}"]
    return arguments + (["--keepalive"] if options["keepalive"] else [])


def how_to_show() -> str:
    """What stands behind the live counts: nothing, so that they are drawn over, or a line's end for who reads them."""
    return "over" if sys.stdout.isatty() else "lines" if os.environ.get(tally.LIVE) else ""


def in_front() -> bool:
    """Is the terminal's line ours? Behind `&` it is not: the prompt stands there, and what others say."""
    with contextlib.suppress(OSError):
        return os.tcgetpgrp(sys.stdout.fileno()) == os.getpgrp()
    return True


def listen(lines: Iterator[bytes], count: Tally, shown: str) -> None:
    """Count until the client ends or somebody presses Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        for line in lines:
            if not count.add(line) and line.strip() and b'"summary"' not in line:
                click.echo(line.decode(errors="replace").rstrip(), err=True)
            elif shown == "lines" or (shown and in_front()):
                click.echo(f"\r{tally.live(count):<79}", nl=shown == "lines")
    if shown == "over" and in_front():
        click.echo(f"\r{'':<79}\r", nl=False)


# --- Where to ---------------------------------------------------------------------------------------------------------


def address(session: Session, words: Sequence[str], kind: str, port: int) -> str:
    """The URL, as the place where the client stands has to write it."""
    cls, name = objects.one(words, default="services")
    if cls is Pod:
        return pod_address(session.client.get(Pod, name, session.namespace), port)
    if cls is not Service:
        raise Failed("error: traffic goes to svc/NAME or pod/NAME")
    service = session.client.get(Service, name, session.namespace)
    if not service.spec.ports:
        raise Failed(f"error: Service {name} has no ports")
    chosen = next((each for each in service.spec.ports if each.port == port), service.spec.ports[0])
    if kind == "outside":
        if not chosen.nodePort:
            raise Failed(f"error: Service {name} has no node port: nobody outside reaches it (type NodePort has one)")
        return f"http://{host_port(first_node(session), chosen.nodePort)}"
    if kind == "node":  # a node asks no cluster DNS
        return f"http://{host_port(service.spec.clusterIP, chosen.port)}"
    host = name if session.namespace == "default" else f"{name}.{session.namespace}"
    return f"http://{host}" if chosen.port == 80 else f"http://{host}:{chosen.port}"


def pod_address(pod: Pod, port: int) -> str:
    """A Pod's own address: the one that is gone when the Pod is."""
    ports = [each.containerPort for container in pod.spec.containers for each in container.ports]
    if not pod.status.podIP:
        raise Failed(f"error: Pod {pod.metadata.name} has no address yet")
    return f"http://{host_port(pod.status.podIP, port or (ports or [8080])[0])}"


def first_node(session: Session) -> str:
    nodes = sorted(session.client.list(Node).items, key=lambda node: node.metadata.name)
    found = [each.address for node in nodes for each in node.status.addresses if each.type == "InternalIP"]
    if not found:
        raise Failed("error: no node has an address")
    return found[0]


# --- From where -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def source(session: Session, kind: str, name: str, arguments: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """The client's lines, from wherever it stands."""
    if kind in ("", "pod"):
        with contextlib.ExitStack() as stack:
            pod = session.client.get(Pod, name, session.namespace) if name else stack.enter_context(own_pod(session))
            yield stack.enter_context(in_pod(session, pod, arguments))
        return
    program = Path(toolbox.__file__).parent / "client.py"
    with in_namespace(session, name or fabric.LAN, [sys.executable, str(program), *arguments]) as lines:
        yield lines


@contextlib.contextmanager
def in_pod(session: Session, pod: Pod, arguments: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """The client in a container, by `exec`."""
    command = ["sh", "-c", WRAPPED.format(program=IN_IMAGE), "client", *arguments]
    container = pod.spec.containers[0].name
    pairs = [("container", container), *(("command", word) for word in command)]
    query = urlencode([*pairs, ("stdin", "true"), ("stdout", "true"), ("stderr", "true")])
    sock, host = session.client.open_socket()
    path = Pod.resource.path(pod.metadata.namespace, pod.metadata.name, "exec")
    try:
        running = streams.connect(sock, host, f"{path}?{query}", session.client.headers)
    except streams.Refused as error:
        raise Failed(told(from_body(error.code, error.body))) from error
    try:
        yield lines_of(running)
    finally:
        running.close()


def lines_of(running: streams.Exec) -> Iterator[bytes]:
    """Whole lines of what a command writes."""
    rest = b""
    for channel, data in running:
        if channel == STDERR:
            click.echo(data.decode(errors="replace"), nl=False, err=True)
            continue
        *whole, rest = (rest + data).split(b"\n")
        yield from whole


@contextlib.contextmanager
def in_namespace(session: Session, member: str, argv: Sequence[str]) -> Iterator[Iterator[bytes]]:
    """The client in a node's network, or outside: on this machine, in another namespace."""
    cluster = session.cluster or state.default_name()
    with doors.told():
        there = fabric.members(cluster)
        if member not in there:
            raise LookupError(f"cluster {cluster} has no {member} on this machine; it has {', '.join(sorted(there))}")
        process = processes.pipe(argv, ns=there[member])
    try:
        assert process.stdout is not None
        yield iter(process.stdout)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def own_pod(session: Session) -> Iterator[Pod]:
    """A Pod to ask from, made for the purpose."""
    why = Why(session.command)
    pod = Pod(
        metadata=ObjectMeta(name=CLIENT_POD, namespace=session.namespace, labels={"app": CLIENT_POD}),
        spec=PodSpec(
            terminationGracePeriodSeconds=1,
            containers=[Container(name="client", image=params.TOOLBOX_IMAGE, command=["sleep", "1000000"])],
        ),
    )
    made = session.client.create(pod, why=why)
    try:
        yield wait_ready(session, made)
    finally:
        with contextlib.suppress(NotFound):
            options = DeleteOptions(gracePeriodSeconds=0)
            session.client.delete(Pod, CLIENT_POD, session.namespace, options=options, why=why)


def wait_ready(session: Session, pod: Pod) -> Pod:
    """Watch until the Pod is ready."""
    meta = pod.metadata
    stream = session.client.open_watch(
        Pod, meta.namespace, resourceVersion=meta.resourceVersion, fieldSelector=f"metadata.name={meta.name}"
    )
    late = threading.Timer(CLIENT_READY_S, stream.shut)
    late.start()
    try:
        for event in read_watch(Pod, stream):
            if event.type == "MODIFIED" and is_ready(event.object):
                return event.object
    except Unreachable:
        pass  # shut because it took too long
    finally:
        late.cancel()
        stream.shut()
    raise Failed(f"error: the client's Pod {meta.name} is not ready after {CLIENT_READY_S:.0f} s")
