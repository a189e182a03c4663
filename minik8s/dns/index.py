"""What is known of each object, and two indexes over it: a Service's slices, and who owns an address.

Objects rest as bytes, the words of views.py, and are read again when somebody asks for a name: a question asked before
is answered from the memo, and ten thousand Services as Python objects would take four times the memory.

What must hold: an event of one kind never waits for one of another (a slice may come before its Service); when a
slice's label names another Service, both the old and the new one have changed; taking a view in twice is taking it in
once.

Read next: plan.py, which resolves names over these.
"""

import sys
from collections.abc import Iterable
from typing import TypeVar

from minik8s.dns import views
from minik8s.dns.views import (
    EndpointView,
    Gone,
    NamespaceView,
    PodView,
    ServiceKey,
    ServiceView,
    SliceView,
    View,
)

K = TypeVar("K")

SERVICE, SLICE, NAMESPACE, POD = "Service", "EndpointSlice", "Namespace", "Pod"


class Index:
    """All that DNS knows. Owned by the server's loop; nobody else touches it. Keys are texts, `namespace/name`."""

    def __init__(self) -> None:
        self.serial = 1
        self._objects: dict[str, dict[str, bytes]] = {SERVICE: {}, SLICE: {}, NAMESPACE: {}, POD: {}}
        self._pieces: dict[str, tuple[str, ...]] = {}  # Service → its slices, by name
        # Address → the Service that has it; a list where several do, or one of them more than once.
        self._owners: dict[bytes, str | list[str]] = {}
        # How many of these addresses begin with some bytes, by their size: what exists above a name of a reverse tree.
        self._prefixes: dict[int, dict[bytes, int]] = {4: {}, 16: {}}
        self._pod_addresses: dict[tuple[str, bytes], int] = {}  # (namespace, address) → how many Pods; verified mode

    # --- What is known ------------------------------------------------------------------------------------------------

    def view(self, kind: str, place: str) -> View | None:
        """What is known of an object, by its kind and `namespace/name`."""
        body = self._objects[kind].get(place)
        return None if body is None else views.read(body)

    def service(self, key: ServiceKey) -> ServiceView | None:
        found = self.view(SERVICE, "/".join(key))
        return found if isinstance(found, ServiceView) else None

    def slices(self, key: ServiceKey) -> list[SliceView]:
        """The slices of a Service, in the order of their names."""
        found = (self.view(SLICE, piece) for piece in self._pieces.get("/".join(key), ()))
        return [piece for piece in found if isinstance(piece, SliceView)]

    def ready(self, service: ServiceKey) -> list[tuple[EndpointView, SliceView]]:
        """The ready endpoints of a Service, each with its slice."""
        return [(endpoint, piece) for piece in self.slices(service) for endpoint in piece.endpoints]

    def namespace(self, name: str) -> NamespaceView | None:
        found = self.view(NAMESPACE, f"/{name}")
        return found if isinstance(found, NamespaceView) else None

    def pods(self, namespace: str) -> list[PodView]:
        """The Pods of a namespace; a search, for who wants to know where an answer comes from."""
        known = self._objects[POD]
        found = (views.read(body) for key, body in known.items() if key.startswith(f"{namespace}/"))
        return [pod for pod in found if isinstance(pod, PodView)]

    def has_pod(self, namespace: str, address: bytes) -> bool:
        return (namespace, address) in self._pod_addresses

    def owners(self, address: bytes) -> list[ServiceKey]:
        """The Services that have this address, their own or an endpoint's."""
        found = self._owners.get(address, [])
        texts = [found] if isinstance(found, str) else sorted(set(found))
        return [_key(text) for text in texts]

    def begins(self, start: bytes, half: bool, size: int) -> bool:
        """Does an address of this size begin so? `half`: only the high bits of the last byte are meant."""
        known = self._prefixes[size]
        if not half:
            return start in known
        whole = self._owners if len(start) == size else known
        return any(start[:-1] + bytes((start[-1] | low,)) in whole for low in range(16))

    @property
    def empty(self) -> bool:
        """Is nothing left, of no object?"""
        known = (*self._objects.values(), *self._prefixes.values(), self._pieces, self._owners, self._pod_addresses)
        return not any(known)

    def names(self, kind: str) -> set[str]:
        """All objects of a kind, as `namespace/name`."""
        return set(self._objects[kind])

    def knows(self, word: View) -> bytes | None:
        """What was said last about the object that this word is about."""
        return self._objects[word.kind].get(word.place)

    def services_of(self, word: View) -> set[ServiceKey]:
        """The Services whose names a word has a say in, now or until now."""
        if word.kind == SERVICE:
            return {(word.namespace, word.name)}
        if word.kind != SLICE:
            return set()
        pieces = (self.view(SLICE, word.place), word)
        return {piece.key for piece in pieces if isinstance(piece, SliceView) and piece.service}

    # --- Changes ------------------------------------------------------------------------------------------------------

    def take(self, word: View) -> None:
        """Take in what an object means from now on."""
        old = self.view(word.kind, word.place)
        self._objects[word.kind].pop(word.place, None)
        if old is not None:
            self._mean(old, -1)
        if not isinstance(word, Gone) and not (isinstance(word, SliceView) and not word.service):
            self._objects[word.kind][word.place] = views.pack(word)
            self._mean(word, 1)

    def _mean(self, view: View, step: int) -> None:
        """Enter what a view means into the indexes (1), or strike it out (-1)."""
        match view:
            case ServiceView():
                self._own(view.place, view.addresses, step)
            case SliceView():
                service = "/".join(view.key)
                others = [piece for piece in self._pieces.pop(service, ()) if piece != view.place]
                pieces = sorted([*others, view.place]) if step > 0 else others
                if pieces:
                    self._pieces[service] = tuple(pieces)
                self._own(service, (each.address for each in view.endpoints), step)
            case PodView():
                for address in view.addresses:
                    _count(self._pod_addresses, (sys.intern(view.namespace), address), step)

    def _own(self, service: str, addresses: Iterable[bytes], step: int) -> None:
        for address in addresses:
            owners = self._owners.pop(address, [])
            several = [owners] if isinstance(owners, str) else owners
            before = bool(several)
            if step > 0:
                several.append(service)
            else:
                several.remove(service)
            if several:
                self._owners[address] = several[0] if len(several) == 1 else several
            if before != bool(several):
                for end in range(len(address)):
                    _count(self._prefixes[len(address)], address[:end], step)


def _count(known: dict[K, int], what: K, step: int) -> None:
    known[what] = known.get(what, 0) + step
    if not known[what]:
        del known[what]


def _key(text: str) -> ServiceKey:
    namespace, _, name = text.partition("/")
    return namespace, name
