"""`break`: makes one of five faults of a Service that works, for a learner to find; undoes it; judges a mend.

What a fault is stands in explain/faults.py; here its deeds are carried out. What was done is written down in a Secret
of kube-system, so that nobody reads it by accident and it goes with the cluster. What must hold: it is written down
before the first deed, so that `break mend` always knows what to undo.

Read next: explain/faults.py.
"""

import base64
import json
from typing import Any

import click

from minik8s.api import kinds
from minik8s.api.core import Secret, Service
from minik8s.api.meta import DeleteOptions, ObjectMeta
from minik8s.cli import objects
from minik8s.cli.session import Failed, Session, verb
from minik8s.client.rest import NotFound, Why
from minik8s.cluster import launch, registry, state
from minik8s.explain import faults
from minik8s.explain.doctor import ladder
from minik8s.explain.doctor.facts import Facts
from minik8s.explain.doctor.podtrouble import owner
from minik8s.explain.doctor.verdict import RED
from minik8s.explain.doctor.world import World
from minik8s.explain.faults import Deed, Fault, Record, Scene

NAMESPACE, NAME, KEY = "kube-system", "minik8s-break", "record"
WHY = Why("minik8s break: for a learner to find")
QUICK = DeleteOptions(gracePeriodSeconds=1)


@verb("break")
@click.argument("what", metavar="1..5 | list | mend | check")
@click.argument("word", default="svc/web", metavar="[svc/NAME]")
def break_(session: Session, what: str, word: str) -> None:
    """Break a Service in one of five ways, for you to find out: minik8s break 1, then minik8s doctor svc/web.

    \b
    1..5   makes one fault; the Service must be well
    list   what a client sees of each, not what it is
    check  is it mended, and rightly?
    mend   undoes the fault and tells what it was
    """
    verbs = {"list": show, "mend": mend, "check": check}
    numbers = {str(fault.number): fault for fault in faults.FAULTS}
    if what in verbs:
        verbs[what](session)
    elif what in numbers:
        make(session, numbers[what], word)
    else:
        raise Failed(f"error: break what? {', '.join([*numbers, *verbs])}")


def show(session: Session) -> None:
    """The numbers, and what a client sees; not what it is."""
    for fault in faults.FAULTS:
        click.echo(f"{fault.number}  {fault.symptom}")
    broken = read(session)
    if broken:
        click.echo(f"\nBroken now: {broken.service}. `minik8s break check` judges your mend.")


# --- Breaking ---------------------------------------------------------------------------------------------------------


def make(session: Session, fault: Fault, word: str) -> None:
    """Only a Service that works can be broken, and one fault at a time."""
    broken = read(session)
    if broken:
        raise Failed(f"error: {broken.service} is broken already: mend it, or `minik8s break mend` does")
    cls, name = objects.one([word], default="services")
    if cls is not Service:
        raise Failed(f"error: only Services can be broken, not {cls.resource.plural}")
    facts = Facts(session.namespace, name)
    wrong = examine(session, facts)
    ask = f"minik8s doctor{f' -n {facts.namespace}' if facts.namespace != 'default' else ''} svc/{name}"
    if wrong:
        raise Failed(f"error: svc/{name} does not work as it is ({wrong}): `{ask}` says more")
    scene = behold(session, facts)
    try:
        plan = fault.make(scene)
    except faults.NotPossible as error:
        raise Failed(f"error: {error}: choose another fault") from error
    write(session, faults.record(fault, scene, plan))
    for deed in plan.deeds:
        do(session, deed)
    click.echo(f"svc/{name} is broken. What a client sees:\n  {fault.symptom}.")
    click.echo(f"Find out why (`{ask}` helps) and mend it;\nthen: minik8s break check")


def examine(session: Session, facts: Facts) -> str:
    """What the doctor finds wrong; empty when all is well."""
    findings = list(ladder.climb(facts, World(session.client).look))
    last = findings[-1]
    return last.rung.title.lower() + ": no" if last.verdict.state == RED else ""


def behold(session: Session, facts: Facts) -> Scene:
    """The Deployment behind the Service, as it stands in the API: fields that we do not know must survive."""
    owners = {owner(pod) for pod in facts.selected}
    kind, _, name = (owners.pop() if len(owners) == 1 else "").partition("/")
    if kind != "deployment":
        return Scene(facts)
    place = {"deployments": kinds.find("deployments"), "replicasets": kinds.find("replicasets")}
    path = place["deployments"].resource.path(facts.namespace, name)
    deployment = objects.load(session.client.request("GET", path).data)
    every = objects.load(session.client.request("GET", place["replicasets"].resource.path(facts.namespace)).data)
    uid = deployment["metadata"]["uid"]
    sets = [one for one in every["items"] if any(each["uid"] == uid for each in _owners(one))]
    return Scene(facts, deployment, tuple(sets))


def _owners(value: dict[str, Any]) -> list[dict[str, Any]]:
    return value["metadata"].get("ownerReferences") or []


def do(session: Session, deed: Deed) -> None:
    """Carry out one deed. An object that is gone needs no deletion; its patch is the caller's to judge."""
    if deed.do in (faults.STOP, faults.START):
        return switch(session, deed.what, deed.do == faults.STOP)
    plural, namespace, name = deed.what.split("/")
    cls = kinds.find(plural)
    if deed.do == faults.PATCH:
        session.client.patch(cls, name, namespace, dict(deed.patch), why=WHY)
        return
    try:
        session.client.delete(cls, name, namespace, options=QUICK, why=WHY)
    except NotFound:
        pass


def switch(session: Session, component: str, off: bool) -> None:
    """Stop or start a component of this machine's cluster."""
    where = state.paths(session.cluster or state.default_name())
    wish = {"do": "kill" if off else "start", "names": [launch.canonical(component)]}
    try:
        registry.ask(where, wish)
    except (registry.ZygoteAway, OSError) as error:
        raise Failed(f"error: {component} cannot be reached: only where the cluster runs ({error})") from error


# --- Mending ----------------------------------------------------------------------------------------------------------


def mend(session: Session) -> None:
    """Undo what was done, and tell what it was."""
    broken = known(session)
    for deed in broken.undo:
        try:
            do(session, deed)
        except NotFound:
            click.echo(f"{deed.what} is gone: apply its manifest again", err=True)
    forget(session)
    click.echo(f"It was fault {broken.number}: {broken.fault.name} ({broken.fault.code}). It is undone.")


def check(session: Session) -> None:
    """Was it mended, and rightly?"""
    broken = known(session)
    namespace, name = broken.service.split("/")
    facts = Facts(namespace, name)
    wrong = examine(session, facts)
    found = faults.complaints(broken, facts)
    if wrong and facts.service is not None:
        found.append(f"the doctor still finds something wrong with svc/{name}")
    if found:
        raise Failed("Not mended yet:\n" + "\n".join(f"  - {each}" for each in found))
    forget(session)
    click.echo(f"Mended. It was fault {broken.number}: {broken.fault.name} ({broken.fault.code}).")


def known(session: Session) -> Record:
    broken = read(session)
    if broken is None:
        raise Failed("error: nothing is broken: `minik8s break list`")
    return broken


# --- What is written down ---------------------------------------------------------------------------------------------


def read(session: Session) -> Record | None:
    try:
        secret = session.client.get(Secret, NAME, NAMESPACE)
    except NotFound:
        return None
    return faults.from_values(json.loads(base64.b64decode(secret.data[KEY])))


def write(session: Session, given: Record) -> None:
    text = json.dumps(faults.to_values(given)).encode()
    data = {KEY: base64.b64encode(text).decode()}
    session.client.create(Secret(metadata=ObjectMeta(name=NAME, namespace=NAMESPACE), data=data), why=WHY)


def forget(session: Session) -> None:
    session.client.delete(Secret, NAME, NAMESPACE, why=WHY)
