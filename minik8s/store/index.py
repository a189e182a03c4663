"""The cache's content: encoded objects by key, in one sorted table for each kind.

Lists are asked for by kind, or by kind and namespace, in the order of keys; the order is made when asked for and
kept until a key comes or goes. Pure; who uses it holds the lock. Read next: cache.py.
"""

from bisect import bisect_left
from collections.abc import Iterator


def kind_of(key: str) -> str:
    """`/registry/core/pods/default/web-1` → `/registry/core/pods/`; a shorter prefix → `` (all kinds)."""
    parts = key.split("/", 4)
    return "/".join(parts[:4]) + "/" if len(parts) == 5 else ""


class Index:
    """Keys and their encoded objects."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, bytes]] = {}
        self._order: dict[str, list[str]] = {}

    def get(self, key: str) -> bytes | None:
        """The object at a key."""
        return self._kinds.get(kind_of(key), {}).get(key)

    def put(self, key: str, value: bytes) -> bytes | None:
        """Store an object; returns the one before it."""
        kind = kind_of(key)
        table = self._kinds.setdefault(kind, {})
        old = table.get(key)
        if old is None:
            self._order.pop(kind, None)
        table[key] = value
        return old

    def remove(self, key: str) -> bytes | None:
        """Remove an object and return it."""
        kind = kind_of(key)
        old = self._kinds.get(kind, {}).pop(key, None)
        if old is not None:
            self._order.pop(kind, None)
        return old

    def count(self, kind: str) -> int:
        """How many objects a kind has."""
        return len(self._kinds.get(kind, ()))

    def items(self, prefix: str) -> list[tuple[str, bytes]]:
        """The objects under a prefix, in the order of their keys."""
        kind = kind_of(prefix)
        kinds = [kind] if kind else sorted(k for k in self._kinds if k.startswith(prefix))
        return [item for each in kinds for item in self._under(each, prefix)]

    def _under(self, kind: str, prefix: str) -> Iterator[tuple[str, bytes]]:
        table = self._kinds.get(kind, {})
        order = self._order.get(kind)
        if order is None:
            order = self._order[kind] = sorted(table)
        for key in order[bisect_left(order, prefix) :]:
            if not key.startswith(prefix):
                return
            yield key, table[key]
