"""What a word of the reader does to the names: index first, then forget every answer, then tell the journal.

Runs in the server's loop, between two questions. What must hold: the order above (an answer made between forgetting
and changing would be kept for ever); a Service stands in the journal only when what its own name stands for differs;
what a new list does not name any more is gone, and what it says again is no change.

Read next: index.py.
"""

import ipaddress

from minik8s.dns import views
from minik8s.dns.index import SERVICE, SLICE
from minik8s.dns.plan import Names
from minik8s.dns.records import Address, Alias, Node
from minik8s.dns.responder import Responder
from minik8s.dns.views import Gone, Listed, Lists, ServiceKey, Synced, View, Word
from minik8s.host.journal import Journal


class Changes:
    """Applies words to one server's names."""

    def __init__(self, names: Names, responder: Responder, journal: Journal) -> None:
        self.names = names
        self.responder = responder
        self.journal = journal
        self._unnamed: dict[str, set[str]] = {}  # of each kind that is just listed: what was known and not named yet

    def apply(self, word: Word) -> None:
        """Take a word in."""
        match word:
            case Synced():
                self.responder.synced = True
                self.responder.forget()
            case Lists():
                self._unnamed[word.kind] = self.names.index.names(word.kind)
            case Listed():
                for place in sorted(self._unnamed.pop(word.kind, ())):
                    old = self.names.index.view(word.kind, place)
                    assert old is not None
                    self._take(Gone(old.namespace, old.name, old.revision, old.kind))
            case _:
                self._unnamed.get(word.kind, set()).discard(word.place)
                self._take(word)

    def _take(self, word: View) -> None:
        index = self.names.index
        known = index.knows(word)
        if not isinstance(word, Gone) and known == views.pack(word):
            return
        keys = sorted(index.services_of(word)) if self.responder.synced else []  # the first list is no change
        before = [self._own_name(key) for key in keys]
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

    def _record(self, key: ServiceKey, now: Node | None, word: View, verb: str) -> None:
        plural = {SERVICE: "services", SLICE: "endpointslices"}[word.kind]
        self.journal.record(
            "names",
            f"{word.kind} {word.name} {'was deleted' if isinstance(word, Gone) else verb}",
            objects=[f"{plural}/{word.namespace}/{word.name}"],
            revisions=[word.revision],
            name=".".join((key[1], key[0], "svc", *self.names.domain)),
            addresses=readable(now),
        )


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
