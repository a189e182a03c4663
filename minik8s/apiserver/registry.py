"""Objects in the store: their keys, reading the newest, and guarded writes with every outcome accounted for.

Invariants: an object is read for a write from etcd itself, never from the cache; a write carries the revision of what
it was decided on; when etcd goes away in the middle of a write, the key is read again before anything is answered.
Read `verbs.py` next.
"""

import threading
from dataclasses import dataclass

from minik8s import params
from minik8s.api import codec
from minik8s.api.meta import Object
from minik8s.apiserver import errors
from minik8s.host import clock
from minik8s.store.cache import Cache
from minik8s.store.etcd import Store
from minik8s.store.model import KV, Conflict, Put, Refused, StoreError, Txn, Unavailable, Unknown

LOOK_AGAIN_S = 0.1


@dataclass(frozen=True)
class Stored:
    """An object as etcd has it. `decode` makes a fresh one each time, so whoever gets it may change it."""

    cls: type[Object]
    kv: KV

    @property
    def revision(self) -> int:
        return self.kv.mod_revision

    def decode(self) -> Object:
        obj = codec.decode(self.cls, self.kv.value)
        obj.metadata.resourceVersion = str(self.revision)
        return obj


def prefix_of(cls: type[Object], namespace: str = "") -> str:
    """`/registry/core/pods/` or `/registry/core/pods/default/`."""
    prefix = f"{params.REGISTRY_PREFIX}{cls.resource.group or 'core'}/{cls.resource.plural}/"
    return f"{prefix}{namespace}/" if namespace else prefix


def key_of(cls: type[Object], namespace: str, name: str) -> str:
    return prefix_of(cls, namespace) + name


def put(key: str, value: bytes, cls: type[Object]) -> Put:
    """Events are news: etcd forgets them by itself after an hour."""
    return Put(key, value, params.EVENT_TTL_S if cls.resource.plural == "events" else 0)


class Registry:
    """The store and its cache, in the words of objects. Thread-safe, as both are."""

    def __init__(self, store: Store, cache: Cache) -> None:
        self.store = store
        self.cache = cache
        self._heard = 0  # the newest revision of which etcd has told
        self._lock = threading.Lock()

    @property
    def newest(self) -> int:
        """The newest revision that this server knows of; its cache may be a moment behind."""
        return max(self._heard, self.cache.revision)

    def _hear(self, revision: int) -> None:
        with self._lock:
            self._heard = max(self._heard, revision)

    def read(self, cls: type[Object], namespace: str, name: str) -> Stored | None:
        """The object as it is now."""
        try:
            kv, revision = self.store.get(key_of(cls, namespace, name))
        except Unavailable as error:
            raise errors.unavailable(f"etcd does not answer: {error}") from error
        self._hear(revision)
        return Stored(cls, kv) if kv else None

    def commit(self, txn: Txn) -> int:
        """Write, and return the revision. Raises the store's Conflict when a guard does not hold."""
        try:
            revision = self.store.commit(txn)
        except Conflict as conflict:
            self._hear(conflict.revision)
            raise
        except Unknown:
            return self._find_out(txn)
        except Unavailable as error:
            raise errors.unavailable(f"etcd does not answer: {error}") from error
        except Refused as error:
            raise errors.internal(f"etcd refused the write: {error}") from error
        self._hear(revision)
        return revision

    def _find_out(self, txn: Txn) -> int:
        """etcd went away during the write: ask what became of it as soon as it is back."""
        until = clock.monotonic() + params.FRESH_READ_TIMEOUT_S
        pause = threading.Event()
        while clock.monotonic() < until:
            try:
                landed = self.store.landed(txn)
            except StoreError:
                pause.wait(LOOK_AGAIN_S)
                continue
            if landed is not None:
                return landed
            break
        raise errors.timeout(
            "the store went away during the write; it may or may not have been done: read before retrying"
        )

    def wait_fresh(self) -> int:
        """Wait until the cache has everything that was written before this call; returns that revision."""
        try:
            revision = self.store.revision()
        except StoreError as error:
            raise errors.unavailable(f"etcd does not answer: {error}") from error
        self.wait_for(revision)
        return revision

    def wait_for(self, revision: int) -> None:
        """Wait until the cache is at least as new as this."""
        if not self.cache.wait_for(revision, params.FRESH_READ_TIMEOUT_S):
            raise errors.too_large_version(revision, self.cache.revision)
