"""Get and list, from the watch cache.

A read without `resourceVersion` is as new as etcd (it asks for the revision and waits for the cache); `0` takes what
is there; `N` waits until the cache is not older than N. Lists are joined from encoded bytes; nothing is decoded
unless a selector asks. Invariant: a list's resourceVersion is the revision of exactly its content, so a watch from
there misses nothing.
"""

import base64
from collections.abc import Mapping

import msgspec

from minik8s.apiserver import errors, forms, selection
from minik8s.apiserver.admission import whole
from minik8s.apiserver.registry import Registry, key_of, prefix_of
from minik8s.apiserver.request import Answer, Request
from minik8s.store.model import Compacted, FutureRevision, StoreError
from minik8s.store.splice import fill

WRITTEN = ("list", "watch", "deletecollection")  # whose answers are in their form already


def get(registry: Registry, request: Request) -> Answer:
    target = request.target
    freshen(registry, request.query)
    found = registry.cache.get(key_of(target.cls, target.namespace, target.name))
    if found is None:
        raise errors.not_found(target.cls, target.name)
    return Answer(200, found)


def list_(registry: Registry, request: Request) -> Answer:
    match = request.query.get("resourceVersionMatch") or "NotOlderThan"
    if match not in ("Exact", "NotOlderThan"):
        known = 'supported values: "Exact", "NotOlderThan"'
        raise errors.bad_request(f'resourceVersionMatch: Unsupported value: "{match}": {known}')
    matches = selection.matcher(request.cls, request.query)
    limit = whole(request.query.get("limit") or "0", "limit")
    token = request.query.get("continue", "")
    if token:
        return _next_page(registry, request, matches, (limit, token))
    found, revision = select(registry, request, matches)
    if match == "Exact":
        return _exact(registry, request, matches)
    if 0 < limit < len(found):
        page, last = found[:limit], found[limit - 1][0]
        rest = None if matches else len(found) - limit
        return document(request, [value for _, value in page], revision, (_token(revision, last), rest))
    return document(request, [value for _, value in found], revision)


def select(
    registry: Registry, request: Request, matches: selection.Matches | None
) -> tuple[list[tuple[str, bytes]], int]:
    """Keys and objects that a collection's request is about, and their revision."""
    freshen(registry, request.query)
    found, revision = registry.cache.items(scope(request))
    if matches is not None:
        found = [(key, value) for key, value in found if matches(value)]
    return found, revision


def scope(request: Request) -> str:
    """The keys a request is about, as a prefix: a kind, or a namespace of it."""
    return prefix_of(request.target.cls, request.target.namespace)


def freshen(registry: Registry, query: Mapping[str, str]) -> None:
    """Wait until the cache is as new as the client wants it."""
    asked = query.get("resourceVersion") or ""
    if asked == "":
        registry.wait_fresh()
    elif asked != "0":
        registry.wait_for(whole(asked, "resourceVersion"))


def document(request: Request, items: list[bytes], revision: int, more: tuple[str, int | None] | None = None) -> Answer:
    """A list, in the form that was asked for."""
    meta: dict[str, object] = {"resourceVersion": str(revision)}
    if more is not None:
        meta["continue"] = more[0]
        if more[1] is not None:
            meta["remainingItemCount"] = more[1]
    return Answer(200, forms.of(request).several(items, meta) + b"\n")


# --- pages ----------------------------------------------------------------------------------------------------


def _token(revision: int, last: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([revision, last])).decode().rstrip("=")


def _next_page(
    registry: Registry, request: Request, matches: selection.Matches | None, page: tuple[int, str]
) -> Answer:
    """The rest of a list, as it was when its first page was read: from etcd, at that revision."""
    limit, token = page
    try:
        revision, last = msgspec.json.decode(
            base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=tuple[int, str]
        )
    except (ValueError, msgspec.DecodeError) as error:
        raise errors.bad_request(f"continue key is not valid: {error}") from error
    if not last.startswith(scope(request)):
        raise errors.bad_request("continue key is not valid: it belongs to another list")
    found = _at(registry, request, matches, (revision, last + "\0"))
    if 0 < limit < len(found):
        rest = None if matches else len(found) - limit
        more = (_token(revision, found[limit - 1][0]), rest)
        return document(request, [value for _, value in found[:limit]], revision, more)
    return document(request, [value for _, value in found], revision)


def _exact(registry: Registry, request: Request, matches: selection.Matches | None) -> Answer:
    revision = whole(request.query.get("resourceVersion") or "0", "resourceVersion")
    if revision <= 0:
        raise errors.bad_request("resourceVersionMatch=Exact needs a resourceVersion greater than 0")
    found = _at(registry, request, matches, (revision, ""))
    return document(request, [value for _, value in found], revision)


def _at(
    registry: Registry, request: Request, matches: selection.Matches | None, where: tuple[int, str]
) -> list[tuple[str, bytes]]:
    """What was there at a revision, from a key on."""
    revision, start = where
    try:
        page = registry.store.list(scope(request), start=start, revision=revision)
    except Compacted as error:
        raise errors.expired(
            "The provided continue parameter is too old to display a consistent list result."
        ) from error
    except FutureRevision as error:
        raise errors.timeout(f"Too large resource version: {revision}") from error
    except StoreError as error:
        raise errors.unavailable(f"etcd does not answer: {error}") from error
    found = [(kv.key, fill(kv.value, kv.mod_revision)) for kv in page.items]
    return [(key, value) for key, value in found if matches is None or matches(value)]
