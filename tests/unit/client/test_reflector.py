"""A reflector reads a list page by page, begins it anew when it has grown too old, and watches from where it was."""

import threading
from types import SimpleNamespace

from minik8s.api import codec
from minik8s.api.core import ConfigMap
from minik8s.api.meta import Status
from minik8s.client.reflector import Reflector
from minik8s.client.rest import Gone, Listing


def cm(name: str, revision: str) -> ConfigMap:
    return codec.from_dict(ConfigMap, {"metadata": {"name": name, "resourceVersion": revision}})


class Told(Reflector[ConfigMap]):
    """Writes down what it is told; ends with the first watch."""

    def __init__(self, client) -> None:
        super().__init__(client, ConfigMap)
        self.heard: list[str] = []

    def _list(self) -> None:
        self.heard.append("list")
        for page in self._pages(2):
            self.heard += [obj.metadata.name for obj in page.items]
        self._revision = page.resourceVersion

    def _apply(self, event) -> None:
        self.heard.append(f"{event.type} {event.object.metadata.name}")
        self._revision = event.object.metadata.resourceVersion


class Paged:
    """A server of three objects in pages of two, whose second page is too old the first time."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.old = 1
        self.watched: list[str] = []
        self.resumed = threading.Event()

    def list(self, cls, namespace, labels, fields, **query) -> Listing[ConfigMap]:
        self.asked.append(query)
        if "continue" not in query:
            return Listing([cm("a", "1"), cm("b", "2")], "7", "more")
        if self.old:
            self.old -= 1
            raise Gone(Status(code=410, reason="Expired"))
        return Listing([cm("c", "3")], "7")

    def open_watch(self, cls, namespace, resourceVersion, labelSelector, fieldSelector):
        self.watched.append(resourceVersion)
        if len(self.watched) == 1:
            lines = [b'{"type":"ADDED","object":{"metadata":{"name":"d","resourceVersion":"9"}}}']
            return SimpleNamespace(lines=lambda: iter(lines), shut=lambda: None)
        self.resumed.set()
        ended = threading.Event()  # silent until somebody shuts it
        return SimpleNamespace(lines=lambda: iter([] if ended.wait(5) else ["nobody shut it"]), shut=ended.set)


def followed() -> tuple[Told, Paged]:
    """A reflector that has come as far as its second watch."""
    server = Paged()
    told = Told(server)
    told.start()
    assert server.resumed.wait(5)
    told.stop()
    return told, server


def test_a_list_is_read_in_pages_and_begun_anew_when_it_has_grown_too_old():
    told, server = followed()
    assert told.heard == ["list", "a", "b", "list", "a", "b", "c", "ADDED d"]
    assert server.asked == [{"limit": "2"}, {"limit": "2", "continue": "more"}] * 2


def test_a_watch_that_ended_resumes_from_the_last_event():
    _, server = followed()
    assert server.watched == ["7", "9"]
