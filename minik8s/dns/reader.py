"""The reader: a process of its own that watches the API and tells the server, word by word, what every object means.

Decoding objects is busy work, and a server that shares an interpreter with it answers late: each question waits until
the other thread lets go. So the watches live in a child process, which reduces every object to its view (views.py)
and writes it to a socket pair. The server takes words in between two questions, at its own pace; when it falls
behind, the socket fills and the watches wait. The reader keeps nothing: what a new list does not name any more, the
server finds out (changes.py).

What must hold: words about one object arrive in the order of its revisions; `Synced` comes after the first full list
of every kind; neither process outlives the other.

Read next: views.py, then changes.py, where the words arrive.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from minik8s import params
from minik8s.api.core import Namespace, Pod, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object
from minik8s.client.reflector import Reflector
from minik8s.client.rest import Client, WatchEvent
from minik8s.dns import views
from minik8s.host import processes

T = TypeVar("T", bound=Object)
log = logging.getLogger("dns")
BUFFER = 1 << 20  # bytes of words that may wait for the server


def start(client: Client, pods: bool, title: str) -> socket.socket:
    """Fork the reader and return our end of the pair. Call it before the process has a second thread."""
    ours, its = socket.socketpair()
    its.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    def work() -> None:
        ours.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # it is the server that is told to stop; the reader ends with it
        Reader(client, its).run(pods)

    processes.fork(work, title)
    its.close()
    return ours


class Reader:
    """Watches, and the socket their words go to. `_lock` keeps words whole: each watch has a thread."""

    def __init__(self, client: Client, sink: socket.socket) -> None:
        self._client, self._sink = client, sink
        self._lock = threading.Lock()

    def run(self, pods: bool) -> None:
        """Until the server is gone. `pods`: whether Pods are read as well."""
        watches = [Watch(self._client, cls, self._send) for cls in (Namespace, Service, EndpointSlice)]
        watches += [Watch(self._client, Pod, self._send)] if pods else []
        for watch in watches:
            watch.start()
        for watch in watches:
            watch.listed.wait()
        self._send(views.Synced())
        log.info("everything was listed once")
        self._sink.recv(1)  # nothing ever comes but the end
        for watch in watches:
            watch.stop()

    def _send(self, word: views.Word) -> None:
        data = views.encode(word)
        try:
            with self._lock:
                self._sink.sendall(data)
        except BrokenPipeError:
            pass  # the server is gone, and so are we in a moment


class Watch(Reflector[T]):
    """One kind, told as words. A list is read in pages, so that never more than one of them is in memory."""

    def __init__(self, client: Client, cls: type[T], tell: Callable[[views.Word], None]) -> None:
        super().__init__(client, cls)
        self._tell = tell
        self.listed = threading.Event()

    def _list(self) -> None:
        kind = self.cls.resource.kind
        self._tell(views.Lists(kind))
        for page in self._pages(params.DNS_PAGE):
            for obj in page.items:
                self._tell(views.view(obj))
        self._tell(views.Listed(kind))
        self._revision = page.resourceVersion
        self.listed.set()

    def _apply(self, event: WatchEvent[T]) -> None:
        if event.type == "DELETED":
            self._tell(views.gone(event.object))
        elif event.type != "BOOKMARK":
            self._tell(views.view(event.object))
        self._revision = event.object.metadata.resourceVersion
