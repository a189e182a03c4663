"""`history`: what led to what, from `apply` to the rules on each node, and how long a failure was felt.

Everything is fetched and decided in explain/; here is only what people type and how much of it is shown.

Read next: explain/plan.py.
"""

import json
import re

import click

from minik8s.api.core import Service
from minik8s.cli import objects
from minik8s.cli.session import Failed, Session, verb
from minik8s.explain import plan, tell, world
from minik8s.host import clock

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
TARGETS = ("services", "deployments", "replicasets", "pods")


@verb("history")
@click.argument("words", nargs=-1, metavar="[svc/NAME | deploy/NAME | pod/NAME]")
@click.option("--since", "ago", default="10m", help="How far back: 30s, 5m, 1h.")
@click.option("--last", type=click.IntRange(min=1), help="Only so many of the last causes.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="For programs: each fact by itself, in seconds.")
def history(session: Session, words: tuple[str, ...], ago: str, last: int | None, output: str | None) -> None:
    """Show what led to what, with the time of each stage: minik8s history svc/web."""
    since = clock.wall() - seconds(ago)
    targets = [target(session, words)] if words else every_service(session)
    seen = world.observe(session.client)
    found = [shortened(world.history_of(seen, each, since), last) for each in targets]
    if output:
        shown = [tell.values(each) for each in found]
        click.echo(json.dumps(shown[0] if words else shown, indent=1))
        return
    for each in found:
        if not words:
            click.echo(f"--- {each.target}")
        click.echo(tell.text(each), nl=False)


def target(session: Session, words: tuple[str, ...]) -> str:
    """`svc/web` → services/default/web. A bare name is a Service's."""
    cls, name = objects.one(words, default="services")
    if cls.resource.plural not in TARGETS:
        raise Failed(f"error: history tells of {', '.join(TARGETS)}, not of {cls.resource.plural}")
    return f"{cls.resource.plural}/{session.namespace}/{name}"


def every_service(session: Session) -> list[str]:
    """The Services of the namespace that have Pods of their own."""
    names = [each.metadata.name for each in session.client.list(Service, session.namespace).items if each.spec.selector]
    if not names:
        raise Failed(f"No Services with a selector found{session.place}.")
    return [f"services/{session.namespace}/{name}" for name in names]


def shortened(found: plan.History, last: int | None) -> plan.History:
    """Only the last causes, by when they began."""
    return plan.only_last(found, last) if last else found


def seconds(text: str) -> float:
    """`90s`, `5m`, `1h30m`."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Failed(f"error: {text!r} is no length of time: 30s, 5m, 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
