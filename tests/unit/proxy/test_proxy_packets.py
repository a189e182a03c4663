"""The table of packets, walked through the planned rule set in Python. A failure prints the packet's path.

The table itself stands in `tests/integration/support/packets.py`: `test_packets.py` there sends the same packets for
real. Here each line is walked through the rule set as a value, and through its own text, read back.
"""

from dataclasses import replace

import pytest
from support import packets

from minik8s.nft.parse import parse
from minik8s.nft.ruleset import Element
from minik8s.nft.walk import Host, Packet, nth, walk
from minik8s.proxy.layout import IPV4, IPV6, Family

NODE = Host(("192.168.56.11", "10.244.1.1", "127.0.0.1"), "NODE")
NODES = ("node-1", "node-2")
TABLES = {(family.name, node): packets.rules(family, node).table() for family in (IPV4, IPV6) for node in NODES}
TABLE = TABLES["IPv4", "node-1"]
CASES = [(family, case) for family in (IPV4, IPV6) for case in packets.cases(family)]


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(packets.cases(IPV4)) >= 60
    assert len({end for case in packets.cases(IPV4) for end in case.ends}) > 15


@pytest.mark.parametrize("form", ["value", "listing"])
@pytest.mark.parametrize(("family", "case"), CASES, ids=str)
def test_packet(family: Family, case: packets.Case, form: str) -> None:
    table = TABLES[family.name, case.node]
    found = packets.walked(family, case, table if form == "value" else parse(table.text()))
    assert set(found) == case.ends, "\n".join(f"{case}\n{journey}" for journey in found.values())


def test_a_client_that_is_remembered_goes_where_it_went_before() -> None:
    name = "aff/default/sticky/http/10.244.2.2/8080"
    remembered = TABLE.sets[name].with_elements([Element(("10.244.1.3",))])
    visited = replace(TABLE, sets={**TABLE.sets, name: remembered})
    journey = walk(visited, Packet("10.244.1.3", "10.96.0.15", 80), NODE, nth(0))
    assert journey.packet.dst == "10.244.2.2", str(journey)
    assert "remembers 10.244.1.3" in str(journey)


def test_each_of_n_endpoints_gets_one_nth() -> None:
    chosen = [walk(TABLE, Packet("192.168.56.1", "10.96.0.5", 80), NODE, nth(n)).packet.dst for n in range(3)]
    assert chosen == ["10.244.1.2", "10.244.1.3", "10.244.2.2"]
    chances = [rule.text.split(" counter")[0] for rule in TABLE.chains["svc/default/web/http"].rules[1:]]
    assert chances[:2] == ["numgen random mod 3 0", "numgen random mod 2 0"]
    assert chances[2].startswith("counter")


def test_node_ports_do_not_answer_on_the_address_that_a_node_announces_for_a_load_balancer() -> None:
    announced = next(key[0] for key in TABLE.sets["balancer-ips"].elements)
    port = next(int(number) for protocol, number in TABLE.sets["service-nodeports"].elements if protocol == "tcp")
    announcer = Host((*NODE.addresses, announced), "NODE")
    own, other = (
        walk(TABLE, Packet("192.168.56.1", to, port), announcer, nth(0)) for to in ("192.168.56.11", announced)
    )
    assert own.packet.dst != "192.168.56.11", str(own)
    assert other.packet.dst == announced, str(other)
