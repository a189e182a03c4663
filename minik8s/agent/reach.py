"""Tries things out where they happen: a connection from the node or from inside a Pod, who listens in a Pod, what a
name means there. Four debug pages; `minik8s doctor` and `minik8s dns query` read them.

    /debug/dial?to=10.96.0.7:80[&protocol=udp][&times=6][&pod=default/web-1]
    /debug/listeners?pod=default/web-1
    /debug/resolve?pod=default/web-1&name=web
    /debug/lookup?pod=default/web-1&name=web&type=33

All of it is done from this process, in the Pod's network namespace: nothing has to be installed in the Pod's image.
A page only opens connections and closes them, or asks for a name. What must hold: it ends in time, whatever is dead.

Read next: dnsreading.py (what a DNS answer says), pages.py (who may read debug pages).
"""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from minik8s.agent import dnsreading, listeners
from minik8s.agent.dnsprobe import AAAA, A, question
from minik8s.agent.world.docker import Engine
from minik8s.host import clock, processes
from minik8s.host.health import Page, Query
from minik8s.host.namespaces import in_ns

T = TypeVar("T")
DIAL_TIMEOUT_S = 1.0
MOST_TIMES = 30
OPEN, ANSWERED, SILENT, REFUSED, TIMED_OUT = "open", "answered", "silent", "refused", "timed out"


def pages(engine: Engine) -> dict[str, Page]:
    """By path."""
    return {
        "/debug/dial": lambda query: dial_page(engine, query),
        "/debug/listeners": lambda query: listeners_page(engine, query),
        "/debug/resolve": lambda query: resolve_page(engine, query),
        "/debug/lookup": lambda query: lookup_page(engine, query),
    }


# --- Connections ------------------------------------------------------------------------------------------------------


def dial_page(engine: Engine, query: Query) -> dict[str, Any]:
    """Connect some times, until one fails: {outcome, tried}."""
    host, _, port = query["to"].rpartition(":")
    way = udp if query.get("protocol", "tcp").lower() == "udp" else tcp
    times = min(int(query.get("times", "1")), MOST_TIMES)

    def work() -> dict[str, Any]:
        for tried in range(1, times + 1):
            outcome = way(host.strip("[]"), int(port))
            if outcome not in (OPEN, ANSWERED):
                return {"outcome": outcome, "tried": tried}
        return {"outcome": outcome, "tried": times}

    return inside(engine, query.get("pod", ""), work)


def tcp(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), DIAL_TIMEOUT_S).close()
        return OPEN
    except OSError as error:
        return failure(error)


def udp(host: str, port: int) -> str:
    """A datagram of one line. Silence says nothing: not every server answers it; a refusal does."""
    with socket.socket(_family(host), socket.SOCK_DGRAM) as sock:
        sock.settimeout(DIAL_TIMEOUT_S)
        try:
            sock.connect((host, port))
            sock.send(b"\n")
            sock.recv(1)
            return ANSWERED
        except TimeoutError:
            return SILENT
        except OSError as error:
            return failure(error)


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def failure(error: OSError) -> str:
    """One word where there is one."""
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    return (error.strerror or str(error)).lower()


# --- Listeners --------------------------------------------------------------------------------------------------------


def listeners_page(engine: Engine, query: Query) -> list[dict[str, Any]]:
    """Each socket that waits for clients in the Pod: {protocol, address, port}."""
    pid = sandbox(engine, query["pod"])
    files = ((name, Path(f"/proc/{pid}/net/{name}")) for name in listeners.FILES)
    return [
        {"protocol": one.protocol, "address": one.address, "port": one.port}
        for one in listeners.parse({name: path.read_text() for name, path in files if path.exists()})
    ]


# --- Names ------------------------------------------------------------------------------------------------------------


def resolve_page(engine: Engine, query: Query) -> dict[str, Any]:
    """What the Pod's own resolver would do: {nameservers, searches, asked: [{name, rcode, addresses}]}."""
    conf = resolv_conf(sandbox(engine, query["pod"]))
    asked: list[dict[str, Any]] = []
    for name in dnsreading.candidates(query["name"], conf):
        answer = inside(engine, query["pod"], lambda name=name: ask(conf.nameservers, name))  # type: ignore[misc]
        asked.append({"name": name, "rcode": answer.rcode, "addresses": list(answer.addresses)})
        if answer.addresses or answer.rcode not in dnsreading.GO_ON:
            break
    return {"nameservers": list(conf.nameservers), "searches": list(conf.searches), "asked": asked}


def lookup_page(engine: Engine, query: Query) -> dict[str, Any]:
    """The same for one record type, by its number, question by question.

    {nameservers, searches, ndots, asked: [{name, rcode, milliseconds, reply}]}, the reply in hexadecimal digits.
    """
    conf = resolv_conf(sandbox(engine, query["pod"]))
    kind = int(query["type"])

    def work() -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []
        for name in dnsreading.candidates(query["name"], conf):
            began = clock.monotonic()
            answer, packet = exchange(conf.nameservers, name, kind)
            took = (clock.monotonic() - began) * 1000
            asked.append({"name": name, "rcode": answer.rcode, "milliseconds": took, "reply": packet.hex()})
            if answer.rcode not in dnsreading.GO_ON or packet[6:8] != b"\0\0":  # it has answers
                break
        return asked

    asked = inside(engine, query["pod"], work)
    shown = {"nameservers": list(conf.nameservers), "searches": list(conf.searches), "ndots": conf.ndots}
    return shown | {"asked": asked}


def resolv_conf(pid: int) -> dnsreading.Resolver:
    """The file as the containers of the Pod see it; the pause container has none."""
    for each in processes.pids_in_ns(f"/proc/{pid}/ns/net"):
        file = Path(f"/proc/{each}/root/etc/resolv.conf")
        if each != pid and file.exists():
            return dnsreading.parse_resolv_conf(file.read_text(errors="replace"))
    return dnsreading.Resolver()


def ask(nameservers: tuple[str, ...], name: str) -> dnsreading.Answer:
    """Both families' addresses; what was said of the first when nobody has any."""
    four = ask_for(nameservers, name, A)
    if four.rcode not in dnsreading.GO_ON:
        return four
    six = ask_for(nameservers, name, AAAA)
    return dnsreading.Answer(four.rcode, four.addresses + six.addresses)


def ask_for(nameservers: tuple[str, ...], name: str, kind: int) -> dnsreading.Answer:
    return exchange(nameservers, name, kind)[0]


def exchange(nameservers: tuple[str, ...], name: str, kind: int) -> tuple[dnsreading.Answer, bytes]:
    """Ask each server once, in order, until one answers: the answer and its packet; or why there is none."""
    said = dnsreading.Answer("no nameserver")
    for address in nameservers:
        ident = clock.random_bits(16)
        with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
            sock.settimeout(DIAL_TIMEOUT_S)
            try:
                sock.connect((address, 53))
                sock.send(question(ident, name, kind))
                packet = sock.recv(4096)
                return dnsreading.read(ident, packet), packet
            except OSError as error:
                said = dnsreading.Answer(failure(error))
    return said, b""


# --- Where ------------------------------------------------------------------------------------------------------------


def inside(engine: Engine, pod: str, work: Callable[[], T]) -> T:
    """Do it in the Pod's network, or in the node's when no Pod is named."""
    return in_ns(f"/proc/{sandbox(engine, pod)}/ns/net", work) if pod else work()


def sandbox(engine: Engine, pod: str) -> int:
    """The process that holds the Pod's network."""
    living = [seen.sandbox for seen in engine.observe(pod).values() if seen.sandbox]
    if not living:
        raise LookupError(f"no sandbox of Pod {pod} runs on this node")
    return max(living, key=lambda one: (one.created_at, one.id)).pid
