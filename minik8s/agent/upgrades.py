"""The requests to the agent that go on in another protocol: exec, attach.

Whatever can be refused is refused before the answer 101, because afterwards nobody could be told: kubectl shows only
what came as an HTTP answer. Invariant: a command is started only for a client whose protocol is spoken here. Read
next: execsession.py, and streams/upgrade.py for what may be agreed on.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from minik8s.agent import execsession
from minik8s.agent.pages import Pages, Query, Refused, flag
from minik8s.streams import upgrade, websocket
from minik8s.streams.link import Link
from minik8s.streams.session import ERROR, RESIZE, STDERR, STDIN, STDOUT, Session
from minik8s.streams.spdysession import SpdySession

COMMAND = upgrade.Spoken(websocket=(websocket.V5, websocket.V4), spdy=(websocket.V4, websocket.V5))
# kubectl's name of a channel in the query, and the one that upstream's API server uses to a kubelet.
CHANNELS = {STDIN: ("stdin", "input"), STDOUT: ("stdout", "output"), STDERR: ("stderr", "error")}
PAGES = ("exec", "attach")


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
    if len(place) != 3:
        raise Refused(404, f"no page {asked.path}")
    channels = wanted(asked.query)
    agreed = _agree(asked, COMMAND)
    namespace, pod, container = place
    if page == "exec":
        running = pages.exec((namespace, pod), container, asked.query)
    else:
        running = pages.attach((namespace, pod), container, asked.query)
    connection.sendall(agreed.answer)
    session: Session
    if agreed.spdy:
        also = {ERROR, RESIZE} if flag(asked.query, "tty") else {ERROR}
        session = SpdySession(Link(connection), channels | also)
    else:
        session = websocket.Session(connection, websocket.Channels(server=True, protocol=agreed.protocol))
    execsession.carry(session, running, channels)


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
