"""Verbs about the machine: one level below Kubernetes' API. What happens here, happens without any component's
knowledge.

Read next: `cluster/fabric.py` for cutting cables, `cluster/zygote.py` for killing and starting components.
"""

import signal
import sys

import click

from minik8s.cli import doors
from minik8s.cluster.state import Paths
from minik8s.cluster.supervise import Process

RAW = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command()
@click.argument("target", metavar="COMPONENT[@NODE] | pod/NAME")
@doors.option
@click.option("-s", "--signal", "word", default="KILL", help="Which signal: KILL, TERM, STOP, CONT …")
@click.option("-n", "--namespace", default="default")
@click.option("-c", "--container", default="", help="Of a Pod: which container; the first otherwise.")
def kill(target: str, cluster: str, word: str, namespace: str, container: str) -> None:
    """Kill a component (it stays down until `start`), or a Pod's main process (its node's agent restarts it)."""
    with doors.told():
        number = signal_number(word)
        if target.startswith(("pod/", "pods/", "po/")):
            kill_pod(cluster, (namespace, target.partition("/")[2], container), number)
        else:
            kill_component(cluster, target, number)


@click.command()
@click.argument("target", metavar="COMPONENT[@NODE]")
@doors.option
def start(target: str, cluster: str) -> None:
    """Start a component that was killed."""
    from minik8s.cluster import launch, registry

    with doors.told():
        where, name = doors.paths(cluster), launch.canonical(target)
        process = known(where, name)
        if process.pid and process.wanted:
            click.echo(f"{name} runs already")
            return
        registry.ask(where, {"do": "start", "names": [name]})
        click.echo(f"{name} started")


@click.group()
def node() -> None:
    """A node: its network, its processes, its cable."""


@node.command(name="exec", context_settings=RAW)
@click.argument("name", metavar="NODE")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@doors.option
def node_exec(name: str, command: tuple[str, ...], cluster: str) -> None:
    """Run a command in a node's network: minik8s node exec node-1 -- ip route."""
    from minik8s.cluster import fabric

    with doors.told():
        sys.exit(fabric.node_exec(cluster, name, strip(command)))


@node.command()
@click.argument("name", metavar="NODE")
@doors.option
def ps(name: str, cluster: str) -> None:
    """Show the processes in a node's network."""
    from minik8s.cluster import fabric
    from minik8s.host import processes

    with doors.told():
        there = fabric.inhabitants(cluster)
        if name not in there:
            raise LookupError(f"cluster {cluster} has no node {name}; it has {', '.join(sorted(there)) or 'none'}")
        for pid in there[name]:
            click.echo(f"{pid:>8}  {processes.command_line(pid)}")


@node.command()
@click.argument("name", metavar="NODE")
@doors.option
def cut(name: str, cluster: str) -> None:
    """Pull a node's cable: it goes on by itself, but nobody hears of it."""
    from minik8s.cluster import fabric

    with doors.told():
        fabric.cut(cluster, name)
        click.echo(f"{name} cut off")


@node.command()
@click.argument("name", metavar="NODE")
@doors.option
def heal(name: str, cluster: str) -> None:
    """Plug a node's cable in again."""
    from minik8s.cluster import fabric

    with doors.told():
        fabric.heal(cluster, name)
        click.echo(f"{name} healed")


@click.command(context_settings=RAW)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@doors.option
def outside(command: tuple[str, ...], cluster: str) -> None:
    """Run a command as the external client: minik8s outside curl http://192.168.56.11:30080."""
    from minik8s.cluster import fabric

    with doors.told():
        sys.exit(fabric.outside(cluster, strip(command)))


def kill_component(cluster: str, target: str, number: int) -> None:
    """KILL and the like end it for good; STOP and CONT only hold it, so it stays wanted."""
    from minik8s.cluster import launch, registry, status
    from minik8s.host import processes

    where, name = doors.paths(cluster), launch.canonical(target)
    process = known(where, name)
    if number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in status.family(process.pid):
            processes.kill(pid, number)
        click.echo(f"{name} {'held' if number == signal.SIGSTOP else 'goes on'}")
        return
    registry.ask(where, {"do": "kill", "names": [name], "signal": number})
    click.echo(f"{name} killed; it stays down until `minik8s start {name}`")


def kill_pod(cluster: str, target: tuple[str, str, str], number: int) -> None:
    from minik8s.cluster import engine, state
    from minik8s.host import processes

    record = state.read(doors.paths(cluster))
    docker = engine.connect(record.docker_host if record else "")
    try:
        pid = docker.main_process(cluster, *target)
    finally:
        docker.close()
    processes.kill(pid, number)
    click.echo(f"pod/{target[1]}: signal {signal.Signals(number).name} sent to its main process")


def known(where: Paths, name: str) -> Process:
    """The component's line of the zygote's table."""
    from minik8s.cluster import registry

    table = {process.name: process for process in registry.read(where)}
    if name not in table:
        raise LookupError(f"{name} does not belong to cluster {where.name}: {', '.join(sorted(table))}")
    return table[name]


def signal_number(word: str) -> int:
    """KILL, SIGKILL, kill or 9."""
    if word.isdigit():
        return signal.Signals(int(word))
    try:
        return signal.Signals[f"SIG{word.upper().removeprefix('SIG')}"]
    except KeyError:
        raise LookupError(f"there is no signal {word}") from None


def strip(command: tuple[str, ...]) -> list[str]:
    """Without the -- that parts our words from theirs."""
    words = list(command)
    return words[1:] if words[:1] == ["--"] else words
