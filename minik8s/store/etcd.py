"""The door to etcd: get, list, commit, watch, compact.

Decides nothing about Kubernetes. It turns etcd's wire calls into the words of model.py, and every failure into one
of its errors. Invariants: a write is always a guarded transaction; a write whose outcome is not known says so
(`Unknown`) instead of guessing; a watch gives every revision once and in order, however often etcd dies and comes
back. The channel must be opened after the last fork: build a `Store` in the process that uses it. Read next:
cache.py.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from minik8s.host import clock
from minik8s.params import ETCD_CALL_TIMEOUT_S
from minik8s.store import loader
from minik8s.store.find import Pair
from minik8s.store.model import (
    KV,
    Absent,
    Compacted,
    Conflict,
    Event,
    Failed,
    FutureRevision,
    Guard,
    Page,
    Present,
    Put,
    Refused,
    StoreError,
    Txn,
    Unavailable,
    Unknown,
    holds,
)
from minik8s.store.ttl import Leases

loader.install()
import etcd3.etcdrpc as rpc  # noqa: E402
import grpc  # noqa: E402
from grpc.experimental import ChannelOptions  # noqa: E402

OPTIONS = [
    # A list of 10,000 Pods is 25 MB; the default limit of 4 MB would refuse it.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Notice a frozen etcd, and be back at once when it is.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_http_proxy", 0),
    # Several stores in one process (tests) must not share a connection.
    ("grpc.use_local_subchannel_pool", 1),
    # Whoever iterates over a stream waits for gRPC itself, instead of being woken by a thread that does.
    (ChannelOptions.SingleThreadedUnaryStream, 1),
]
# "Rather an error than an answer from a member that has lost the others."
NEEDS_LEADER = (("hasleader", "true"),)
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
WATCH_BACKOFF_S = (0.05, 1.0)


def _channel(target: str, tls: Pair | None) -> Any:
    if tls is None:
        return grpc.insecure_channel(target, options=OPTIONS)
    authority, key, certificate = (Path(file).read_bytes() for file in (tls.authority, tls.key, tls.certificate))
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(authority, key, certificate), options=OPTIONS)


class Store:
    """One etcd cluster. Thread-safe. `observe` is told of each call: its name, and the seconds it took.

    With `tls` we know it by its authority, and it knows us by a certificate.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        timeout: float = ETCD_CALL_TIMEOUT_S,
        observe: Callable[[str, float], None] = lambda operation, seconds: None,
        tls: Pair | None = None,
    ) -> None:
        addresses = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        target = addresses[0] if len(addresses) == 1 else "ipv4:" + ",".join(addresses)
        self._timeout = timeout
        self._observe = observe
        self._channel = _channel(target, tls)
        self._kv = rpc.KVStub(self._channel)
        # etcd takes many questions in one stream and ours is always one, so it is asked like any other call whose
        # answer is a stream: then no second thread of Python's stands between gRPC and the one that follows it.
        self._watch = self._channel.unary_stream(
            "/etcdserverpb.Watch/Watch",
            request_serializer=rpc.WatchRequest.SerializeToString,
            response_deserializer=rpc.WatchResponse.FromString,
        )
        lease = rpc.LeaseStub(self._channel)
        self._leases = Leases(lambda ttl: self._call(lease.LeaseGrant, rpc.LeaseGrantRequest(TTL=ttl)).ID)
        self._closed = threading.Event()

    def get(self, key: str, revision: int = 0) -> tuple[KV | None, int]:
        """One value (None: no such key) and the revision at which it was read."""
        answer = self._call(self._kv.Range, rpc.RangeRequest(key=key.encode(), revision=revision))
        return (_kv(answer.kvs[0]) if answer.kvs else None), revision or answer.header.revision

    def list(self, prefix: str, *, limit: int = 0, start: str = "", revision: int = 0) -> Page:
        """The values under a prefix in the order of their keys, at one revision (0: now), `limit` at a time (0:
        all).
        """
        request = rpc.RangeRequest(
            key=(start or prefix).encode(), range_end=prefix_end(prefix), limit=limit, revision=revision
        )
        answer = self._call(self._kv.Range, request)
        items = [_kv(kv) for kv in answer.kvs]
        following = items[-1].key + "\0" if answer.more else None
        return Page(items, revision or answer.header.revision, following, answer.count)

    def commit(self, txn: Txn) -> int:
        """Do the whole transaction and return its revision, or raise Conflict and have done nothing."""
        request = rpc.TxnRequest(
            compare=[_compare(guard) for guard in txn.guards],
            success=[*(self._put(put) for put in txn.puts), *(_delete(key) for key in txn.deletes)],
            failure=[_read(guard.key) for guard in txn.guards],
        )
        answer = self._call(self._kv.Txn, request, Unknown)
        revision: int = answer.header.revision
        if answer.succeeded:
            return revision
        current = [_first(response.response_range.kvs) for response in answer.responses]
        pairs = zip(txn.guards, current, strict=True)
        raise Conflict(tuple(Failed(guard, kv) for guard, kv in pairs if not holds(guard, kv)), revision)

    def landed(self, txn: Txn) -> int | None:
        """After `Unknown`: the revision of the transaction if its effect is there now, else None.

        Judged by the first key it writes: same bytes as in the put (they carry a uid or a time, so no two writes
        are alike), or gone. A later write by somebody else to that key hides it: then None, and a retry is answered
        by its guards.
        """
        if txn.puts:
            kv, _ = self.get(txn.puts[0].key)
            return kv.mod_revision if kv and kv.value == txn.puts[0].value else None
        if not txn.deletes:
            return None
        kv, revision = self.get(txn.deletes[0])
        return revision if kv is None else None

    def watch(self, prefix: str, revision: int) -> "Watch":
        """Every change under a prefix after a revision, for ever: yields `(revision, events)`, without events as
        progress.

        Raises Compacted when the next revision is no longer known. `Watch.cancel()` ends it from another thread.
        """
        return Watch(self._watch, prefix, revision, self._closed)

    def compact(self, revision: int) -> None:
        """Forget what was before a revision."""
        try:
            self._call(self._kv.Compact, rpc.CompactionRequest(revision=revision))
        except Compacted:
            return  # another API server was first

    def revision(self) -> int:
        """The newest revision, as all members agree on it: what a fresh read has to wait for."""
        answer = self._call(self._kv.Range, rpc.RangeRequest(key=b"\0", count_only=True))
        newest: int = answer.header.revision
        return newest

    def close(self) -> None:
        """End all watches and the connection."""
        self._closed.set()
        self._channel.close()

    def _put(self, put: Put) -> Any:
        lease = self._leases.lease(put.ttl) if put.ttl else 0
        return rpc.RequestOp(request_put=rpc.PutRequest(key=put.key.encode(), value=put.value, lease=lease))

    def _call(self, method: Callable[..., Any], request: Any, gone: type[StoreError] = Unavailable) -> Any:
        began = clock.monotonic()
        try:
            return method(request, timeout=self._timeout, metadata=NEEDS_LEADER)
        except grpc.RpcError as error:
            raise translate(error, gone) from error
        except ValueError as error:  # what grpc says on a closed channel
            raise Unavailable(str(error)) from error
        finally:
            self._observe(type(request).__name__.removesuffix("Request").lower(), clock.monotonic() - began)


class Watch:
    """An endless iterator over changes, resuming by itself where it was when the connection is lost."""

    def __init__(self, method: Callable[..., Any], prefix: str, revision: int, closed: threading.Event) -> None:
        self._method = method
        self._prefix = prefix
        self._seen = revision
        self._closed = closed
        self._cancelled = threading.Event()
        self._call: Any = None

    def cancel(self) -> None:
        """End the iteration, also while it waits."""
        self._cancelled.set()
        call = self._call
        if call is not None:
            call.cancel()

    def __iter__(self) -> Iterator[tuple[int, list[Event]]]:
        delay, most = WATCH_BACKOFF_S
        while not self._over():
            for answer in self._stream():
                delay = WATCH_BACKOFF_S[0]
                yield answer
            if not self._over():
                self._cancelled.wait(delay)
                delay = min(delay * 2, most)

    def _over(self) -> bool:
        return self._closed.is_set() or self._cancelled.is_set()

    def _stream(self) -> Iterator[tuple[int, list[Event]]]:
        """What one connection gives, until it breaks."""
        try:
            self._call = self._method(self._request(), metadata=NEEDS_LEADER, wait_for_ready=True)
            for answer in self._call:
                if answer.compact_revision:
                    raise Compacted(answer.compact_revision)
                if answer.canceled or self._over():
                    return
                if not answer.created:
                    yield self._advance(answer)
        except (grpc.RpcError, ValueError):
            return  # the loop above asks again from where we are
        finally:
            if self._call is not None:
                self._call.cancel()

    def _request(self) -> Any:
        return rpc.WatchRequest(
            create_request=rpc.WatchCreateRequest(
                key=self._prefix.encode(),
                range_end=prefix_end(self._prefix),
                start_revision=self._seen + 1,
                prev_kv=True,
                progress_notify=True,
            )
        )

    def _advance(self, answer: Any) -> tuple[int, list[Event]]:
        events = [_event(event) for event in answer.events]
        # The revision of an answer with events is that of its last one: the header may be ahead of what was sent so
        # far.
        self._seen = events[-1].kv.mod_revision if events else max(self._seen, answer.header.revision)
        return self._seen, events


def translate(error: Any, gone: type[StoreError]) -> StoreError:
    """Which of our errors a gRPC error is."""
    code, text = error.code(), error.details() or ""
    if code in GONE:
        return gone(text)
    if code is grpc.StatusCode.OUT_OF_RANGE:  # both cases have one code; only the text differs
        return Compacted() if "compacted" in text else FutureRevision(text)
    return Refused(text)


def prefix_end(prefix: str) -> bytes:
    """The first key after all keys with this prefix: the last byte plus one (our prefixes never end in 0xff)."""
    raw = prefix.encode()
    return raw[:-1] + bytes([raw[-1] + 1])


def _compare(guard: Guard) -> Any:
    compare, key = rpc.Compare, guard.key.encode()
    if isinstance(guard, Absent):
        return compare(key=key, target=compare.CREATE, result=compare.EQUAL, create_revision=0)
    if isinstance(guard, Present):
        return compare(key=key, target=compare.CREATE, result=compare.GREATER, create_revision=0)
    return compare(key=key, target=compare.MOD, result=compare.EQUAL, mod_revision=guard.mod_revision)


def _delete(key: str) -> Any:
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key.encode()))


def _read(key: str) -> Any:
    return rpc.RequestOp(request_range=rpc.RangeRequest(key=key.encode()))


def _first(kvs: Any) -> KV | None:
    return _kv(kvs[0]) if kvs else None


def _kv(kv: Any) -> KV:
    return KV(kv.key.decode(), kv.value, kv.create_revision, kv.mod_revision, kv.lease)


def _event(event: Any) -> Event:
    return Event(
        "DELETE" if event.type else "PUT", _kv(event.kv), _kv(event.prev_kv) if event.HasField("prev_kv") else None
    )
