"""Ports of the node that lead to one Pod: `hostPort`, `hostIP` and protocol, as rules of the agent's table. Pure.

A connection to such a port is sent on to the Pod before anything else looks at it, whether it comes from outside, from
a Pod or from the node itself. Two connections need the node's address in place of their own, because their answers
would not come back through the translation: the node's own from 127.0.0.1, and a Pod's to itself. Invariant: rules say
what the Pods' reported addresses and specs say, nothing is remembered. The scheduler sees to it that no two Pods of a
node want the same. Source: what upstream's network plugins call portmap. Read `world/network.py` for the kernel.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from minik8s import params
from minik8s.api.addresses import host_port
from minik8s.api.pods import Pod, is_terminal
from minik8s.nft.flows import ANY, Flows
from minik8s.nft.ruleset import Chain, Hook, Rule

EVERYWHERE = ("", *ANY)
LOCALHOST = "127.0.0.0/8"


@dataclass(frozen=True, order=True)
class HostPort:
    """A port of the node, and where it leads. `host_ip` is empty for all of the node's addresses."""

    host_ip: str
    protocol: str
    port: int
    address: str
    container_port: int
    pod: str


def wanted(pods: Iterable[Pod]) -> tuple[HostPort, ...]:
    """The host ports of these Pods, one for each of a Pod's addresses that it is for."""
    found = [port for pod in pods if not pod.spec.hostNetwork and not is_terminal(pod) for port in _of(pod)]
    return tuple(sorted(found))


def _of(pod: Pod) -> Iterable[HostPort]:
    ports = [port for container in pod.spec.containers for port in container.ports if port.hostPort]
    for port in ports:
        host_ip = "" if port.hostIP in EVERYWHERE else port.hostIP
        for address in (each.ip for each in pod.status.podIPs):
            if not host_ip or _version(host_ip) == _version(address):
                name = f"{pod.metadata.namespace}/{pod.metadata.name}"
                yield HostPort(host_ip, port.protocol.lower(), port.hostPort, address, port.containerPort, name)


def stale(before: Iterable[HostPort], after: Iterable[HostPort]) -> list[Flows]:
    """Connections that were begun when the ports led elsewhere: the kernel translates each as it did its first packet,
    and a client of UDP that keeps its port would talk to a Pod that is gone for as long as it goes on talking.
    """
    old, new = set(before), set(after)
    gone = {Flows(port.protocol, port.address, port.container_port) for port in old - new}
    to_the_node = {Flows(port.protocol, port.host_ip or ANY[":" in port.address], port.port) for port in new - old}
    return sorted(gone | to_the_node)


def _version(address: str) -> int:
    return ipaddress.ip_address(address).version


def chains(family: str, ports: Iterable[HostPort]) -> list[Chain]:
    """The chains for one family (ip or ip6); none where no port is wanted."""
    mine = [port for port in ports if (":" in port.address) == (family == "ip6")]
    if not mine:
        return []
    # What names an address comes before what takes all of them.
    rules = tuple(_rule(family, port) for port in sorted(mine, key=lambda port: (not port.host_ip, port)))
    jump = (Rule("jump host-ports"),)
    return [
        Chain("host-ports", rules, comment="ports of this node that lead to a Pod"),
        Chain("nat-prerouting", jump, Hook("nat", "prerouting", "dstnat"), "from Pods and from outside"),
        Chain("nat-output", jump, Hook("nat", "output", "-100"), "from this node's own processes"),
        *([_guard()] if family == "ip" else []),
    ]


def _rule(family: str, port: HostPort) -> Rule:
    where = f"{family} daddr {port.host_ip}" if port.host_ip else "fib daddr type local"
    to = host_port(port.address, port.container_port)
    return Rule(f"{where} {port.protocol} dport {port.port} dnat to {to}", port.pod)


def _guard() -> Chain:
    """The bridge may carry answers to 127.0.0.1 (see `route_localnet`), but nobody may ask it from there."""
    rule = Rule(f'iifname "{params.POD_BRIDGE}" ip daddr {LOCALHOST} drop', "no Pod reaches what only the node may")
    return Chain("raw-prerouting", (rule,), Hook("filter", "prerouting", "raw"))


def returning(family: str, ports: Iterable[HostPort]) -> list[Rule]:
    """What must come back through the node: its own connections from 127.0.0.1, and a Pod's to itself."""
    addresses = sorted({port.address for port in ports if (":" in port.address) == (family == "ip6")})
    if not addresses:
        return []
    own = [Rule(f"ct status dnat ip saddr {LOCALHOST} masquerade", "from the node itself")] if family == "ip" else []
    return own + [
        Rule(f"ct status dnat {family} saddr {each} {family} daddr {each} masquerade", "from a Pod to itself")
        for each in addresses
    ]
