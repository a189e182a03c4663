"""Lists in parts, and lists as they once were: from etcd, at one revision.

A client that asks for `limit` objects gets a `continue` token for the rest. It names the revision of the first part and
the key at which the next begins, so that all parts together are the list of one moment, whatever was written
meanwhile. etcd forgets old revisions: then the list is Expired (410), with a token to go on in the present for those
who can do with a list that mixes two moments.

Invariant: no more is read than the part needs, and with a selector a chunk more. Read `reads.py` for who asks.
"""

import base64
from dataclasses import dataclass

import msgspec

from minik8s.apiserver import errors
from minik8s.apiserver.registry import Registry
from minik8s.apiserver.selection import Matches
from minik8s.store.model import Compacted, FutureRevision, Page, StoreError
from minik8s.store.splice import fill

VERSION = "meta.k8s.io/v1"
NEWEST = -1  # the revision of a token that goes on in the present
CHUNK = 500  # how many objects are read at a time where a selector chooses among them

TOO_OLD = "The resourceVersion for the provided list is too old."
TOO_OLD_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Place:
    """Where a part begins: in which list (a prefix of keys), at which revision, after which key of it."""

    prefix: str
    revision: int
    after: str = ""

    @property
    def start(self) -> str:
        return f"{self.prefix}{self.after}\0" if self.after else self.prefix


@dataclass(frozen=True)
class Part:
    """Some objects of a list, its revision, and the metadata that says how it goes on (empty: it does not)."""

    items: list[bytes]
    revision: int
    more: dict[str, object]


class _Token(msgspec.Struct):
    """Upstream's form: opaque to clients, readable to whoever debugs one."""

    v: str
    rv: int
    start: str


_tokens = msgspec.json.Decoder(_Token)


def token(place: Place) -> str:
    data = msgspec.json.encode(_Token(VERSION, place.revision, place.after))
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def read_token(prefix: str, text: str) -> Place:
    """Where a token says that the list goes on."""
    try:
        found = _tokens.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.DecodeError) as error:
        raise _invalid("continue key is not valid") from error
    if found.v != VERSION:
        raise _invalid("continue key is not valid: server does not recognize this encoded version")
    if found.rv == 0 or found.rv < NEWEST:
        raise _invalid(f"continue key is not valid: incorrect encoded start resourceVersion (version {VERSION})")
    if not found.start:
        raise _invalid(f"continue key is not valid: encoded start key empty (version {VERSION})")
    return Place(prefix, found.rv, found.start)


def _invalid(because: str) -> errors.Failure:
    return errors.bad_request(f"invalid continue token: {because}")


def first(found: list[tuple[str, bytes]], place: Place, limit: int, selected: bool) -> Part:
    """The first part of a list that is known whole, as the cache knows it."""
    if not 0 < limit < len(found):
        return Part([value for _, value in found], place.revision, {})
    last = Place(place.prefix, place.revision, found[limit - 1][0].removeprefix(place.prefix))
    remaining = None if selected else len(found) - limit
    return Part([value for _, value in found[:limit]], place.revision, _more(last, remaining))


def read(registry: Registry, place: Place, matches: Matches | None, limit: int) -> Part:
    """`limit` objects from a place on; 0: all of them."""
    items: list[bytes] = []
    start, revision = place.start, max(place.revision, 0)
    size = 0 if limit <= 0 else limit if matches is None else max(limit, CHUNK)
    while True:
        page = _page(registry, place, start, (revision, size))
        revision = page.revision
        for at, kv in enumerate(page.items, 1):
            value = fill(kv.value, kv.mod_revision)
            if matches is None or matches(value):
                items.append(value)
            if 0 < limit == len(items) and (at < len(page.items) or page.next is not None):
                last = Place(place.prefix, revision, kv.key.removeprefix(place.prefix))
                return Part(items, revision, _more(last, page.count - at if matches is None else None))
        if page.next is None:
            return Part(items, revision, {})
        start = page.next


def _more(last: Place, remaining: int | None) -> dict[str, object]:
    """How many remain is only known where no selector chooses among them."""
    found: dict[str, object] = {"continue": token(last)}
    return found if remaining is None else found | {"remainingItemCount": remaining}


def _page(registry: Registry, place: Place, start: str, how: tuple[int, int]) -> Page:
    revision, size = how
    try:
        return registry.store.list(place.prefix, start=start, revision=revision, limit=size)
    except Compacted as error:
        if not place.after:
            raise errors.expired(TOO_OLD) from error
        raise errors.expired(TOO_OLD_TOKEN, token(Place(place.prefix, NEWEST, place.after))) from error
    except FutureRevision as error:
        raise errors.too_large_version(revision, registry.cache.revision) from error
    except StoreError as error:
        raise errors.unavailable(f"etcd does not answer: {error}") from error
