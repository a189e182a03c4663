"""The wiring: the reader's words to the server's loop, the server's numbers to the metrics.

The server answers a moment after its start; until the first full list is in, a miss is SERVFAIL. When the API server
is away the reader goes on trying and the loop goes on answering what it knows. When the reader ends, both end, and
whoever started them starts both again. Read next: server.py.
"""

import socket
import threading
from collections.abc import Callable
from functools import partial

from minik8s import params
from minik8s.client.component import Component
from minik8s.dns import reader
from minik8s.dns.changes import Changes
from minik8s.dns.index import Index
from minik8s.dns.meter import Meter
from minik8s.dns.pages import pages
from minik8s.dns.plan import Names
from minik8s.dns.responder import Responder
from minik8s.dns.server import Server, Sockets, listen
from minik8s.dns.servers import parse
from minik8s.dns.upstream import OpenSocket
from minik8s.host import clock, namespaces


def main(component: Component) -> None:
    """Serve until the component is told to stop."""
    options = component.options
    if not options.node_ips:
        raise ValueError("dns needs --node-ip: the address to answer on")
    if not 0 <= options.dns_ttl <= params.DNS_MOST_TTL_S:
        raise ValueError(f"--dns-ttl {options.dns_ttl}: 0 to {params.DNS_MOST_TTL_S} seconds")
    upstream = parse(options.upstream, options.node_ips)
    given = handed(options.listen) if options.listen else None
    source = reader.start(component.client, options.dns_pods == "verified", f"{options.title} reader")
    # After the fork: the reader shall not hold open what we make ourselves.
    sockets = given or listen(options.node_ips[0], params.DNS_PORT)
    names = Names(Index(), params.CLUSTER_DOMAIN, options.dns_ttl, options.dns_pods)
    responder = Responder(names)
    server = Server(responder, sockets)
    server.follow(source, Changes(names, responder, component.journal).apply)
    if upstream:
        server.forward(upstream, opener(options.upstream_netns))
    server.on_tick = ticking(server, Meter(responder, server, component.metrics))
    component.serve_health(
        checks={
            "synced": lambda: "" if responder.synced else "the first list is not in yet",
            "upstream": lambda: looping(server),
        },
        extra=pages(server, names),
    )
    threading.Thread(target=_stop, args=(component, server), name="stop", daemon=True).start()
    component.log.info("answering on %s:%d", options.node_ips[0], server.port)
    server.run()
    server.close()
    if not component.stop.is_set():
        raise SystemExit(1)


def handed(names: tuple[str, ...]) -> Sockets:
    """The sockets that whoever started us holds, so that they outlive us; UDP first."""
    numbers = [name.removeprefix("fd://") for name in names]
    if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        raise ValueError(f"--listen {' '.join(names)}: two of fd://N, the first for UDP, the second for TCP")
    udp, tcp = (socket.socket(fileno=int(number)) for number in numbers)
    return udp, tcp


def ticking(server: Server, meter: Meter) -> Callable[[], None]:
    """What the loop does once a second."""

    def tick() -> None:
        meter.read()
        if server.tap is not None and server.tap.wanted_until < clock.monotonic():
            server.watch(None)

    return tick


def looping(server: Server) -> str:
    """What is wrong with the servers that we ask; "" when nothing is."""
    loop = server.forwarder.loop if server.forwarder is not None else ""
    return f"a loop: upstream {loop} asks us back" if loop else ""


def opener(netns: str) -> OpenSocket:
    """Makes sockets in the namespace that upstream servers can be reached from; a socket stays where it was made."""
    if not netns:
        return socket.socket
    return lambda family, kind: namespaces.in_ns(netns, partial(socket.socket, family, kind))


def _stop(component: Component, server: Server) -> None:
    component.stop.wait()
    server.stop()
