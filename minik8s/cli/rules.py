"""`rules`: a Service's own rules on each node, with what each means and which objects it comes from; then the same in
kube-proxy's words.

Fetched and explained in explain/; here is only what people type and how it is laid out: 80 columns, a rule, then what
it means, then the numbers of the objects that are listed at the top.

Read next: explain/rules.py.
"""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, replace

import click

from minik8s.api.core import Node, Service
from minik8s.cli import objects
from minik8s.cli.session import Failed, Session, verb
from minik8s.explain import rulesworld
from minik8s.explain.rules import Told
from minik8s.explain.rulesworld import OnNode

WIDTH = 80


@verb("rules")
@click.argument("word", metavar="svc/NAME")
@click.option("--node", default="", help="Only on this node.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="For programs.")
def rules(session: Session, word: str, node: str, output: str | None) -> None:
    """Explain a Service's rules on each node: minik8s rules svc/web."""
    cls, name = objects.one([word], default="services")
    if cls is not Service:
        raise Failed(f"error: rules are made for Services, not for {cls.resource.plural}")
    service = session.client.get(Service, name, session.namespace)
    known = sorted(each.metadata.name for each in session.client.list(Node).items)
    if node and node not in known:
        raise Failed(f'Error from server (NotFound): nodes "{node}" not found: there are {", ".join(known)}')
    found = rulesworld.observe(session.client, service, [node] if node else known)
    if output:
        click.echo(json.dumps([asdict(each) for each in found], indent=1))
    else:
        click.echo("\n".join(lines(found, service)))
    if all(each.silent for each in found):
        raise Failed("error: no proxy could be asked: `minik8s status` says which run")


def lines(found: list[OnNode], service: Service) -> list[str]:
    """All of it as text. Nodes whose rules are the same share one listing."""
    shown: list[str] = []
    groups: dict[OnNode, list[str]] = {}
    for each in found:
        groups.setdefault(replace(each, node="", upstream=()), []).append(each.node)
    for one, nodes in groups.items():
        shown += [*([""] if shown else []), f"--- {', '.join(nodes)}"]
        if one.silent:
            shown += fill(one.silent)
            continue
        shown += [f"{_numbers(one)[source]} {source}" for source in one.sources]
        shown += _listing(one.told, one) or ["", f"no rules: {nothing(service)}"]
    return [*shown, *_upstream(found)]


def _upstream(found: list[OnNode]) -> list[str]:
    """The same in kube-proxy's words; on most Services it would write the same on every node."""
    shown: list[str] = []
    groups: dict[tuple[Told, ...], list[OnNode]] = {}
    for each in found if any(each.upstream for each in found) else ():
        groups.setdefault(each.upstream, []).append(each)
    for told, those in groups.items():
        where = ", ".join(each.node for each in those)
        shown += ["", f"--- {where}: what kube-proxy would write (not loaded)"]
        shown += _listing(told, those[0])
    return shown


def _numbers(one: OnNode) -> dict[str, str]:
    return {source: f"[{count}]" for count, source in enumerate(one.sources, 1)}


def _listing(told: Iterable[Told], one: OnNode) -> list[str]:
    shown: list[str] = []
    number, where = _numbers(one), ""
    for each in told:
        if each.where != where:
            where = each.where
            shown += ["", where]
        shown += fill(each.text, "  ", "      ")
        refs = "".join(number[source] for source in each.sources)
        shown += fill(f"{each.means} {refs}", "    # ", "    # ")
    return shown


def nothing(service: Service) -> str:
    """Why the proxy writes none."""
    if service.spec.type == "ExternalName":
        return "an ExternalName Service is only a name; DNS answers with another name"
    if service.spec.clusterIP == "None":
        return "a headless Service has no address; DNS answers with the Pods' own"
    return "the proxy has nothing to do with this Service"


def fill(text: str, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH - 1, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    )
