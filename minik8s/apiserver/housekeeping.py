"""What an API server does by itself: make what a cluster begins with, and compact the store, one of several servers.

Invariant: however many servers run, a revision is compacted only when it is at least one period old, so a watch may be
interrupted for that long and still resume. Source: upstream's etcd3 compactor, with its key and its rule. Read
`preparing.py` next.
"""

import logging
import threading

from minik8s import params
from minik8s.apiserver import preparing
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.store.etcd import Store
from minik8s.store.model import Absent, Conflict, Guard, Put, StoreError, Txn, Unchanged

COMPACT_KEY = "compact_rev_key"  # outside the registry: upstream's name
RETRY_S = 0.2

log = logging.getLogger(__name__)


def run(dispatcher: Dispatcher, stop: threading.Event, authority: str = "") -> None:
    """Until `stop`: what must be there first, then compaction every period. `authority`: who signs clients."""
    while not stop.is_set() and not preparing.prepare(dispatcher.registry, authority):
        stop.wait(RETRY_S)
    dispatcher.prepared.set()
    compactor = Compactor(dispatcher.registry.store)
    while not stop.wait(params.COMPACTION_PERIOD_S):
        try:
            compactor.turn()
        except StoreError as error:
            log.warning("compaction has to wait: %s", error)


class Compactor:
    """Forgets the revisions from before the last turn. The key tells all servers that somebody has had this turn."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = 0  # the key's modification revision when we last looked; 0: it was not there
        self._then = 0  # the store's revision at that time

    def turn(self) -> bool:
        """Compact up to where we stood a turn ago, unless another server has had its turn since; True if we did."""
        guard: Guard = Unchanged(COMPACT_KEY, self._seen) if self._seen else Absent(COMPACT_KEY)
        before = self._then
        try:
            at = self._store.commit(Txn((guard,), (Put(COMPACT_KEY, str(before).encode()),)))
        except Conflict as conflict:
            current = conflict.failed[0].current
            self._seen = current.mod_revision if current else 0
            self._then = conflict.revision
            return False
        self._seen, self._then = at, at
        if before:
            self._store.compact(before)
        return bool(before)
