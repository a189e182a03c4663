"""A word where a learner would be stuck: a Service that matches no Pod, and what it nearly matches.

What must hold: hints go to stderr, on a terminal only, so that no program reads them; a hint never fails a verb.

Read next: explain/nearmiss.py, the search for what was meant.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from minik8s.api.apps import Deployment
from minik8s.api.core import Endpoints, Pod, Service
from minik8s.api.meta import Object
from minik8s.cli.session import Session
from minik8s.client.rest import ApiError, Unreachable
from minik8s.explain.nearmiss import selector_hint

Labels = Mapping[str, str]

# --- Where hints are given ------------------------------------------------------------------------------------


def wanted() -> bool:
    return sys.stderr.isatty()


def for_service(session: Session, service: Service) -> None:
    """Say so if a Service selects no Pod."""
    if not wanted() or not service.spec.selector or service.spec.type == "ExternalName":
        return
    try:
        labels = present_and_coming(session, service.metadata.namespace)
    except (ApiError, Unreachable):
        return  # whoever may not list Pods gets no hint
    hint = selector_hint(service.spec.selector, labels)
    if hint:
        click.echo(f"hint: Service {service.metadata.name}: {hint}", err=True)


def present_and_coming(session: Session, namespace: str) -> list[Labels]:
    """The labels of all Pods, and of those that Deployments applied a moment ago are about to make."""
    labels: list[Labels] = [pod.metadata.labels for pod in session.client.list(Pod, namespace).items]
    for deployment in session.client.list(Deployment, namespace).items:
        missing = (1 if deployment.spec.replicas is None else deployment.spec.replicas) - deployment.status.replicas
        labels += [deployment.spec.template.metadata.labels] * missing
    return labels


def after_get(session: Session, groups: Sequence[tuple[type[Object], list[dict[str, Any]]]]) -> None:
    """After `get endpoints NAME`: why there are none."""
    if not wanted() or not session.namespace:
        return
    for cls, values in groups:
        if cls is not Endpoints or len(values) != 1 or values[0].get("subsets"):
            continue
        try:
            for_service(session, session.client.get(Service, values[0]["metadata"]["name"], session.namespace))
        except (ApiError, Unreachable):
            return
