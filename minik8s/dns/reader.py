"""The reader: a process of its own that watches the API and tells the server, word by word, what every object means.

Decoding objects is busy work, and a server that shares an interpreter with it answers late: each question waits until
the other thread lets go. So the watches live in a child process, which reduces every object to its view (views.py)
and writes it to a socket pair. The server takes words in between two questions, at its own pace; when it falls
behind, the socket fills and the watches wait. The reader keeps of each object only its name and revision.

What must hold: words about one object arrive in the order of its revisions; `Listed` comes after the first full list
of every kind; neither process outlives the other.

Read next: views.py, then changes.py, where the words arrive.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from minik8s.api.core import Namespace, Pod, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object, ObjectMeta
from minik8s.client.informer import Informer
from minik8s.client.rest import Client
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
    """Informers, and the socket their words go to. `_lock` keeps words whole: each informer has a thread."""

    def __init__(self, client: Client, sink: socket.socket) -> None:
        self._client, self._sink = client, sink
        self._lock = threading.Lock()

    def run(self, pods: bool) -> None:
        """Until the server is gone. `pods`: whether Pods are read as well."""
        informers = [self._follow(cls) for cls in (Namespace, Service, EndpointSlice)]
        informers += [self._follow(Pod)] if pods else []
        for informer in informers:
            informer.wait_synced()
        self._send(views.Listed())
        log.info("everything was listed once")
        self._sink.recv(1)  # nothing ever comes but the end

    def _follow(self, cls: type[T]) -> Informer[T]:
        informer = Informer(self._client, cls, remember=stub(cls))
        informer.on_change(self._tell)
        informer.start()
        return informer

    def _tell(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self._send(views.view(new))
        elif old is not None:
            self._send(views.gone(old))

    def _send(self, word: views.Word) -> None:
        data = views.encode(word)
        try:
            with self._lock:
                self._sink.sendall(data)
        except BrokenPipeError:
            pass  # the server is gone, and so are we in a moment


def stub(cls: type[T]) -> Callable[[T], T]:
    """What is remembered of an object: name and revision. The rest is one empty object, shared by all."""
    empty, nothing = cls(), ObjectMeta()

    def cut(obj: T) -> T:
        meta = obj.metadata
        slim = msgspec.structs.replace(
            nothing, namespace=meta.namespace, name=meta.name, uid=meta.uid, resourceVersion=meta.resourceVersion
        )
        return msgspec.structs.replace(empty, metadata=slim)

    return cut
