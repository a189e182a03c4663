"""A table of packets: sent by whom, to what; answered by whom, who sees which source address, or how refused.

Walked through the planned rule set in Python. A failure prints the packet's path.
"""

from dataclasses import replace

import pytest
from proxy_worlds import book_of, planned

from minik8s.nft.parse import parse
from minik8s.nft.ruleset import Element, Table
from minik8s.nft.walk import Host, Packet, nth, walk

NODE = Host(("192.168.56.11", "10.244.1.1", "127.0.0.1"), "NODE")
POD_A, POD_C, OUTSIDE, SELF = "10.244.1.2", "10.244.2.2", "192.168.56.1", "10.244.1.1"


def table() -> Table:
    return book_of(
        planned("web", "10.96.0.5", "a b c", "http:80:30080 admin:81", type="NodePort"),
        planned("empty", "10.96.0.6", "", "http:80:30081", type="NodePort"),
        planned(
            "dns", "10.96.0.10", "n1@node-1 n2@node-2", "dns:53/UDP dns-tcp:53", trafficDistribution="PreferSameNode"
        ),
        planned("half", "10.96.0.7", "a@node-1 c"),
        planned("elsewhere", "10.96.0.8", "a@node-2 c@node-2"),
        planned("last", "10.96.0.9", "a=leaving b=gone c=starting"),
        planned("local", "10.96.0.11", "b c", "http:80:30082", type="NodePort", externalTrafficPolicy="Local"),
        planned("away", "10.96.0.12", "c", "http:80:30083", type="NodePort", externalTrafficPolicy="Local"),
        planned("near", "10.96.0.13", "b c", internalTrafficPolicy="Local"),
        planned("far", "10.96.0.14", "c", "http:80:30084", type="NodePort", internalTrafficPolicy="Local"),
        planned("sticky", "10.96.0.15", "a c", sessionAffinity="ClientIP"),
        planned("gone", "None", "a b"),
        planned("cname", "", "", type="ExternalName", externalName="example.org"),
        planned("plain", "10.96.0.16", "a", "http:80:30086"),
    ).table()


TABLE = table()
CASES = """
# from      to                    choice  end
pod-a       10.96.0.5:80          0       10.244.1.2:8080 from NODE                a Pod reaches itself: hairpin
pod-a       10.96.0.5:80          1       10.244.1.3:8080 from 10.244.1.2          its source address is kept
pod-a       10.96.0.5:80          2       10.244.2.2:8080 from 10.244.1.2          across nodes too
pod-c       10.96.0.5:80          0       10.244.1.2:8080 from 10.244.2.2
pod-a       10.96.0.5:81          0       10.244.1.2:8080 from NODE                the second port
outside     10.96.0.5:80          0       10.244.1.2:8080 from NODE                no Pod: the answer must come back
outside     192.168.56.11:30080   0       10.244.1.2:8080 from NODE
outside     192.168.56.11:30080   2       10.244.2.2:8080 from NODE                an endpoint of another node
pod-a       192.168.56.11:30080   1       10.244.1.3:8080 from NODE
pod-a       10.244.1.1:30080      1       10.244.1.3:8080 from NODE                on every local address
host        192.168.56.11:30080   1       10.244.1.3:8080 from NODE
node        127.0.0.1:30080       0       accept                                   but not on loopback
node        10.96.0.5:80          1       10.244.1.3:8080 from 10.244.1.1          the node has a Pod range address
outside     192.168.56.12:30080   0       accept                                   another node's business
pod-a       10.96.0.6:80          0       reject                                   no endpoints
outside     192.168.56.11:30081   0       reject
node        10.96.0.6:80          0       reject
host        192.168.56.11:30081   0       reject
pod-a       10.96.0.5:99          0       reject                                   a port that no Service has
pod-a       10.96.0.5:80/udp      0       reject                                   a protocol that no Service has
pod-a       10.96.0.5:0/icmp      0       reject                                   ping gets a clear answer
pod-a       10.96.99.99:80        0       accept                                   no Service: none of our business
pod-a       10.96.0.10:53/udp     0       192.168.56.11:5353 from 10.244.1.2       PreferSameNode: the node's own
pod-a       10.96.0.10:53/udp     1       192.168.56.11:5353 from 10.244.1.2       and only that
pod-a       10.96.0.10:53         0       192.168.56.11:8080 from 10.244.1.2
pod-a       10.96.0.7:80          1       10.244.2.2:8080 from 10.244.1.2          one without hint: no hint counts
pod-b       10.96.0.8:80          0       10.244.1.2:8080 from 10.244.1.3          no hint for this node: all
pod-b       10.96.0.9:80          0       10.244.1.2:8080 from 10.244.1.3          terminating, but still serving
pod-b       10.96.0.9:80          1       10.244.1.2:8080 from 10.244.1.3          and nobody else
outside     192.168.56.11:30082   0       10.244.1.3:8080 from 192.168.56.1        Local keeps the client's address
outside     192.168.56.11:30082   1       10.244.1.3:8080 from 192.168.56.1        and this node
pod-a       192.168.56.11:30082   1       10.244.2.2:8080 from 10.244.1.2          a Pod may use all
host        192.168.56.11:30082   1       10.244.2.2:8080 from NODE                so may the node
outside     192.168.56.11:30083   0       drop                                     none here, but elsewhere
pod-a       192.168.56.11:30083   0       10.244.2.2:8080 from 10.244.1.2
pod-a       10.96.0.12:80         0       10.244.2.2:8080 from 10.244.1.2
pod-a       10.96.0.13:80         0       10.244.1.3:8080 from 10.244.1.2          internal Local: this node's
pod-a       10.96.0.13:80         1       10.244.1.3:8080 from 10.244.1.2
pod-a       10.96.0.14:80         0       drop                                     internal Local and none here
outside     192.168.56.11:30084   0       10.244.2.2:8080 from NODE                its node port may use all
pod-a       10.96.0.15:80         1       10.244.2.2:8080 from 10.244.1.2          affinity, first visit
pod-a       192.168.56.11:30086   0       accept                                   a nodePort in a ClusterIP Service
"""
SOURCES = {
    "pod-a": POD_A,
    "pod-b": "10.244.1.3",
    "pod-c": POD_C,
    "outside": OUTSIDE,
    "node": SELF,
    "host": "192.168.56.11",
}


@pytest.mark.parametrize("case", [line for line in CASES.splitlines() if line and line[0] != "#"])
@pytest.mark.parametrize("form", ["value", "listing"])
def test_packet(case: str, form: str) -> None:
    sender, to, choice, *rest = case.split()
    end = f"{rest[0]} from {rest[2]}" if len(rest) > 2 and rest[1] == "from" else rest[0]
    address, _, port = to.partition(":")
    number, _, proto = port.partition("/")
    packet = Packet(SOURCES[sender], address, int(number), proto or "tcp")
    where = TABLE if form == "value" else parse(TABLE.text())
    journey = walk(where, packet, NODE, nth(int(choice)), sent_here=sender in ("node", "host"))
    arrived = journey.packet
    reached = f"{arrived.dst}:{arrived.dport} from {arrived.src}"
    moved = journey.verdict == "accept" and (arrived.dst, arrived.dport) != (address, int(number))
    assert (reached if moved else journey.verdict) == end, f"\n{case}\n{journey}"


def test_a_client_that_is_remembered_goes_where_it_went_before() -> None:
    name = "aff/default/sticky/http/10.244.2.2/8080"
    remembered = TABLE.sets[name].with_elements([Element(("10.244.1.3",))])
    visited = replace(TABLE, sets={**TABLE.sets, name: remembered})
    journey = walk(visited, Packet("10.244.1.3", "10.96.0.15", 80), NODE, nth(0))
    assert journey.packet.dst == "10.244.2.2", str(journey)
    assert "remembers 10.244.1.3" in str(journey)


def test_each_of_n_endpoints_gets_one_nth() -> None:
    chosen = [walk(TABLE, Packet(OUTSIDE, "10.96.0.5", 80), NODE, nth(n)).packet.dst for n in range(3)]
    assert chosen == ["10.244.1.2", "10.244.1.3", "10.244.2.2"]
    chances = [rule.text.split(" counter")[0] for rule in TABLE.chains["svc/default/web/http"].rules[1:]]
    assert chances[:2] == ["numgen random mod 3 0", "numgen random mod 2 0"]
    assert chances[2].startswith("counter")
