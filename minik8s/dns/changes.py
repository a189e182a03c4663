"""What a word of the reader does to the names: index first, then forget every answer, then tell the journal.

Runs in the server's loop, between two questions. What must hold: the order above (an answer made between forgetting
and changing would be kept for ever); a Service stands in the journal only when what its own name stands for differs.

Read next: index.py.
"""

import ipaddress

from minik8s.dns.plan import Names
from minik8s.dns.records import Address, Alias, Node
from minik8s.dns.responder import Responder
from minik8s.dns.views import Gone, Listed, ServiceKey, ServiceView, SliceView, View, Word
from minik8s.host.journal import Journal


class Changes:
    """Applies words to one server's names."""

    def __init__(self, names: Names, responder: Responder, journal: Journal) -> None:
        self.names = names
        self.responder = responder
        self.journal = journal

    def apply(self, word: Word) -> None:
        """Take a word in."""
        if isinstance(word, Listed):
            self.responder.synced = True
            self.responder.forget()
            return
        index = self.names.index
        keys = sorted(index.services_of(word)) if self.responder.synced else []  # the first list is no change
        before = [self._own_name(key) for key in keys]
        known = isinstance(word, ServiceView | SliceView) and self._known(word)
        index.take(word)
        if word.revision.isdigit():  # the zone's serial is the newest revision taken in, so that it only ever grows
            index.serial = max(index.serial, int(word.revision) & 0xFFFFFFFF)
        self.responder.forget()
        for key, was in zip(keys, before, strict=True):
            now = self._own_name(key)
            if now != was and readable(now) != readable(was):
                self._record(key, now, word, "changed" if known else "appeared")

    def _own_name(self, key: ServiceKey) -> Node | None:
        """What a Service's own name stands for now; None if there is no such name."""
        return self.names.node((key[1], key[0], "svc", *self.names.domain))

    def _known(self, word: ServiceView | SliceView) -> bool:
        place = (word.namespace, word.name)
        index = self.names.index
        return place in (index.services if isinstance(word, ServiceView) else index.slices_by_name)

    def _record(self, key: ServiceKey, now: Node | None, word: View, verb: str) -> None:
        kind, plural = _kind(word)
        self.journal.record(
            "names",
            f"{kind} {word.name} {'was deleted' if isinstance(word, Gone) else verb}",
            objects=[f"{plural}/{word.namespace}/{word.name}"],
            revisions=[word.revision],
            name=".".join((key[1], key[0], "svc", *self.names.domain)),
            addresses=readable(now),
        )


def _kind(word: View) -> tuple[str, str]:
    kind = word.kind if isinstance(word, Gone) else "Service" if isinstance(word, ServiceView) else "EndpointSlice"
    return kind, {"Service": "services", "EndpointSlice": "endpointslices"}[kind]


def readable(node: Node | None) -> list[str] | None:
    """The addresses, or the other name, that a name stands for, as people write them; None if there is no such name."""
    if node is None:
        return None
    found = []
    for data in (each for _, several in sorted(node.items()) for each in several):
        if isinstance(data, Address):
            found.append(str(ipaddress.ip_address(data.packed)))
        elif isinstance(data, Alias):
            found.append(".".join(data.target))
    return sorted(found)
