"""Single rules and jumps as the walker reads them; whole Services are walked in the proxy's packet table."""

import pytest

from minik8s.nft.expressions import Flow, NotInTheLanguage, evaluate
from minik8s.nft.parse import parse
from minik8s.nft.ruleset import Element, Set, Table
from minik8s.nft.walk import Host, Packet, nth, walk

PODS = Set("pods", "ipv4_addr", flags=("interval",)).with_elements([Element(("10.244.0.0/16",))])


def flow(**changed: str) -> Flow:
    fields = {"saddr": "10.244.1.2", "daddr": "10.96.0.1", "sport": "40000", "dport": "80", **changed}
    return Flow(fields, "tcp", frozenset({"192.168.56.11"}), "192.168.56.11", lambda mod: 0)


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        ("ip daddr 10.96.0.1 accept", "accept"),
        ("ip daddr != 10.96.0.1 accept", None),
        ("ip daddr 10.96.0.0/16 drop", "drop"),
        ("ip daddr { 1.1.1.1, 10.96.0.1 } drop", "drop"),
        ("ip saddr @pods tcp dport 80 accept", "accept"),
        ("ip saddr != @pods accept", None),
        ("udp dport 80 accept", None),
        ("ip saddr . ip daddr { 10.244.1.2 . 10.96.0.1 } accept", "accept"),
        ("fib daddr type local accept", None),
        ("ct state new accept", "accept"),
        ("ct status dnat accept", None),
        ("numgen random mod 3 0 accept", "accept"),
        ("numgen random mod 3 1 accept", None),
        ("meta mark & 0x00004000 != 0x00000000 accept", None),
        ("meta mark set meta mark | 0x4000", "mark becomes 0x4000"),
        ("counter packets 3 bytes 180 accept", "accept"),
        ("reject", "refused: icmp port-unreachable"),
        ("update @seen { ip saddr }", "remembers 10.244.1.2 in seen"),
    ],
)
def test_a_rule_does_what_nft_says(rule: str, effect: str | None) -> None:
    outcome = evaluate(rule, flow(), {"pods": PODS})
    assert (outcome.effect if outcome else None) == effect


def test_a_rule_that_the_walker_does_not_know_is_an_error_and_never_skipped() -> None:
    for rule in ("tcp flags syn accept", "ip daddr @nowhere accept", "dnat to nowhere", "ip daddr"):
        with pytest.raises(NotInTheLanguage):
            evaluate(rule, flow(), {})


def table(chains: str) -> Table:
    return parse("table ip t {\n" + chains + "\n}\n")


NODE = Host(("192.168.56.11",), "192.168.56.11")


def test_a_jump_comes_back_and_a_goto_does_not() -> None:
    chains = """
chain in {
type filter hook prerouting priority filter; policy accept;
jump a
goto b
drop
}
chain a {
counter
return
}
chain b {
counter
}"""
    journey = walk(table(chains), Packet("10.1.1.1", "10.2.2.2", 80), NODE)
    assert [step.chain for step in journey.steps] == ["in", "a", "a", "in", "b"]
    assert journey.verdict == "accept"


def test_hooks_come_in_the_kernels_order() -> None:
    chains = "\n".join(
        f"chain {hook} {{\ntype filter hook {hook} priority 0; policy accept;\ncounter\n}}"
        for hook in ("postrouting", "output", "input", "forward", "prerouting")
    )

    def hooks(packet: Packet, sent_here: bool = False) -> list[str]:
        return [step.hook for step in walk(table(chains), packet, NODE, sent_here=sent_here).steps]

    assert hooks(Packet("10.1.1.1", "192.168.56.11", 80)) == ["prerouting", "input"]
    assert hooks(Packet("10.1.1.1", "10.2.2.2", 80)) == ["prerouting", "forward", "postrouting"]
    assert hooks(Packet("192.168.56.11", "10.2.2.2", 80), sent_here=True) == ["output", "postrouting"]


def test_a_loop_of_jumps_is_found() -> None:
    chains = "chain in {\ntype filter hook input priority 0;\njump in\n}"
    with pytest.raises(RecursionError, match="16 jumps"):
        walk(table(chains), Packet("10.1.1.1", "192.168.56.11", 80), NODE)


def test_nth_takes_each_of_a_cascade_in_turn() -> None:
    assert [nth(0)(3), nth(1)(3)] == [0, 1]
    pick = nth(2)
    assert [pick(3), pick(2), pick(1)] == [1, 1, 0]


def test_a_failed_walk_prints_its_path() -> None:
    chains = 'chain in {\ntype filter hook input priority 0;\ndrop comment "no"\n}'
    shown = str(walk(table(chains), Packet("10.1.1.1", "192.168.56.11", 80), NODE))
    assert 'input       in: drop  "no"  => drop' in shown and "= drop to a socket here" in shown
