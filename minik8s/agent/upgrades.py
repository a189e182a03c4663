"""The requests to the agent that go on in another protocol: exec, attach, port-forward, dial.

Whatever can be refused is refused before the answer 101, because afterwards nobody could be told: kubectl shows only
what came as an HTTP answer. Invariant: a command is started only for a client whose protocol is spoken here. Read
next: execsession.py, forwarding.py, and streams/upgrade.py for what may be agreed on.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from minik8s.agent import execsession, forwarding
from minik8s.agent.pages import Pages, Query, Refused, flag
from minik8s.agent.world import dial
from minik8s.streams import portforward, upgrade, websocket
from minik8s.streams.link import Link
from minik8s.streams.pump import pump
from minik8s.streams.session import ERROR, RESIZE, STDERR, STDIN, STDOUT, Session
from minik8s.streams.spdysession import SpdySession

COMMAND = upgrade.Spoken(websocket=(websocket.V5, websocket.V4), spdy=(websocket.V4, websocket.V5))
# kubectl's name of a channel in the query, and the one that upstream's API server uses to a kubelet.
CHANNELS = {STDIN: ("stdin", "input"), STDOUT: ("stdout", "output"), STDERR: ("stderr", "error")}
PAGES = {
    "exec": ("namespace", "pod", "container"),
    "attach": ("namespace", "pod", "container"),
    "portForward": ("namespace", "pod"),
    "dial": ("scheme", "host", "port"),
}
TUNNEL = "SPDY/3.1+portforward.k8s.io"  # kubectl since 1.31: SPDY's bytes in WebSocket's messages
CHANNELS_FORWARD = (websocket.V4, "")  # the Python clients: kubernetes says v4, kr8s nothing
FORWARD = upgrade.Spoken(websocket=(TUNNEL, *CHANNELS_FORWARD), spdy=("portforward.k8s.io",))
MOST_PORTS = 127  # a channel's number is one byte, and each port has two


@dataclass(frozen=True)
class Asked:
    """A request for an upgrade."""

    path: str
    query: Query
    headers: Mapping[str, str]


def meant(path: str) -> bool:
    """Whether a path is one of these pages."""
    return path.strip("/").partition("/")[0] in PAGES


def serve(pages: Pages, asked: Asked, connection: socket.socket) -> None:
    """Answer, carry, and close the connection. Raises Refused while there is an answer yet to give."""
    page, *place = asked.path.strip("/").split("/")
    if len(place) != len(PAGES[page]):
        raise Refused(404, f"no page {asked.path}")
    if page == "dial":
        _dial(asked, place, connection)
    elif page == "portForward":
        _forward(pages, asked, (place[0], place[1]), connection)
    else:
        _command(pages, asked, place, connection)


def _command(pages: Pages, asked: Asked, place: list[str], connection: socket.socket) -> None:
    page, (namespace, pod, container) = asked.path.strip("/").partition("/")[0], place
    channels = wanted(asked.query)
    agreed = _agree(asked, COMMAND)
    join = pages.exec if page == "exec" else pages.attach
    running = join((namespace, pod), container, asked.query)
    connection.sendall(agreed.answer)
    session: Session
    if agreed.spdy:
        also = {ERROR, RESIZE} if flag(asked.query, "tty") else {ERROR}
        session = SpdySession(Link(connection), channels | also)
    else:
        session = websocket.Session(connection, websocket.Channels(server=True, protocol=agreed.protocol))
    execsession.carry(session, running, channels)


def _forward(pages: Pages, asked: Asked, pod: tuple[str, str], connection: socket.socket) -> None:
    agreed = _agree(asked, FORWARD)
    ports = [portforward.port_of(text) for text in asked.query.get("ports", []) for text in text.split(",")]
    channels = agreed.protocol in CHANNELS_FORWARD and not agreed.spdy
    if (channels and not 0 < len(ports) <= MOST_PORTS) or 0 in ports:
        raise Refused(400, f"ports: between 1 and {MOST_PORTS} numbers of ports are needed in the query")
    way = pages.dialler(pod)
    connection.sendall(agreed.answer)
    client: portforward.Client
    if channels:
        client = portforward.Ports.on(connection, ports)
    else:
        client = portforward.Streams(Link(connection) if agreed.spdy else websocket.Tunnel(connection))
    forwarding.carry(client, way)


def _dial(asked: Asked, place: list[str], connection: socket.socket) -> None:
    """A way to whatever this node can reach, for the API server, which has none."""
    scheme, host, port = place
    if asked.headers.get("Upgrade", "").lower() != "tcp" or not portforward.port_of(port):
        raise Refused(400, "dial needs the number of a port, and an upgrade to tcp")
    try:
        sock = dial.reach(scheme, (host, portforward.port_of(port)))
    except OSError as error:
        raise Refused(502, str(error)) from error
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    pump(Link(connection), Link(sock))


def wanted(query: Query) -> set[int]:
    """The channels that the client asked for; of a terminal's output nobody can say what was an error."""
    found = {channel for channel, names in CHANNELS.items() if any(flag(query, name) for name in names)}
    if not found:
        raise Refused(400, "you must specify at least 1 of stdin, stdout, stderr")
    return found - {STDERR} if flag(query, "tty") else found


def _agree(asked: Asked, spoken: upgrade.Spoken) -> upgrade.Agreed:
    try:
        return upgrade.agree(asked.headers, spoken)
    except upgrade.Unusable as error:
        raise Refused(400, str(error)) from error
