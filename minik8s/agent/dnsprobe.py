"""Asks this node's DNS server a real question, again and again, and keeps its place among the cluster's DNS
endpoints.

kube-system/kube-dns has no selector: each node's agent keeps one EndpointSlice, `kube-dns-<node>`, for the server on
its node. The hint says whose clients it is meant for, so that a Pod asks its own node's server and falls back to the
others when that is silent. Writes only on a change. The question is made by hand: one name, type A (RFC 1035, section
4).
"""

import logging
import socket
import struct
import threading

from minik8s import params
from minik8s.api.discovery import (
    MANAGED_BY,
    SERVICE_NAME,
    Endpoint,
    EndpointConditions,
    EndpointHints,
    EndpointPort,
    EndpointSlice,
    ForNode,
)
from minik8s.api.meta import ObjectMeta
from minik8s.client.rest import AlreadyExists, ApiError, Client, NotFound, Unreachable, Why
from minik8s.host import clock

log = logging.getLogger("agent")
NAMESPACE, SERVICE = "kube-system", "kube-dns"
QUESTION = f"kubernetes.default.svc.{params.CLUSTER_DOMAIN}"
_RECHECK_S = 30.0  # how often the slice is looked at although nothing changed: somebody may have removed it
_NOERROR, _NXDOMAIN = 0, 3
A, AAAA = 1, 28  # the types of records with addresses


def question(ident: int, name: str, kind: int = A) -> bytes:
    """A query packet: header, name as length-prefixed labels, type (A or AAAA), class IN."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def answers(ident: int, packet: bytes) -> bool:
    """A sane answer to our question? A server that has not read the Services yet says SERVFAIL, which is none."""
    if len(packet) < 12:
        return False
    got, flags = struct.unpack_from("!2H", packet)
    return got == ident and bool(flags & 0x8000) and flags & 0xF in (_NOERROR, _NXDOMAIN)


def ask(address: str, timeout: float) -> bool:
    """Put the question once."""
    ident = int(clock.fraction() * 0xFFFF)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect((address, params.DNS_PORT))  # connected: a closed port is told at once
            sock.send(question(ident, QUESTION))
            return answers(ident, sock.recv(1500))
        except OSError:
            return False


def endpoint_slice(node: str, address: str, ready: bool) -> EndpointSlice:
    """The slice that says: this node's DNS server is here, and well or not."""
    return EndpointSlice(
        metadata=ObjectMeta(
            name=f"{SERVICE}-{node}",
            namespace=NAMESPACE,
            labels={SERVICE_NAME: SERVICE, MANAGED_BY: "minik8s-agent"},
        ),
        addressType="IPv4",
        ports=[
            EndpointPort(name="dns", protocol="UDP", port=params.DNS_PORT),
            EndpointPort(name="dns-tcp", protocol="TCP", port=params.DNS_PORT),
        ],
        endpoints=[
            Endpoint(
                addresses=[address],
                conditions=EndpointConditions(ready=ready, serving=ready, terminating=False),
                nodeName=node,
                hints=EndpointHints(forNodes=[ForNode(name=node)]),
            )
        ],
    )


class DnsProbe:
    """One thread: ask, count failures, write when the verdict changes."""

    def __init__(self, client: Client, node: str, address: str) -> None:
        self._client, self._address = client, address
        self._node = node
        self._failures = 0
        self._written: bool | None = None
        self._checked_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until told to stop. A silence takes the whole period, and the next question follows at once: so a server that
        hangs is out after (1 + failures) periods at most, not twice as many."""
        while not stop.is_set():
            next_at = clock.monotonic() + params.DNS_PROBE_PERIOD_S
            self.step(ask(self._address, params.DNS_PROBE_PERIOD_S))
            stop.wait(max(0.0, next_at - clock.monotonic()))

    def step(self, well: bool) -> None:
        """Take one answer in."""
        self._failures = 0 if well else self._failures + 1
        ready = well or (bool(self._written) and self._failures < params.DNS_PROBE_FAILURES)
        now = clock.monotonic()
        if ready == self._written and now - self._checked_at < _RECHECK_S:
            return
        try:
            self._write(ready)
            self._written, self._checked_at = ready, now
        except (ApiError, Unreachable) as error:
            log.warning("slice %s-%s not written: %s", SERVICE, self._node, error)

    def _write(self, ready: bool) -> None:
        wanted = endpoint_slice(self._node, self._address, ready)
        name, because = wanted.metadata.name, "DNS answers" if ready else "DNS does not answer"
        try:
            present = self._client.get(EndpointSlice, name, NAMESPACE)
        except NotFound:
            try:
                self._client.create(wanted, why=Why(because))
            except AlreadyExists:
                pass
            return
        if present.endpoints != wanted.endpoints or present.ports != wanted.ports:
            wanted.metadata.resourceVersion = present.metadata.resourceVersion
            self._client.replace(wanted, why=Why(because, [present]))
