"""`dns query` asks as a Pod would, and shows each question it takes; `dns log` shows questions as they are asked.

The Pod's node asks in the Pod's own network, with its own resolv.conf (agent/reach.py); the node's DNS server says
which objects an answer comes from (dns/pages.py). Here is only what people type and how it is laid out.

Read next: explain/names.py, which fetches.
"""

from collections.abc import Iterator
from typing import Any

import click

from minik8s.api.core import Node
from minik8s.cli.session import Failed, Session, verb
from minik8s.client.rest import ApiError, Unreachable
from minik8s.dns import foreign, questions
from minik8s.explain import names
from minik8s.host import clock


@click.group()
def dns() -> None:
    """Cluster DNS: ask as a Pod would, or see what is asked."""


@verb("query")
@click.argument("pod", metavar="POD")
@click.argument("name", metavar="NAME")
@click.argument("kind", metavar="[TYPE]", default="A")
def query(session: Session, pod: str, name: str, kind: str) -> None:
    """Ask as a Pod would: minik8s dns query client web, or … web SRV."""
    number = foreign.type_number(kind)
    told = names.ask(session.client, (session.namespace, pod.removeprefix("pod/")), name, number)
    click.echo("\n".join(lines(told, foreign.type_name(number))))
    if not told.asked or not records(told.asked[-1]):
        raise Failed(f"error: Pod {pod} finds no {foreign.type_name(number)} record of {name}")


def lines(told: names.Told, kind: str) -> list[str]:
    """What the resolver knows, then each question with its answer, and what that comes from."""
    shown = [f"resolv.conf: nameserver {' '.join(told.nameservers) or 'none'}"]
    shown[0] += f", search {' '.join(told.searches) or 'nothing'}, ndots {told.ndots}"
    for step, asked in enumerate(told.asked, 1):
        shown.append(f"{step}. {asked.name}. {kind}: {asked.rcode} in {asked.milliseconds:.1f} ms")
        shown += [f"     {each['name']} {each['ttl']} {each['type']} {each['data']}" for each in records(asked)]
        shown += [f"     from {each}" for each in asked.sources]
    return shown


def records(asked: names.Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = questions.answer(asked.reply)["answers"] if asked.reply else []
    return found


@verb("log")
@click.option("--node", default="", help="Only on this node.")
@click.option("--seconds", type=float, default=0.0, help="End after so long; else Ctrl-C ends it.")
def log(session: Session, node: str, seconds: float) -> None:
    """Show questions as they are asked, on every node: minik8s dns log."""
    known = sorted(each.metadata.name for each in session.client.list(Node).items)
    if node and node not in known:
        raise Failed(f'Error from server (NotFound): nodes "{node}" not found: there are {", ".join(known)}')
    until = clock.monotonic() + seconds if seconds else None
    try:
        for line in follow(session, [node] if node else known, until):
            click.echo(line)
    except KeyboardInterrupt:
        pass  # the usual end


def follow(session: Session, nodes: list[str], until: float | None) -> Iterator[str]:
    """A line for each question, as the nodes' servers see them; a silent node is named once."""
    tails = [names.Tail(session.client, node) for node in nodes]
    silent: set[str] = set()
    while until is None or clock.monotonic() < until:
        for tail in tails:
            try:
                yield from (line(tail.node, each) for each in tail.more())
                silent.discard(tail.node)
            except (ApiError, Unreachable) as error:
                if tail.node not in silent:
                    yield f"{tail.node}: its DNS server does not say: {error}"
                silent.add(tail.node)
        names.pause()


def line(node: str, seen: dict[str, Any]) -> str:
    """When, where, who, what, and what was said."""
    if "missed" in seen:
        return f"{node}: {seen['missed']} questions more than can be shown"
    asked = f"{seen['name'] or '(unreadable)'} {seen['type']}".strip()
    answers = "".join(f" {each['type']} {each['data']}" for each in seen["answers"])
    return f"{clock.of_day(seen['wall'])} {node} {seen['client']} {seen['protocol']} {asked}: {seen['rcode']}{answers}"


dns.add_command(query)
dns.add_command(log)
