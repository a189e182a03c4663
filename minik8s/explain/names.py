"""What a name means to a Pod, and what is asked just now: fetched from the Pod's node and from the nodes' DNS servers.

Read only, through the API server's node proxy. The agent asks in the Pod's network with the Pod's own resolv.conf;
which objects stand behind an answer is the DNS server's to say, and only it knows which revision it has read.

Read next: agent/reach.py, dns/pages.py.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from minik8s.api.core import Node, Pod
from minik8s.client.rest import ApiError, Client

PAUSE_S = 0.25


@dataclass(frozen=True)
class Asked:
    """One question, as it went over the wire."""

    name: str
    rcode: str
    milliseconds: float
    reply: bytes
    sources: tuple[str, ...]  # objects with the revision that was read, or who else said it


@dataclass(frozen=True)
class Told:
    nameservers: tuple[str, ...]
    searches: tuple[str, ...]
    ndots: int
    asked: tuple[Asked, ...]


def ask(client: Client, pod: tuple[str, str], name: str, kind: int) -> Told:
    """All that the Pod's resolver would do to find this name's records of a type, by its number."""
    namespace, plain = pod
    node = client.get(Pod, plain, namespace).spec.nodeName
    if not node:
        raise ValueError(f"Pod {plain} is bound to no node yet: there is nowhere to ask from")
    found = page(client, node, "agent", "/debug/lookup", pod=f"{namespace}/{plain}", name=name, type=str(kind))
    asked = tuple(_asked(client, node, each, kind) for each in found["asked"])
    return Told(tuple(found["nameservers"]), tuple(found["searches"]), found["ndots"], asked)


def _asked(client: Client, node: str, one: dict[str, Any], kind: int) -> Asked:
    """The question, with what the node's own server says of it now."""
    try:
        why = page(client, node, "dns", "/debug/answer", name=one["name"], type=f"TYPE{kind}")
        sources = [*why["sources"], *(["another DNS server (--upstream)"] if why.get("foreign") else [])]
    except ApiError as error:
        sources = [f"(this node's DNS server does not say: {error})"]
    return Asked(one["name"], one["rcode"], one["milliseconds"], bytes.fromhex(one["reply"]), tuple(sources))


class Tail:
    """The questions that one node's server is asked, from now on."""

    def __init__(self, client: Client, node: str) -> None:
        self.node = node
        self._client = client
        self._last: int | None = None

    def more(self) -> Iterator[dict[str, Any]]:
        """What was asked since the last look; the first look only begins."""
        found = page(self._client, self.node, "dns", "/debug/questions", since=str(self._last or 0))
        if found["last"] < (self._last or 0):
            self._last = 0  # the server was started anew, and counts from one again
            return
        first, self._last = self._last is None, found["last"]
        if found["missed"]:
            yield {"missed": found["missed"]}
        yield from [] if first else found["questions"]


def pause() -> None:
    """Until the next look."""
    threading.Event().wait(PAUSE_S)


def page(client: Client, node: str, component: str, path: str, **query: str) -> dict[str, Any]:
    """A debug page of a component of a node."""
    where = Node.resource.path("", node, "proxy") + f"/debug/{component}{path}?{urlencode(query)}"
    return msgspec.json.decode(client.request("GET", where).data)
