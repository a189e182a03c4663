"""Carry bytes between two upgraded connections, both ways, until both are at their end. In one thread.

What one side sends is taken only as fast as the other side takes it (`AHEAD`), so a slow reader slows the writer and
memory stays bounded. The end of one side is passed on as the end of the other, after everything before it. Invariant:
no byte is lost, doubled or moved past another, and both sockets are closed at the end. Read next: websocket.py.
"""

import selectors

from minik8s.host import clock
from minik8s.streams.link import Link

AHEAD = 256 * 1024
# The side that did the work has finished, and the client was told: how long it gets to say goodbye.
LINGER_S = 2.0


def pump(client: Link, upstream: Link, linger: float = LINGER_S) -> None:
    """Carry everything; returns when both sides are closed."""
    deadline: float | None = None
    with selectors.DefaultSelector() as selector:
        while not (client.ended and upstream.ended) and not (client.broken or upstream.broken):
            moved = _carry(client, upstream) | _carry(upstream, client)
            if upstream.ended and not client.waiting and deadline is None:
                deadline = clock.monotonic() + linger
            if moved:
                continue
            left = None if deadline is None else deadline - clock.monotonic()
            if left is not None and left <= 0:
                break
            _wait(selector, (client, upstream), left)
    _last_words(client, linger)
    _last_words(upstream, linger)


def _carry(source: Link, sink: Link) -> bool:
    """Move what can be moved now in one direction; True if something was."""
    sink.flush()
    if source.ended or sink.waiting >= AHEAD:
        return False
    data = source.receive()
    if data:
        sink.send(data)
    if source.ended:
        sink.finish()
    return bool(data) or source.ended


def _wait(selector: selectors.BaseSelector, links: tuple[Link, Link], timeout: float | None) -> None:
    for link, other in (links, links[::-1]):
        events = link.wants(reading=other.waiting < AHEAD)
        if events:
            selector.register(link.sock, events)
    selector.select(timeout)
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)


def _last_words(link: Link, timeout: float) -> None:
    """Send what still waits, for a bounded time, and close."""
    deadline = clock.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        while link.waiting and not link.broken and clock.monotonic() < deadline:
            selector.register(link.sock, link.wants(reading=False))
            selector.select(deadline - clock.monotonic())
            selector.unregister(link.sock)
            link.flush()
    link.close()
