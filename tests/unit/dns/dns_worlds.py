"""Reads cases.yaml: worlds as objects of the API, questions as lines. Shared by the unit and the integration tests."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from minik8s.api.core import Namespace, Pod, PodStatus, Service, ServicePort, ServiceSpec
from minik8s.api.discovery import SERVICE_NAME, Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from minik8s.api.meta import Object, ObjectMeta
from minik8s.dns.changes import Changes
from minik8s.dns.index import Index
from minik8s.dns.plan import Names
from minik8s.dns.responder import Responder
from minik8s.dns.views import Synced, gone, view
from minik8s.host.journal import Journal

CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
TTL = 5
CONDITIONS = {
    "": EndpointConditions(ready=True, serving=True, terminating=False),
    "unset": EndpointConditions(),
    "unready": EndpointConditions(ready=False, serving=False, terminating=False),
    "leaving": EndpointConditions(ready=False, serving=True, terminating=True),
}


class Case(NamedTuple):
    """A question and what comes back."""

    name: str
    type: str
    expected: str


def lines(text: str) -> list[Case]:
    """The questions of a block."""
    return [
        Case(absolute(name), kind, expected.strip())
        for name, kind, expected in (
            line.split(None, 2) for line in text.splitlines() if line.strip() and not line.startswith("#")
        )
    ]


def absolute(name: str) -> str:
    if name.endswith(".") or name.lower().endswith(".local"):
        return name if name.endswith(".") else name + "."
    return f"{name}.cluster.local."


def questions() -> Iterator[tuple[str, str, list[Case]]]:
    """(group, world with its settings, questions) of the whole file."""
    for group, worlds in CASES["questions"].items():
        for world, text in worlds.items():
            yield group, world, lines(text)


@dataclass
class World:
    """A DNS server without sockets, and the objects it was told of."""

    settings: str = "market"
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.revision = 0
        name, _, setting = self.settings.partition(", ")
        pods = setting.removeprefix("pods ") if setting.startswith("pods") else "insecure"
        self.names = Names(Index(), "cluster.local", TTL, pods)
        self.responder = Responder(self.names)
        self.changes = Changes(self.names, self.responder, self.journal)
        self.put(CASES["worlds"][name])
        if setting != "unsynced":
            self.changes.apply(Synced())

    def put(self, objects: dict[str, Any]) -> None:
        for obj in objects_of(objects):
            self.revision += 1
            obj.metadata.resourceVersion = str(self.revision)
            self.changes.apply(view(obj))
            self.objects[key_of(obj)] = obj

    def remove(self, key: str) -> None:
        self.changes.apply(gone(self.objects.pop(key)))


def key_of(obj: Object) -> str:
    """`services shop/web`, as the cases have it."""
    return f"{obj.resource.plural} {obj.metadata.namespace}/{obj.metadata.name}".replace(" /", " ")


def objects_of(world: dict[str, Any]) -> Iterator[Object]:
    """The objects that a world's lines stand for."""
    for name in world.get("namespaces", []):
        yield Namespace(metadata=ObjectMeta(name=name))
    for key, address in world.get("pods", {}).items():
        namespace, name = key.split("/")
        yield Pod(metadata=ObjectMeta(namespace=namespace, name=name), status=PodStatus(podIP=address))
    for key, text in world.get("services", {}).items():
        yield _service(key, text)
    for key, text in world.get("slices", {}).items():
        yield _slice(key, text)


def _service(key: str, text: str) -> Service:
    namespace, name = key.split("/")
    words = text.split()
    spec = ServiceSpec()
    if words[0] == "->":
        spec = ServiceSpec(type="ExternalName", externalName=words[1])
        words = words[2:]
    elif words[0] == "headless":
        spec = ServiceSpec(clusterIP="None", clusterIPs=["None"])
        words = words[1:]
    else:
        addresses = [word for word in words if _is_address(word)]
        policy = "RequireDualStack" if len(addresses) > 1 else "SingleStack"
        spec = ServiceSpec(clusterIP=addresses[0], clusterIPs=addresses, ipFamilyPolicy=policy)
        words = words[len(addresses) :]
    spec.ports = [
        ServicePort(name=port, protocol=protocol, port=number) for port, number, protocol in map(_port, words)
    ]
    return Service(metadata=ObjectMeta(namespace=namespace, name=name), spec=spec)


def _slice(key: str, text: str) -> EndpointSlice:
    namespace, service, name = key.split("/")
    ports, _, endpoints = text.partition("|")
    found = [_endpoint(word) for word in _expanded(endpoints.split())]
    six = bool(found) and ":" in found[0].addresses[0]
    return EndpointSlice(
        metadata=ObjectMeta(namespace=namespace, name=name, labels={SERVICE_NAME: service}),
        addressType="IPv6" if six else "IPv4",
        ports=[
            EndpointPort(name=port, port=number, protocol=protocol)
            for port, number, protocol in map(_port, ports.split())
        ],
        endpoints=found,
    )


def _expanded(words: list[str]) -> Iterator[str]:
    """`10.244.9.1..100` are a hundred addresses."""
    for word in words:
        first, _, count = word.partition("..")
        for i in range(int(count or 1)):
            yield str(ipaddress.ip_address(first) + i) if count else word


def _endpoint(word: str) -> Endpoint:
    rest, _, state = word.partition("!")
    address, _, hostname = rest.partition("=")
    return Endpoint(addresses=[address], hostname=hostname or None, conditions=CONDITIONS[state])


def _port(word: str) -> tuple[str, int, str]:
    name, _, rest = word.partition(":")
    number, _, protocol = rest.partition("/")
    return name, int(number), (protocol or "tcp").upper()


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
