"""`logs`: what a container wrote. Several Pods (by label, or with --all-pods) are followed side by side.

The bytes come from the node's agent, through the API server. Read next: podchoice.py.
"""

import sys
import threading
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import click

from minik8s.api.core import Pod
from minik8s.cli import podchoice
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.client.rest import ApiError, Unreachable

FOLLOW_S = 24 * 3600.0
READ_S = 30.0
TAIL_OF_MANY = 10  # kubectl's: with several Pods, the last lines of each


@dataclass(frozen=True)
class Source:
    """A container whose log is read, and what its lines begin with."""

    pod: Pod
    container: str
    prefix: str = ""


@verb("logs")
@click.argument("word", required=False, default="", metavar="[POD | KIND/NAME]")
@click.option("-f", "--follow", is_flag=True, help="Go on as it is written.")
@click.option("--tail", type=int, default=-1, help="Only so many of the last lines.")
@click.option("-c", "--container", default="", help="Which container.")
@click.option("-p", "--previous", is_flag=True, help="Of the container before the last restart.")
@click.option("-l", "--selector", "labels", default="", help="Of all Pods with these labels.")
@click.option("--all-pods", is_flag=True, help="Of all Pods of the Deployment, not of one.")
@click.option("--all-containers", is_flag=True, help="Of all containers.")
@click.option("--timestamps", is_flag=True, help="With the time of each line.")
@click.option("--prefix", is_flag=True, help="With the Pod's name before each line.")
def logs(session: Session, word: str, container: str, labels: str, **options: Any) -> None:
    """Print what a container wrote."""
    if bool(word) == bool(labels):
        raise Failed("error: expected 'logs POD', 'logs KIND/NAME' or 'logs -l LABELS'")
    found = (
        session.client.list(Pod, session.namespace, labels=labels).items if labels else podchoice.pods(session, word)
    )
    if not found:
        click.echo(f"No resources found{session.place}.", err=True)
        return
    if not labels and not options["all_pods"]:
        found = _first(found)
    if labels and options["tail"] < 0:
        options["tail"] = TAIL_OF_MANY
    sources = [source for pod in found for source in _sources(pod, container, options)]
    if len(sources) == 1 or not options["follow"]:
        failed = [source for source in sources if not copy(session, source, options)]
    else:
        failed = _together(session, sources, options)
    sys.exit(1 if failed else 0)


def _first(found: list[Pod]) -> list[Pod]:
    if len(found) > 1:
        click.echo(f"Found {len(found)} pods, using pod/{found[0].metadata.name}", err=True)
    return found[:1]


def _sources(pod: Pod, container: str, options: dict[str, Any]) -> list[Source]:
    if options["all_containers"]:
        names = [each.name for each in [*pod.spec.initContainers, *pod.spec.containers]]
    else:
        name, remark = podchoice.container(pod, container)
        names = [name]
        if remark:
            click.echo(remark, err=True)
    shown = options["prefix"] or options["all_pods"]
    return [Source(pod, name, f"[pod/{pod.metadata.name}/{name}] " if shown else "") for name in names]


def copy(session: Session, source: Source, options: dict[str, Any]) -> bool:
    """Print one container's log; False if that failed, which is told."""
    query: dict[str, Any] = {"container": source.container}
    query |= {"follow": "true"} if options["follow"] else {}
    query |= {"previous": "true"} if options["previous"] else {}
    query |= {"timestamps": "true"} if options["timestamps"] else {}
    query |= {"tailLines": options["tail"]} if options["tail"] >= 0 else {}
    path = Pod.resource.path(source.pod.metadata.namespace, source.pod.metadata.name, "log") + f"?{urlencode(query)}"
    try:
        stream = session.client.request("GET", path, stream_timeout=FOLLOW_S if options["follow"] else READ_S)
        for line in stream.lines():
            _write(source.prefix.encode() + line + b"\n")
    except (ApiError, Unreachable) as error:
        click.echo(told(error), err=True)
        return False
    except KeyboardInterrupt:
        pass
    return True


def _write(line: bytes) -> None:
    """One line, whole, whoever else writes."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _together(session: Session, sources: list[Source], options: dict[str, Any]) -> list[Source]:
    failed: list[Source] = []

    def follow(source: Source) -> None:
        if not copy(session, source, options):
            failed.append(source)

    threads = [threading.Thread(target=follow, args=(source,), daemon=True) for source in sources]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        pass
    return failed
