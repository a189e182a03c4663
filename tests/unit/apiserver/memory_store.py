"""A store in memory that behaves: same words as `store.etcd`, guards that hold or do not, and faults on demand."""

from minik8s.api import codec
from minik8s.apiserver.auth.authn import AUTHENTICATED, User
from minik8s.apiserver.registry import Registry
from minik8s.apiserver.request import Request
from minik8s.apiserver.routes import Target
from minik8s.store.model import KV, Conflict, Failed, Page, holds
from minik8s.store.splice import fill

ADMIN = User("admin", ("system:masters", AUTHENTICATED))


class MemoryStore:
    """`before_commit` is called once before the next transaction: somebody else's turn. `fault` is raised after it;
    with `lose` the transaction is not done either."""

    def __init__(self):
        self.kvs: dict[str, KV] = {}
        self.now = 1
        self.before_commit = None
        self.fault = None
        self.lose = False
        self.list_fault = None
        self.compacted = []
        self.listed = []  # how many values each list gave

    def get(self, key, revision=0):
        return self.kvs.get(key), self.now

    def list(self, prefix, *, limit=0, start="", revision=0):
        if self.list_fault:
            raise self.list_fault
        found = [kv for key, kv in sorted(self.kvs.items()) if key.startswith(prefix) and key >= start]
        part = found[: limit or len(found)]
        self.listed.append(len(part))
        following = part[-1].key + "\0" if len(part) < len(found) else None
        return Page(part, revision or self.now, following, len(found))

    def commit(self, txn):
        if self.before_commit:
            turn, self.before_commit = self.before_commit, None
            turn()
        fault, self.fault = self.fault, None
        if not (fault and self.lose):
            self._do(txn)
        if fault:
            raise fault
        return self.now

    def _do(self, txn):
        pairs = [(guard, self.kvs.get(guard.key)) for guard in txn.guards]
        failed = tuple(Failed(guard, kv) for guard, kv in pairs if not holds(guard, kv))
        if failed:
            raise Conflict(failed, self.now)
        self.now += 1
        for put in txn.puts:
            old = self.kvs.get(put.key)
            self.kvs[put.key] = KV(put.key, put.value, old.create_revision if old else self.now, self.now)
        for key in txn.deletes:
            self.kvs.pop(key, None)

    def landed(self, txn):
        kv = self.kvs.get(txn.puts[0].key) if txn.puts else None
        return kv.mod_revision if kv and kv.value == txn.puts[0].value else None

    def revision(self):
        return self.now

    def compact(self, revision):
        self.compacted.append(revision)


class MemoryCache:
    """The store's content without delay; `freeze` lets it fall behind until somebody waits for it."""

    def __init__(self, store):
        self._store = store
        self._frozen = None
        self._frozen_at = 0

    def freeze(self):
        self._frozen, self._frozen_at = dict(self._store.kvs), self._store.now

    @property
    def revision(self):
        return self._store.now if self._frozen is None else self._frozen_at

    def wait_for(self, revision, timeout):
        self._frozen = None
        return revision <= self._store.now

    def get(self, key):
        kv = (self._store.kvs if self._frozen is None else self._frozen).get(key)
        return fill(kv.value, kv.mod_revision) if kv else None

    def items(self, prefix):
        kvs = self._store.kvs if self._frozen is None else self._frozen
        return [(key, self.get(key)) for key in sorted(kvs) if key.startswith(prefix)], self._store.now


def registry() -> Registry:
    store = MemoryStore()
    return Registry(store, MemoryCache(store))


def ask(verb, cls, name="", body=None, **more) -> Request:
    """A request of the administrator; `namespace`, `subresource`, `query` and `accept` may be added."""
    namespace = more.get("namespace", "a" if cls.resource.namespaced else "")
    kind = "application/merge-patch+json" if verb == "patch" else "application/json"
    data = b"" if body is None else codec.encode(body)
    target = Target(cls, namespace, name, more.get("subresource", ""))
    return Request(target, verb, ADMIN, more.get("query", {}), kind, data, more.get("accept", ""))
