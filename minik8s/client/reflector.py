"""Lists a kind, then watches it, for ever; what comes of it is for others to keep.

Invariants: every object is told of in the order of its revisions, in the reflector's own thread; after a lost
connection the watch resumes where it was, and only a revision that is no longer kept (410) makes it list again.

Source: client-go's reflector. Read next: `informer.py`, which keeps a copy of all objects.
"""

import logging
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from minik8s import params
from minik8s.api.meta import Object
from minik8s.client.rest import ApiError, Client, Gone, Listing, Response, Unreachable, WatchEvent, read_watch

T = TypeVar("T", bound=Object)
log = logging.getLogger(__name__)


class Reflector(Generic[T]):
    """Objects of `cls` that the selectors choose. A subclass says what a list (`_list`) and an event (`_apply`) mean.

    Both set `_revision`, the one that the watch resumes from.
    """

    def __init__(self, client: Client, cls: type[T], namespace: str = "", labels: str = "", fields: str = "") -> None:
        self.cls = cls
        self._client = client
        self._namespace = namespace
        self._selectors = {"labels": labels, "fields": fields}
        self._revision = ""
        self._stop = threading.Event()
        self._stream: Response | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def start(self) -> None:
        """From any thread; whoever comes first starts it."""
        with self._starting:
            if self._thread is not None:
                return
            name = f"informer-{self.cls.resource.plural}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._stream is not None:
            self._stream.shut()

    def _list(self) -> None:
        raise NotImplementedError

    def _apply(self, event: WatchEvent[T]) -> None:
        raise NotImplementedError

    def _pages(self, limit: int = 0) -> Iterator[Listing[T]]:
        """All there is, as it was at one moment, so many objects at a time; 0: at once."""
        size = {"limit": str(limit)} if limit else {}
        token: dict[str, str] = {}
        while True:
            page = self._client.list(self.cls, self._namespace, **self._selectors, **size, **token)
            yield page
            if not page.continue_:
                return
            token = {"continue": page.continue_}

    def _run(self) -> None:
        least, most = params.INFORMER_BACKOFF_S
        delay = least
        while not self._stop.is_set():
            try:
                if not self._revision:
                    self._list()
                self._follow()
                delay = least
                continue
            except Gone:
                self._revision = ""
                continue
            except (Unreachable, ApiError) as error:
                if not self._stop.is_set():
                    log.warning("watch of %s: %s; again in %.2f s", self.cls.resource.plural, error, delay)
            self._stop.wait(delay)
            delay = min(delay * 2, most)

    def _follow(self) -> None:
        self._stream = self._client.open_watch(
            self.cls,
            self._namespace,
            resourceVersion=self._revision,
            labelSelector=self._selectors["labels"],
            fieldSelector=self._selectors["fields"],
        )
        if self._stop.is_set():
            self._stream.shut()
        for event in read_watch(self.cls, self._stream):
            self._apply(event)
