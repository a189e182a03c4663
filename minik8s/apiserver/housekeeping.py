"""What an API server does by itself: the first namespaces, and compaction of the store by one of several servers.

Invariant: however many servers run, a revision is compacted only when it is at least one period old, so a watch may be
interrupted for that long and still resume. Source: upstream's etcd3 compactor, with its key and its rule.
"""

import logging
import threading

from minik8s import params
from minik8s.api.core import Namespace
from minik8s.api.meta import ObjectMeta
from minik8s.apiserver import errors
from minik8s.apiserver.authn import AUTHENTICATED, User
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.request import Request
from minik8s.apiserver.routes import Target
from minik8s.store.etcd import Store
from minik8s.store.model import Absent, Conflict, Guard, Put, StoreError, Txn, Unchanged

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
MYSELF = User("system:apiserver", ("system:masters", AUTHENTICATED))
COMPACT_KEY = "compact_rev_key"  # outside the registry: upstream's name
RETRY_S = 0.2

log = logging.getLogger(__name__)


def run(dispatcher: Dispatcher, stop: threading.Event) -> None:
    """Until `stop`: namespaces first, then compaction every period."""
    while not stop.is_set() and not _namespaces(dispatcher):
        stop.wait(RETRY_S)
    dispatcher.prepared.set()
    compactor = Compactor(dispatcher.registry.store)
    while not stop.wait(params.COMPACTION_PERIOD_S):
        try:
            compactor.turn()
        except StoreError as error:
            log.warning("compaction has to wait: %s", error)


def _namespaces(dispatcher: Dispatcher) -> bool:
    """Make the namespaces that every cluster has; True when all are there."""
    for name in NAMESPACES:
        request = Request(Target(Namespace), "create", MYSELF)
        try:
            dispatcher.verbs.insert(request, Namespace(metadata=ObjectMeta(name=name)))
        except errors.Failure as failure:
            if failure.status.reason != "AlreadyExists":
                log.warning("cannot make the namespace %s yet: %s", name, failure)
                return False
    return True


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
