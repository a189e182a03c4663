"""A watch: what it asks for, checked and prepared, until its socket is handed to the broadcaster.

Invariants: everything that can be refused is refused before the head of the answer; after it the stream tells of every
change after the revision asked for, once and in order; a bookmark is sent only when everything before it was. When the
history is gone the stream says 410 and ends; the client lists again. Read `broadcast.py` next.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from minik8s import params
from minik8s.api.meta import StatusCause
from minik8s.apiserver import errors, forms, reads, selection
from minik8s.apiserver.admission import whole
from minik8s.apiserver.registry import Registry
from minik8s.apiserver.request import Answer, Request
from minik8s.apiserver.watch import broadcast, channel
from minik8s.apiserver.watch.channel import Question
from minik8s.apiserver.watch.outlet import Outlet, Terms
from minik8s.host import clock
from minik8s.store.model import Expired

NEWER = "NotOlderThan"


TRUE = ("true", "1")


class Watches:
    """Begins watches, and has the broadcaster that carries them on."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.broadcaster = broadcast.Broadcaster()

    def start(self) -> None:
        """From now on the cache's changes reach the watchers."""
        self._registry.cache.listen(self.broadcaster)
        self.broadcaster.start()

    def watch(self, request: Request) -> Answer:
        """Begin a stream. Everything that can be refused is refused here, before the head of the answer."""
        query = request.query
        _check_options(query)
        question = _question(request)
        since = whole(query.get("resourceVersion") or "0", "resourceVersion")
        seconds = whole(query.get("timeoutSeconds") or "0", "timeoutSeconds")
        reads.freshen(self._registry, query)
        if self.broadcaster.full:
            raise errors.too_many_requests(f"this server holds {params.MAX_WATCHES} watches already: try again")
        until = clock.monotonic() + (seconds or params.WATCH_TIMEOUT_S * (1 + clock.fraction()))
        bookmarks = query.get("allowWatchBookmarks") in TRUE
        return Answer(200, stream=Opened(self, question, since, (until, bookmarks, query.get("sendInitialEvents", ""))))

    def begin(self, sock: socket.socket, opened: "Opened") -> None:
        """Hand a watch's socket to the broadcaster, at the point of history from which it asked for."""
        until, bookmarks, initial = opened.terms
        cache, question, since = self._registry.cache, opened.question, opened.since
        opening: list[tuple[str, bytes]] = []
        if initial in TRUE or (since == 0 and initial == ""):
            found, since = cache.items(question.prefix)
            opening = [("ADDED", value) for _, value in found if question.belongs(value)]
            if initial in TRUE and bookmarks:
                opening.append(("BOOKMARK", channel.mark(question, since, initial=True)))
        elif since == 0:
            since = cache.revision
        lines = channel.lines(question, opening)
        outlet = Outlet(sock, Terms(until, bookmarks, broadcast.head(), lines, begun=bool(opening)))
        try:
            cache.resume(question.prefix, since, lambda missed: self.broadcaster.enter(question, outlet, missed))
        except Expired as error:
            self.broadcaster.refuse(outlet, channel.expired(str(error)))


@dataclass(frozen=True)
class Opened:
    """A watch that is granted and has no socket yet. `since`: the revision to go on from; 0: begin with what is there.

    `terms`: until when, whether with bookmarks, and what the client said about initial events.
    """

    watches: Watches
    question: Question
    since: int
    terms: tuple[float, bool, str]

    def carry(self, client: socket.socket) -> None:
        """Give the socket away; returns at once."""
        self.watches.begin(client, self)


def _question(request: Request) -> Question:
    query = request.query
    selectors = (query.get("labelSelector", ""), query.get("fieldSelector", ""))
    matches = selection.matcher(request.cls, query)
    return Question(request.cls, reads.scope(request), selectors, forms.of(request), matches)


def _check_options(query: Mapping[str, str]) -> None:
    """Refuse what contradicts itself about initial events, with upstream's words."""
    match, initial = query.get("resourceVersionMatch", ""), query.get("sendInitialEvents")
    wrong = []
    if initial is not None and match != NEWER:
        wrong.append(_forbidden(f"sendInitialEvents requires setting resourceVersionMatch to {NEWER}"))
    if match and initial is None:
        wrong.append(_forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
    if match and match != NEWER:
        text = f'Unsupported value: "{match}": supported values: "{NEWER}"'
        wrong.append(StatusCause(reason="FieldValueNotSupported", message=text, field="resourceVersionMatch"))
    if wrong:
        raise errors.invalid_options("watch", wrong)


def _forbidden(because: str) -> StatusCause:
    return StatusCause(reason="FieldValueForbidden", message=f"Forbidden: {because}", field="resourceVersionMatch")
