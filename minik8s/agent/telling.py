"""Tells what the agent did and saw: Events for people, journal entries for `history`. Never holds up who tells.

Events are written by a thread of their own, in order; when the API server is away they are dropped after a full
queue, because a node must go on without it. Read next: sync.py.
"""

import queue
import threading
from typing import Any, Protocol

from minik8s.api.meta import ref
from minik8s.api.pods import Pod
from minik8s.host.journal import Journal

_PENDING = 1000


class Recorder(Protocol):
    """What writes Events: client.events.Recorder."""

    def normal(self, obj: Pod, reason: str, message: str) -> None: ...
    def warning(self, obj: Pod, reason: str, message: str) -> None: ...


class Teller:
    def __init__(self, recorder: Recorder, journal: Journal) -> None:
        self._recorder, self._journal = recorder, journal
        self._queue: queue.Queue[tuple[bool, Pod, str, str]] = queue.Queue(_PENDING)

    def start(self) -> None:
        threading.Thread(target=self._run, name="events", daemon=True).start()

    def normal(self, pod: Pod | None, reason: str, message: str) -> None:
        self._put(False, pod, reason, message)

    def warning(self, pod: Pod | None, reason: str, message: str) -> None:
        self._put(True, pod, reason, message)

    def journal(self, stage: str, because: str, pod: Pod | str, **data: Any) -> None:
        """`pod` is the object, or its `namespace/name` when only that is known."""
        if isinstance(pod, str):
            self._journal.record(stage, because, [f"pods/{pod}"], **data)
            return
        object_, _, revision = ref(pod).partition("@")
        self._journal.record(stage, because, [object_], [revision], **data)

    def _put(self, warning: bool, pod: Pod | None, reason: str, message: str) -> None:
        if pod is None:
            return  # gone from the API: nobody would find the Event
        try:
            self._queue.put_nowait((warning, pod, reason, message))
        except queue.Full:
            pass

    def _run(self) -> None:
        while True:
            warning, pod, reason, message = self._queue.get()
            if warning:
                self._recorder.warning(pod, reason, message)
            else:
                self._recorder.normal(pod, reason, message)
