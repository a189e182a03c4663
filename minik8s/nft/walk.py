"""A packet's way through a rule set, without a kernel.

`walk(table, packet, host)` does what netfilter does with the first packet of a connection on one machine:

    arrives from outside or a Pod:  PREROUTING -> route -> for this machine: INPUT
                                                        -> for another:      FORWARD -> POSTROUTING
    sent by the machine itself:     route -> OUTPUT -> POSTROUTING

At each hook the base chains are entered by priority. The answer is a `Journey`: every rule taken, in order, and what
became of the packet. `numgen` throws dice in the kernel; here `pick` decides, so that a test can ask for each outcome
in turn.

Invariant: pure, and strict. A rule that the walker does not understand is an error, never skipped: a wrong answer
would teach a wrong lesson.

Next: `expressions.py` reads the single rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from minik8s.nft.expressions import Flow, Outcome, evaluate
from minik8s.nft.ruleset import Chain, Rule, Table

PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
MAX_DEPTH = 16  # the kernel's own limit for jumps


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection, as it arrives."""

    src: str
    dst: str
    dport: int = 0
    proto: str = "tcp"
    sport: int = 40000


@dataclass(frozen=True)
class Host:
    """The machine it arrives at: its own addresses, and the one it would put in place of another's."""

    addresses: tuple[str, ...]
    masquerade: str = "masqueraded"


@dataclass(frozen=True)
class Step:
    """One rule that applied."""

    hook: str
    chain: str
    rule: Rule
    effect: str

    def __str__(self) -> str:
        comment = f'  "{self.rule.comment}"' if self.rule.comment else ""
        return f"{self.hook:<11} {self.chain}: {self.rule.text}{comment}  => {self.effect}"


@dataclass(frozen=True)
class Journey:
    """What happened: the rules taken, the packet as it leaves (or reaches a socket), and the verdict."""

    steps: tuple[Step, ...]
    packet: Packet
    verdict: str  # accept, drop, reject
    local: bool  # for a socket of this machine

    def __str__(self) -> str:
        way = "to a socket here" if self.local else "onwards"
        last = f"{self.packet.proto} {self.packet.src} -> {self.packet.dst}:{self.packet.dport}"
        return "\n".join([*map(str, self.steps), f"= {self.verdict} {way}: {last}"])


Pick = Callable[[int], int]


def first(mod: int) -> int:
    """Always the first of several."""
    return 0


def nth(wanted: int) -> Pick:
    """For a cascade of `numgen random mod N 0`: lets `wanted` rules pass, then takes the next."""
    asked: Iterator[int] = iter(range(wanted))
    return lambda mod: 1 if next(asked, None) is not None else 0


@dataclass
class _Walk:
    table: Table
    flow: Flow
    steps: list[Step] = field(default_factory=list)

    def hook(self, name: str) -> str:
        """Enter every base chain of a hook; the verdict of the first that is not accept ends it."""
        for chain in _base_chains(self.table, name):
            if chain.hook and chain.hook.type == "nat" and self._translated(name):
                continue
            verdict = self._chain(chain, name, 0)
            if verdict in ("drop", "reject"):
                return verdict
        return "accept"

    def _translated(self, hook: str) -> bool:
        """One translation for each direction: a nat chain is not asked again once it has answered."""
        return "dnat" in self.flow.status if hook in ("prerouting", "output") else "snat" in self.flow.status

    def _chain(self, chain: Chain, hook: str, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise RecursionError(f"chain {chain.name}: more than {MAX_DEPTH} jumps, the kernel would refuse this table")
        for rule in chain.rules:
            outcome = evaluate(rule.text, self.flow, self.table.sets)
            if outcome is None:
                continue
            self.steps.append(Step(hook, chain.name, rule, outcome.effect))
            verdict = self._follow(outcome, hook, depth)
            if verdict:
                return verdict
        return "continue"

    def _follow(self, outcome: Outcome, hook: str, depth: int) -> str:
        """The verdict of a rule; empty when the next rule is to be tried."""
        if outcome.target:
            verdict = self._chain(self.table.chains[outcome.target], hook, depth + 1)
            if outcome.verdict == "goto":
                return verdict
            return "" if verdict in ("continue", "return") else verdict
        return outcome.verdict


def walk(table: Table, packet: Packet, host: Host, pick: Pick = first, sent_here: bool = False) -> Journey:
    """The journey of one packet; `sent_here` for one of the machine's own processes."""
    flow = Flow(
        {"saddr": packet.src, "daddr": packet.dst, "sport": str(packet.sport), "dport": str(packet.dport)},
        packet.proto,
        frozenset(host.addresses),
        host.masquerade,
        pick,
    )
    run = _Walk(table, flow)
    verdict = run.hook("output" if sent_here else "prerouting")
    local = flow.is_local(flow.fields["daddr"])
    hooks = ["postrouting"] if sent_here else ["input"] if local else ["forward", "postrouting"]
    for hook in hooks:
        if verdict == "accept":
            verdict = run.hook(hook)
    fields = flow.fields
    arrived = replace(packet, src=fields["saddr"], dst=fields["daddr"], dport=int(fields["dport"]))
    return Journey(tuple(run.steps), arrived, verdict, local)


def _base_chains(table: Table, hook: str) -> list[Chain]:
    based = [(_priority(chain.hook.priority), chain.name, chain) for chain in table.chains.values() if chain.hook]
    return [chain for _, _, chain in sorted(based, key=lambda one: one[:2]) if chain.hook and chain.hook.hook == hook]


def _priority(text: str) -> int:
    return PRIORITIES[text] if text in PRIORITIES else int(text)
