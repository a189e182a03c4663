"""A word where a learner would be stuck: a Service that matches no Pod, and what it nearly matches.

What must hold: hints go to stderr, on a terminal only, so that no program reads them; a hint never fails a verb. The
search for near misses is pure (`selector_hint`).
"""

import difflib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from minik8s.api.apps import Deployment
from minik8s.api.core import Endpoints, Pod, Service
from minik8s.api.meta import Object
from minik8s.api.selectors import format_labels, matches
from minik8s.cli.session import Session
from minik8s.client.rest import ApiError, Unreachable

Labels = Mapping[str, str]
CLOSE = 0.6  # difflib's measure of likeness from which on a word is taken for a typing error


def selector_hint(selector: Labels, pods: Sequence[Labels]) -> str:
    """Why a selector matches no Pod, and what it may have meant; "" if it does match, or there is nothing to say.

    A near miss is a Pod that differs in one label: its value is spelt otherwise, or it stands under another key.
    """
    if not selector or any(matches(selector, labels) for labels in pods):
        return ""
    wanted = format_labels(selector)
    if not pods:
        return f"No Pod has {wanted}: there are no Pods in this namespace."
    best: dict[str, int] = {}
    for labels in pods:
        near = _near_miss(selector, labels)
        if near:
            best[near] = best.get(near, 0) + 1
    if not best:
        return f"No Pod has {wanted}. Pods here have: {_examples(pods)}."
    label, count = max(best.items(), key=lambda item: (item[1], item[0]))
    return f"No Pod has {wanted}. {count} Pod{'s have' if count > 1 else ' has'} {label}."


def _near_miss(selector: Labels, labels: Labels) -> str:
    """The label of this Pod that was probably meant; "" if more than one thing differs, or nothing is alike."""
    wrong = [(key, value) for key, value in selector.items() if labels.get(key) != value]
    if len(wrong) != 1:
        return ""
    key, value = wrong[0]
    for other_key, other_value in sorted(labels.items()):
        same_value = other_value == value and other_key not in selector
        if same_value or (other_key == key and _alike(other_value, value)):
            return f"{other_key}={other_value}"
        if _alike(other_key, key) and other_value == value:
            return f"{other_key}={other_value}"
    return ""


def _alike(one: str, other: str) -> bool:
    ratio = difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()
    return ratio >= CLOSE or sorted(one) == sorted(other)


def _examples(pods: Sequence[Labels], shown: int = 3) -> str:
    found = sorted({format_labels({k: v}) for labels in pods for k, v in labels.items() if k != "pod-template-hash"})
    return ", ".join(found[:shown]) + (", …" if len(found) > shown else "") if found else "no labels"


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
