"""The table of packets: sent by whom, to what; answered by whom, who sees which source address, or how refused.

The same table is walked through the planned rule set in Python (tests/unit/proxy/test_proxy_packets.py) and sent for
real (tests/integration/test_packets.py), in both families: every line holds for IPv6 with the addresses put into its
words (`in_family`). The places are those of `proxynet.py`:

    outside  192.168.56.1                           host   192.168.56.11, a process of node-1
    node-1   192.168.56.11   Pods a 10.244.1.2, b 10.244.1.3         its own process by the Pod bridge: 10.244.1.1
    node-2   192.168.56.12   Pod  c 10.244.2.2
    203.0.113.0/24 and 192.168.56.200-250 are routed to node-1 from outside
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from minik8s.api import core, discovery
from minik8s.api.codec import from_dict
from minik8s.nft.walk import Host, Journey, Packet, nth, walk
from minik8s.proxy.book import Book
from minik8s.proxy.endpoints import Here
from minik8s.proxy.layout import IPV4, IPV6, Family, frame
from minik8s.proxy.plan import ServicePlan, plan

MOST_ENDPOINTS = 3  # of one Service here: so many choices are walked
PLACES = {
    "a": ("10.244.1.2", "node-1"),
    "b": ("10.244.1.3", "node-1"),
    "c": ("10.244.2.2", "node-2"),
    "m": ("192.168.56.11", "node-1"),  # processes on the nodes' own addresses, as DNS is
    "n": ("192.168.56.12", "node-2"),
}
STATES = {
    "ready": {"ready": True, "serving": True, "terminating": False},
    "starting": {"ready": False, "serving": False, "terminating": False},
    "leaving": {"ready": False, "serving": True, "terminating": True},
    "gone": {"ready": False, "serving": False, "terminating": True},
}
SENDERS = {
    "pod-a": "10.244.1.2",
    "pod-b": "10.244.1.3",
    "pod-c": "10.244.2.2",
    "outside": "192.168.56.1",
    "node": "10.244.1.1",
    "host": "192.168.56.11",
}
LOCAL = {"externalTrafficPolicy": "Local"}
BALANCED = {"type": "LoadBalancer"}
# name, last byte of its ClusterIP, endpoints (place=state@hint), ports (name:number/protocol:node port), the rest
SERVICES: list[tuple[str, int, str, str, dict[str, Any]]] = [
    ("web", 5, "a b c", "http:80:30080 admin:81", {"type": "NodePort"}),
    ("empty", 6, "", "http:80:30081", {"type": "NodePort"}),
    ("half", 7, "a@node-1 c", "http:80", {}),
    ("elsewhere", 8, "a@node-2 c@node-2", "http:80", {}),
    ("last", 9, "a=leaving b=gone c=starting", "http:80", {}),
    ("dns", 10, "m@node-1 n@node-2", "dns:53/UDP tcp:53", {}),
    ("local", 11, "b c", "http:80:30082", {"type": "NodePort", **LOCAL}),
    ("away", 12, "c", "http:80:30083", {"type": "NodePort", **LOCAL}),
    ("near", 13, "b c", "http:80", {"internalTrafficPolicy": "Local"}),
    ("far", 14, "c", "http:80:30084", {"type": "NodePort", "internalTrafficPolicy": "Local"}),
    ("sticky", 15, "a c", "http:80", {"sessionAffinity": "ClientIP"}),
    ("plain", 16, "a", "http:80:30086", {}),
    ("udp", 17, "b", "u:70/UDP:30087 t:70:30087", {"type": "NodePort"}),
    ("ext", 18, "b c", "http:80", {"externalIPs": ["203.0.113.18"]}),
    ("extlocal", 19, "b", "http:80:30089", {"externalIPs": ["203.0.113.19"], "type": "NodePort", **LOCAL}),
    ("extempty", 20, "", "http:80", {"externalIPs": ["203.0.113.20"]}),
    ("lb", 21, "b c", "http:80:30091 u:53/UDP:30092", BALANCED),
    ("lbfor", 22, "b", "http:80:30093", BALANCED | {"loadBalancerSourceRanges": ["192.168.56.0/24"]}),
    ("lbnot", 23, "b", "http:80:30094", BALANCED | {"loadBalancerSourceRanges": ["198.51.100.0/24", "203.0.113.0/24"]}),
    ("lblocal", 24, "b", "http:80:30095", BALANCED | LOCAL),
    ("lbaway", 25, "c", "http:80:30096", BALANCED | LOCAL),
    ("lbempty", 26, "", "http:80:30097", BALANCED),
    ("lbnoports", 27, "b", "http:80", BALANCED | {"allocateLoadBalancerNodePorts": False}),
    ("leaving", 28, "b=leaving c", "http:80:30098", {"type": "NodePort", **LOCAL}),
    ("stuck", 29, "b=starting", "http:80", {}),
]
TABLE = """
# from   to                      end
pod-a    10.96.0.5:80            10.244.1.2:8080 from NODE          a Pod reaches itself: hairpin
pod-a    10.96.0.5:80            10.244.1.3:8080 from 10.244.1.2    its source address is kept
pod-a    10.96.0.5:80            10.244.2.2:8080 from 10.244.1.2    across nodes too
pod-c    10.96.0.5:80            10.244.1.2:8080 from 10.244.2.2    the other node's rules
pod-c    10.96.0.5:80            10.244.1.3:8080 from 10.244.2.2
pod-c    10.96.0.5:80            10.244.2.2:8080 from NODE
pod-b    10.96.0.5:81            10.244.1.2:8081 from 10.244.1.3    the second port
pod-b    10.96.0.5:81            10.244.1.3:8081 from NODE
pod-b    10.96.0.5:81            10.244.2.2:8081 from 10.244.1.3
node     10.96.0.16:80           10.244.1.2:8080 from 10.244.1.1    the node has a Pod range address
outside  192.168.56.11:30080     10.244.1.2:8080 from NODE          no Pod: the answer must come back
outside  192.168.56.11:30080     10.244.1.3:8080 from NODE
outside  192.168.56.11:30080     10.244.2.2:8080 from NODE          an endpoint of another node
outside  192.168.56.12:30080     10.244.1.2:8080 from NODE          the same port on the other node
outside  192.168.56.12:30080     10.244.1.3:8080 from NODE
outside  192.168.56.12:30080     10.244.2.2:8080 from NODE
pod-a    10.244.1.1:30080        10.244.1.2:8080 from NODE          on every address of the node
pod-a    10.244.1.1:30080        10.244.1.3:8080 from NODE
pod-a    10.244.1.1:30080        10.244.2.2:8080 from NODE
host     192.168.56.11:30084     10.244.2.2:8080 from NODE          the node itself
host     127.0.0.1:30080         closed                             but not on loopback
pod-a    10.96.0.6:80            refused                            no endpoints
pod-c    10.96.0.6:80            refused
node     10.96.0.6:80            refused
outside  192.168.56.11:30081     refused
host     192.168.56.11:30081     refused
pod-a    10.96.0.5:99            refused                            a port that no Service has
pod-a    10.96.0.5:80/udp        refused                            a protocol that no Service has
pod-a    10.96.0.5:0/icmp        refused                            ping gets a clear answer
pod-a    10.96.0.29:80           refused                            its only Pod is not ready
pod-a    10.96.99.99:80          silence                            no Service: none of our business
pod-a    10.96.0.10:53/udp       192.168.56.11:5353 from 10.244.1.2    PreferSameNode: the node's own, and only that
pod-a    10.96.0.10:53           192.168.56.11:8080 from 10.244.1.2
pod-c    10.96.0.10:53/udp       192.168.56.12:5353 from 10.244.2.2
pod-b    10.96.0.7:80            10.244.1.2:8080 from 10.244.1.3    one without hint: no hint counts
pod-b    10.96.0.7:80            10.244.2.2:8080 from 10.244.1.3
pod-b    10.96.0.8:80            10.244.1.2:8080 from 10.244.1.3    no hint for this node: all
pod-b    10.96.0.8:80            10.244.2.2:8080 from 10.244.1.3
pod-c    10.96.0.8:80            10.244.1.2:8080 from 10.244.2.2
pod-c    10.96.0.8:80            10.244.2.2:8080 from NODE
pod-b    10.96.0.9:80            10.244.1.2:8080 from 10.244.1.3    terminating but serving, and nobody else
outside  192.168.56.11:30082     10.244.1.3:8080 from 192.168.56.1     Local keeps the client's address, and this node
pod-a    192.168.56.11:30082     10.244.1.3:8080 from 10.244.1.2    a Pod may use all
pod-a    192.168.56.11:30082     10.244.2.2:8080 from 10.244.1.2
host     192.168.56.11:30082     10.244.1.3:8080 from NODE          so may the node
host     192.168.56.11:30082     10.244.2.2:8080 from NODE
outside  192.168.56.11:30083     silence                            none here, but elsewhere
outside  192.168.56.12:30083     10.244.2.2:8080 from 192.168.56.1
pod-a    192.168.56.11:30083     10.244.2.2:8080 from 10.244.1.2
pod-a    10.96.0.12:80           10.244.2.2:8080 from 10.244.1.2
pod-a    10.96.0.13:80           10.244.1.3:8080 from 10.244.1.2    internal Local: this node's
pod-c    10.96.0.13:80           10.244.2.2:8080 from NODE
pod-a    10.96.0.14:80           silence                            internal Local and none here
pod-c    10.96.0.14:80           10.244.2.2:8080 from NODE
outside  192.168.56.11:30084     10.244.2.2:8080 from NODE          its node port may use all
pod-a    192.168.56.11:30086     closed                             a nodePort in a ClusterIP Service is none
pod-a    10.96.0.17:70/udp       10.244.1.3:5353 from 10.244.1.2    one number, two protocols
pod-a    10.96.0.17:70           10.244.1.3:8080 from 10.244.1.2
outside  192.168.56.11:30087/udp 10.244.1.3:5353 from NODE
outside  192.168.56.11:30087     10.244.1.3:8080 from NODE
pod-a    203.0.113.18:80         10.244.1.3:8080 from NODE          an external IP is a way in from outside
pod-a    203.0.113.18:80         10.244.2.2:8080 from NODE
outside  203.0.113.18:80         10.244.1.3:8080 from NODE
outside  203.0.113.18:80         10.244.2.2:8080 from NODE
outside  203.0.113.18:99         silence                            its other ports are none of our business
outside  203.0.113.19:80         10.244.1.3:8080 from 192.168.56.1     policy Local there too
pod-c    203.0.113.19:80         10.244.1.3:8080 from 10.244.2.2
outside  203.0.113.20:80         refused
pod-a    203.0.113.20:80         refused
outside  192.168.56.221:80       10.244.1.3:8080 from NODE          a load balancer's address
outside  192.168.56.221:80       10.244.2.2:8080 from NODE
outside  192.168.56.221:53/udp   10.244.1.3:5353 from NODE
outside  192.168.56.221:53/udp   10.244.2.2:5353 from NODE
pod-a    192.168.56.221:80       10.244.1.3:8080 from NODE
pod-a    192.168.56.221:80       10.244.2.2:8080 from NODE
outside  192.168.56.222:80       10.244.1.3:8080 from NODE          in the source ranges
outside  192.168.56.223:80       silence                            not in the source ranges
pod-a    192.168.56.223:80       silence
outside  192.168.56.11:30094     10.244.1.3:8080 from NODE          node ports have no source ranges
pod-a    10.96.0.23:80           10.244.1.3:8080 from 10.244.1.2
outside  192.168.56.224:80       10.244.1.3:8080 from 192.168.56.1     policy Local
outside  192.168.56.225:80       silence
pod-a    192.168.56.225:80       10.244.2.2:8080 from 10.244.1.2
outside  192.168.56.226:80       refused
outside  192.168.56.227:80       10.244.1.3:8080 from NODE          without node ports
outside  192.168.56.11:30098     10.244.1.3:8080 from 192.168.56.1     Local: the one here is leaving, but serves
pod-a    10.96.0.28:80           10.244.2.2:8080 from 10.244.1.2    where another is ready, it gets no more
"""


@dataclass(frozen=True)
class Case:
    """All that may become of packets from one place to one address."""

    sender: str
    address: str
    port: int
    proto: str
    ends: frozenset[str]

    def __str__(self) -> str:
        return f"{self.sender} → {self.address} {self.proto}/{self.port}"

    @property
    def node(self) -> str:
        """Whose rules it meets first."""
        if self.sender == "outside":
            return "node-2" if self.address in ("192.168.56.12", "fd00:56::12") else "node-1"
        return "node-2" if self.sender == "pod-c" else "node-1"


def cases(family: Family) -> list[Case]:
    """The table by sender and destination, with all ends that chance may choose."""
    found: dict[tuple[str, str], set[str]] = {}
    for line in TABLE.splitlines():
        if line and not line.startswith("#"):
            sender, to, *rest = line.split()
            end = " ".join(rest[:3]) if rest[1:2] == ["from"] else rest[0]
            found.setdefault((sender, to), set()).add(end)
    return [_case(family, sender, to, ends) for (sender, to), ends in found.items()]


def _case(family: Family, sender: str, to: str, ends: Iterable[str]) -> Case:
    address, _, port = to.partition(":")
    number, _, proto = port.partition("/")
    words = frozenset(_end(family, each) for each in ends)
    return Case(sender, in_family(family, address), int(number), proto or "tcp", words)


def _end(family: Family, end: str) -> str:
    target, _, source = end.partition(" from ")
    if not source:
        return end
    address, _, port = target.partition(":")
    return f"{in_family(family, address)} {port} from {in_family(family, source)}"


def in_family(family: Family, address: str) -> str:
    """10.244.1.2 is fd00:244:0:1::2, 192.168.56.11 is fd00:56::11, and so on: the same digits."""
    if family is IPV4 or "." not in address:
        return address
    one, two, three, four = address.split(".")
    if one == "127":
        return "::1"
    if (one, two) == ("10", "244"):
        return f"fd00:244:0:{three}::{four}"
    if (one, two) == ("10", "96"):
        return f"fd00:96::{four}" if three == "0" else f"fd00:96::{three}:{four}"
    return f"fd00:{ {'192': '56', '203': '113', '198': '51'}[one] }::{four}"


# --- The rules --------------------------------------------------------------------------------------------------------


def plans(family: Family, node: str) -> dict[str, ServicePlan]:
    """Every Service's share of the table on a node."""
    cidr = in_family(family, f"10.244.{node[-1]}.0").removesuffix("0") if family is IPV6 else f"10.244.{node[-1]}.0"
    here = Here(node, family, pod_cidrs=(f"{cidr}/{64 if family is IPV6 else 24}",))
    made = {}
    for name, last, endpoints, ports, spec in SERVICES:
        slice_ = _slice(family, name, endpoints, ports)
        made[f"default/{name}"] = plan(_service(family, (name, last, ports), spec), [slice_], here)
    return made


def rules(family: Family, node: str) -> Book:
    book = Book(frame(family, node))
    book.replace(plans(family, node))
    return book


def _service(family: Family, named: tuple[str, int, str], spec: dict[str, Any]) -> core.Service:
    name, last, ports = named
    given = dict(spec)
    for field in ("externalIPs", "loadBalancerSourceRanges"):
        if field in given:
            given[field] = [_cidr(family, each) for each in given[field]]
    balancer = [{"ip": in_family(family, f"192.168.56.2{last:02}")}] if given.get("type") == "LoadBalancer" else []
    return from_dict(
        core.Service,
        {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"clusterIP": in_family(family, f"10.96.0.{last}"), "ports": _ports(ports), **given},
            "status": {"loadBalancer": {"ingress": balancer}},
        },
    )


def _cidr(family: Family, text: str) -> str:
    address, _, length = text.partition("/")
    if not length:
        return in_family(family, address)
    return f"{in_family(family, address).removesuffix('0')}/64" if family is IPV6 else text


def _ports(text: str) -> list[dict[str, Any]]:
    found = []
    for one in text.split():
        name, number, *node_port = one.split(":")
        port, _, protocol = number.partition("/")
        found.append({"name": name, "port": int(port), "protocol": protocol or "TCP"})
        found[-1] |= {"nodePort": int(node_port[0])} if node_port else {}
    return found


def _slice(family: Family, name: str, endpoints: str, ports: str) -> discovery.EndpointSlice:
    targets = [each | {"port": _target(each)} for each in _ports(ports)]
    for each in targets:
        each.pop("nodePort", None)
    found = [_endpoint(family, one) for one in endpoints.split()]
    body = {"addressType": family.name, "ports": targets, "endpoints": found}
    return from_dict(discovery.EndpointSlice, {"metadata": {"name": f"{name}-x", "namespace": "default"}, **body})


def _target(port: dict[str, Any]) -> int:
    return 5353 if port["protocol"] == "UDP" else 8081 if port["name"] == "admin" else 8080


def _endpoint(family: Family, text: str) -> dict[str, Any]:
    place, state, hint = re.fullmatch(r"(\w)(?:=(\w+))?(?:@(.+))?", text).groups()  # type: ignore[union-attr]
    address, node = PLACES[place]
    found: dict[str, Any] = {"addresses": [in_family(family, address)], "conditions": STATES[state or "ready"]}
    return found | {"nodeName": node} | ({"hints": {"forNodes": [{"name": hint}]}} if hint else {})


# --- The walk ---------------------------------------------------------------------------------------------------------


def walked(family: Family, case: Case, table: Any) -> dict[str, Journey]:
    """Each end that the walker foresees, with a journey that leads there."""
    number = case.node[-1]
    own = [in_family(family, each) for each in (f"192.168.56.1{number}", f"10.244.{number}.1", "127.0.0.1")]
    packet = Packet(in_family(family, SENDERS[case.sender]), case.address, case.port, case.proto)
    sent_here = case.sender in ("node", "host")
    found = {}
    for choice in range(MOST_ENDPOINTS):
        journey = walk(table, packet, Host(tuple(own), "NODE"), nth(choice), sent_here)
        found[_said(case, journey)] = journey
    return found


def _said(case: Case, journey: Journey) -> str:
    """As the table says it. What no rule moves is for a socket here, which nobody has, or for nobody at all."""
    arrived = journey.packet
    if journey.verdict == "reject":
        return "refused"
    if journey.verdict == "drop":
        return "silence"
    if (arrived.dst, arrived.dport) == (case.address, case.port):
        return "closed" if journey.local else "silence"
    return f"{arrived.dst} {arrived.dport} from {arrived.src}"
