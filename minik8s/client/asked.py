"""What a component has asked of the API server: each sort of request once, and how often it was made.

A sort is what an API's documentation speaks of: the verb, the path with its names left out, the names of the query's
parameters, and in which form the body was. Served as `/debug/asked`, it shows by how few words a component lives; and
a test holds every one of them against what upstream's API offers, so that our components work with any Kubernetes API
server. Bounded, since there are only so many sorts; `_lock` guards the table. It is of this process: DNS, which reads
in another one, shows none. Read `component.py` next.
"""

import threading
from urllib.parse import parse_qsl, urlsplit

from minik8s.params import ASKED_SORTS

Sort = tuple[str, str, tuple[str, ...], str]  # verb, path, names of parameters, content type
OF_A_NAMESPACE = ("status", "finalize")  # what stands after a Namespace's own name; all else is a kind inside of it


class Asked:
    """A count for each sort of request. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Sort, int] = {}

    def note(self, method: str, url: str, _status: int, content_type: str) -> None:
        """One request was answered."""
        sort = sort_of(method, url, content_type)
        with self._lock:
            if sort in self._counts or len(self._counts) < ASKED_SORTS:
                self._counts[sort] = self._counts.get(sort, 0) + 1

    def page(self) -> list[dict[str, object]]:
        with self._lock:
            counts = sorted(self._counts.items())
        return [
            {"method": method, "path": path, "query": list(names), "contentType": content, "count": count}
            for (method, path, names, content), count in counts
        ]


def sort_of(method: str, url: str, content_type: str = "") -> Sort:
    """`GET /api/v1/namespaces/default/pods/web?x=1` → GET, `/api/v1/namespaces/{namespace}/pods/{name}`, x."""
    where = urlsplit(url)
    names = tuple(sorted({name for name, _ in parse_qsl(where.query, keep_blank_values=True)}))
    return method, _path(where.path), names, content_type


def _path(path: str) -> str:
    """The path with the names taken out, as the API's documentation has it."""
    parts = path.strip("/").split("/")
    head = {"api": 2, "apis": 3}.get(parts[0], len(parts))  # /api/v1, /apis/apps/v1
    root, rest = parts[:head], parts[head:]
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in OF_A_NAMESPACE:
        root, rest = [*root, "namespaces", "{namespace}"], rest[2:]
    if len(rest) > 1:
        rest[1] = "{name}"
    if rest[2:3] == ["proxy"] and len(rest) > 3:
        rest[3:] = ["{path}"]
    return "/" + "/".join([*root, *rest])
