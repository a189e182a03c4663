"""The group events.k8s.io/v1: the second face of core Events. What is written by one is read by the other.

Newer programs tell by this one; people and `kubectl get events` read the older. There is one stored object, a core
Event; `RENAMED` says which field is which. Source: the published OpenAPI of Kubernetes 1.33, and KEP-383.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from minik8s.api import core
from minik8s.api.core import EventSource, ObjectReference
from minik8s.api.meta import Int32, MicroTime, Object, Time, resource, says


class EventSeries(core.EventSeries):
    """How often it happened again. Upstream has it as a type of this group, with the same fields."""


@resource("events", short=("ev",))
class Event(Object):
    """Something that happened to an object, told for people. The same objects as core Events."""

    apiVersion: str = says("events.k8s.io/v1")
    kind: str = says("Event")
    eventTime: MicroTime | None = None
    series: EventSeries | None = None
    reportingController: str = ""
    reportingInstance: str = ""
    action: str = ""
    reason: str = ""
    regarding: ObjectReference = msgspec.field(default_factory=ObjectReference)
    related: ObjectReference | None = None
    note: str = ""
    type: str = ""
    deprecatedSource: EventSource = msgspec.field(default_factory=EventSource)
    deprecatedFirstTimestamp: Time | None = None
    deprecatedLastTimestamp: Time | None = None
    deprecatedCount: Int32 = 0


# Here → in a core Event. What is not listed has the same name in both.
RENAMED = {
    "reportingController": "reportingComponent",
    "regarding": "involvedObject",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_BACK = {stored: shown for shown, stored in RENAMED.items()}


def stored_form(value: Any) -> Any:
    """Plain values, or a patch of them, in the words of a core Event."""
    return _renamed(value, RENAMED, Event.resource.apiVersion, core.Event.resource.apiVersion)


def shown_form(value: Any) -> Any:
    """A core Event's plain values in the words of this group."""
    return _renamed(value, _BACK, core.Event.resource.apiVersion, Event.resource.apiVersion)


def _renamed(value: Any, names: Mapping[str, str], before: str, after: str) -> Any:
    if not isinstance(value, dict):
        return value
    found = {names.get(name, name): each for name, each in value.items()}
    if found.get("apiVersion") == before:
        found["apiVersion"] = after
    return found
