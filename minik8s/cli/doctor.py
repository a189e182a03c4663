"""`doctor`: climbs the ladder of Kubernetes' "Debug Services" page for one Service, up to the first rung that breaks.

All is asked and judged in explain/doctor/; here is only what people type. Exit code 0: nothing wrong was found.

Read next: explain/doctor/ladder.py.
"""

import json
import sys

import click

from minik8s.api.core import Pod, Service
from minik8s.cli import objects
from minik8s.cli.session import Failed, Session, verb
from minik8s.explain.doctor import ladder, tell
from minik8s.explain.doctor.facts import Facts
from minik8s.explain.doctor.ladder import Finding
from minik8s.explain.doctor.world import World


@verb("doctor")
@click.argument("word", metavar="svc/NAME")
@click.option("--from", "source", default="", metavar="pod/NAME", help="Ask from this Pod, and look at its node only.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="For programs.")
def doctor(session: Session, word: str, source: str, output: str | None) -> None:
    """Find out why a Service does not answer: minik8s doctor svc/web --from pod/client."""
    facts = begin(session, word, source)
    findings: list[Finding] = []
    for finding in ladder.climb(facts, World(session.client).look):
        if not output:
            if not findings:
                click.echo(tell.head(facts) + "\n")
            click.echo("\n".join(tell.line(finding)))
        findings.append(finding)
    if output:
        click.echo(json.dumps(tell.values(facts, findings), indent=1))
    else:
        click.echo("\n".join(tell.end(findings)))
    sys.exit(1 if findings[-1].verdict.state == "red" else 0)


def begin(session: Session, word: str, source: str) -> Facts:
    """What is known from the command line alone."""
    cls, name = objects.one([word], default="services")
    if cls is not Service:
        raise Failed(f"error: doctor looks at Services, not at {cls.resource.plural}")
    facts = Facts(session.namespace, name)
    if source:
        cls, pod = objects.one([source], default="pods")
        if cls is not Pod:
            raise Failed(f"error: --from names a Pod, not one of {cls.resource.plural}")
        facts.source, facts.from_given = session.client.get(Pod, pod, session.namespace), True
        if not facts.source.spec.nodeName or not facts.source.status.podIP:
            raise Failed(f"error: Pod {pod} does not run yet, so nothing can be asked from it")
    return facts
