"""Events: what happened to an object, told for people.

The same thing happening again is counted on the Event that is already there. An Event that cannot be written is
dropped with a log line: telling must never stop doing. Source: client-go's record.EventRecorder.
"""

import logging
import threading

from minik8s.api.core import Event, EventSource, ObjectReference
from minik8s.api.meta import Object, ObjectMeta
from minik8s.api.times import rfc3339
from minik8s.client.rest import ApiError, Client, NotFound, Unreachable, Why
from minik8s.host import clock

log = logging.getLogger(__name__)
_REMEMBERED = 1000


def reference(obj: Object) -> ObjectReference:
    meta = obj.metadata
    return ObjectReference(
        kind=obj.resource.kind,
        apiVersion=obj.resource.apiVersion,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resourceVersion=meta.resourceVersion,
    )


class Recorder:
    """Writes Events as `component` (on `node`). `_lock` guards `_known`: which Event already tells the same."""

    def __init__(self, client: Client, component: str, node: str = "") -> None:
        self._client = client
        self._source = EventSource(component=component, host=node)
        self._known: dict[tuple[str, str, str], tuple[str, int]] = {}
        self._lock = threading.Lock()

    def normal(self, obj: Object, reason: str, message: str) -> None:
        self._record(obj, "Normal", reason, message)

    def warning(self, obj: Object, reason: str, message: str) -> None:
        self._record(obj, "Warning", reason, message)

    def _record(self, obj: Object, type: str, reason: str, message: str) -> None:
        same = (obj.metadata.uid, reason, message)
        try:
            with self._lock:
                known = self._known.get(same)
            name, count = self._again(obj, known) if known else ("", 0)
            if not name:
                name, count = self._first(obj, type, reason, message), 1
            with self._lock:
                if len(self._known) >= _REMEMBERED:
                    self._known.pop(next(iter(self._known)))
                self._known[same] = (name, count)
        except (ApiError, Unreachable) as error:
            log.warning("event %s for %s not written: %s", reason, obj.metadata.name, error)

    def _again(self, obj: Object, known: tuple[str, int]) -> tuple[str, int]:
        name, count = known[0], known[1] + 1
        patch = {"count": count, "lastTimestamp": rfc3339(clock.wall())}
        try:
            self._client.patch(Event, name, _namespace(obj), patch, why=Why("it happened again", [obj]))
        except NotFound:
            return "", 0  # an hour has passed
        return name, count

    def _first(self, obj: Object, type: str, reason: str, message: str) -> str:
        now = rfc3339(clock.wall())
        event = Event(
            metadata=ObjectMeta(name=f"{obj.metadata.name}.{clock.uid()[:13]}", namespace=_namespace(obj)),
            involvedObject=reference(obj),
            reason=reason,
            message=message,
            source=self._source,
            firstTimestamp=now,
            lastTimestamp=now,
            count=1,
            type=type,
            reportingComponent=self._source.component,
            reportingInstance=self._source.host,
        )
        return self._client.create(event, why=Why(message, [obj])).metadata.name


def _namespace(obj: Object) -> str:
    return obj.metadata.namespace or "default"
