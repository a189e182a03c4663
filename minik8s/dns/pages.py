"""Two debug pages, by which the server explains itself. `minik8s dns` reads them.

    /debug/answer?name=web.shop.svc.cluster.local.[&type=A]   what is answered, and the objects it comes from
    /debug/questions[?since=N]                                 what was asked since the Nth question seen

A page is read in a thread of its own, but everything about names is asked of the loop, which alone may look at them.

Read next: origin.py, questions.py.
"""

import struct
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from minik8s import params
from minik8s.dns import foreign, questions, wire
from minik8s.dns.cache import lower
from minik8s.dns.origin import origins
from minik8s.dns.plan import Names
from minik8s.dns.records import Alias, encode_name, name
from minik8s.dns.resolve import Unknown
from minik8s.dns.server import Server
from minik8s.host import clock
from minik8s.host.health import Page, Query

T = TypeVar("T")


def pages(server: Server, names: Names) -> dict[str, Page]:
    """By path."""
    return {
        "/debug/answer": lambda query: answer_page(server, names, query),
        "/debug/questions": lambda query: questions_page(server, query),
    }


def answer_page(server: Server, names: Names, query: Query) -> dict[str, Any]:
    """{name, type, rcode, answers, sources, foreign}: the reply as sent over TCP, and what it comes from."""
    labels, kind = name(query["name"]), foreign.type_number(query.get("type") or "A")
    question = wire.parse(
        struct.pack("!6H", 0, wire.RD, 1, 0, 0, 0) + encode_name(labels) + struct.pack("!2H", kind, 1)
    )
    if question is None or question.error:
        raise ValueError(f"{query['name']}: no name that can be asked for")

    def work() -> dict[str, Any]:
        try:
            answer = server.responder.answer(question)
        except Unknown:
            return {"rcode": "another server has to be asked", "answers": [], "sources": []}
        chain = [labels, *(each.data.target for each in answer.answers if isinstance(each.data, Alias))]
        sources = dict.fromkeys(origin for each in chain for origin in origins(names, lower(each)))
        told = questions.answer(wire.build(question, answer, wire.MAX_TCP))
        return told | {"sources": list(sources), "foreign": answer.foreign}

    told = {"name": foreign.readable(labels), "type": foreign.type_name(kind)}
    return told | in_loop(server, work)


def questions_page(server: Server, query: Query) -> dict[str, Any]:
    """{last, missed, questions}. Reading it is what makes the loop write questions down, for a few seconds more."""
    tap = server.tap
    if tap is None:
        tap = questions.Tap()
        server.watch(tap)
    tap.wanted_until = clock.monotonic() + params.DNS_TAP_S
    return tap.since(int(query.get("since") or 0))


def in_loop(server: Server, work: Callable[[], T]) -> T:
    """Have the loop do it and wait. Raises TimeoutError when the loop does not come to it."""
    done = threading.Event()
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # carried over to the reader of the page; the loop goes on
            errors.append(error)
        done.set()

    server.post(run)
    if not done.wait(params.DNS_PAGE_TIMEOUT_S):
        raise TimeoutError("the loop does not come to it")
    if errors:
        raise errors[0]
    return results[0]
