"""The agent's end of `kubectl port-forward`: connections to 127.0.0.1 inside a Pod, for a client far away. One thread.

Nobody is taken from faster than the other side takes it; one connection that takes nothing makes the client's others
wait too, for they share its one connection. Invariant: a connection that cannot be made, or breaks, is told in words
on its own error channel, and the others go on. Read next: streams/portforward.py.
"""

import selectors
import socket
from collections.abc import Callable

from minik8s.streams.link import Link
from minik8s.streams.portforward import Bytes, Client, Done, Event, Gone, Wanted
from minik8s.streams.session import BadFrame

AHEAD = 256 * 1024
Dial = Callable[[int], socket.socket]  # raises OSError, in words for the client


def carry(client: Client, dial: Dial) -> None:
    """Carry everything until the client is gone; closes all connections."""
    links: dict[str, Link] = {}
    try:
        with selectors.DefaultSelector() as selector:
            while not client.ended:
                if _behind(links):
                    client.link.flush()
                else:
                    for event in client.receive():
                        _obey(client, links, dial, event)
                for key in list(links):
                    _pass_on(client, links, key)
                _wait(selector, client, links)
    except BadFrame:
        pass  # nothing that is said to such a client could be understood
    finally:
        for link in (*links.values(), client.link):
            link.close()


def _behind(links: dict[str, Link]) -> bool:
    """Whether something in the Pod does not take what it is sent."""
    return any(link.waiting >= AHEAD for link in links.values())


def _wait(selector: selectors.BaseSelector, client: Client, links: dict[str, Link]) -> None:
    behind = _behind(links)
    if client.ended or (client.link.ready and not behind):
        return
    reading = client.link.waiting < AHEAD
    watched = [(client.link, client.link.wants(reading=not behind))]
    watched += [(link, link.wants(reading=reading)) for link in links.values()]
    for link, events in watched:
        if events:
            selector.register(link.sock, events)
    selector.select()
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)


def _obey(client: Client, links: dict[str, Link], dial: Dial, event: Event) -> None:
    if isinstance(event, Wanted):
        try:
            links[event.key] = Link(dial(event.port))
        except OSError as error:
            client.fail(event.key, str(error))
    elif event.key not in links:
        pass  # it is over already, and the client did not know yet
    elif isinstance(event, Bytes):
        links[event.key].send(event.data)
    elif isinstance(event, Done):
        links[event.key].finish()
    elif isinstance(event, Gone):
        links.pop(event.key).close()
        client.end(event.key)


def _pass_on(client: Client, links: dict[str, Link], key: str) -> None:
    """What a connection in the Pod has said, or that it is over."""
    link = links[key]
    link.flush()
    if client.link.waiting < AHEAD:
        data = link.receive()
        if data:
            client.send(key, data)
    if link.broken:
        client.fail(key, "the connection to the port in the pod was lost")
    elif link.ended:
        client.end(key)
    if link.ended or link.broken:
        links.pop(key).close()
