"""When is a node silent? A clock that runs only while somebody is heard. Pure: what time it is comes in as an argument.

A node whose Lease does not change may be dead. But if we hear nobody at all, then the API server was away, or this
process was stopped, or the laptop slept: then the silence says nothing about any node. So ages are not measured in
seconds but on a clock of our own, `heard`: it follows our monotonic time as long as some node's heartbeat came in
lately, and stands still otherwise. It never jumps, however late we look.

Invariants: a node that renews its Lease in time is never called silent, whatever happened to us, to the API server,
or to all nodes together; while all nodes are silent no age grows, so nobody is evicted. Read `plan.py` next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from minik8s.api.coordination import Lease
from minik8s.api.core import Node, Taint

# How long the clock goes on without any heartbeat, in renewal intervals of a Lease. More than one, because the only
# other node may be about to renew; well below the grace period, which is four or five of them.
PATIENCE = 1.5


@dataclass(frozen=True)
class Heard:
    """What we remember between two looks."""

    looked: float  # our monotonic time of the last look
    heard: float = 0.0  # the clock
    quiet: float = 0.0  # for how long we listened and heard nobody
    beats: Mapping[str, tuple[str, float]] = field(
        default_factory=dict
    )  # node: its last sign of life, and when on the clock
    tainted: Mapping[str, float] = field(
        default_factory=dict
    )  # node: when on the clock it was first seen with NoExecute
    leases: Mapping[str, Lease] = field(default_factory=dict)  # node: its Lease as it was seen last

    def silence(self, node: str) -> float:
        """For how long this node was not heard while others were."""
        return self.heard - self.beats[node][1] if node in self.beats else 0.0

    def tainted_for(self, node: str) -> float:
        return self.heard - self.tainted.get(node, self.heard)


def observe(before: Heard | None, nodes: Iterable[Node], leases: Iterable[Lease], now: float, interval: float) -> Heard:
    """Look again. `interval` is how often nodes renew their Leases. Without `before`, everybody was heard just now."""
    nodes, leases = list(nodes), list(leases)
    before = before or Heard(looked=now)
    passed = max(0.0, now - before.looked)
    clock = before.heard + min(passed, max(0.0, interval * PATIENCE - before.quiet))
    signs = signs_of_life(nodes, leases)
    beats = {}
    for name, sign in signs.items():
        last = before.beats.get(name)
        beats[name] = last if last is not None and last[0] == sign else (sign, clock)
    anybody = any(beats[name] != before.beats.get(name) for name in beats)
    tainted = {node.metadata.name: before.tainted.get(node.metadata.name, clock) for node in nodes if no_execute(node)}
    # However late this look is, it is one look: we did not listen in between.
    quiet = 0.0 if anybody else before.quiet + min(passed, interval)
    return Heard(now, clock, quiet, beats, tainted, {lease.metadata.name: lease for lease in leases})


def signs_of_life(nodes: Iterable[Node], leases: Iterable[Lease]) -> dict[str, str]:
    """Each node's last heartbeat as a text that differs whenever the node was heard again."""
    renewed = {lease.metadata.name: lease.spec.renewTime or "" for lease in leases}
    signs = {}
    for node in nodes:
        reported = [each.lastHeartbeatTime or "" for each in node.status.conditions if each.type == "Ready"]
        signs[node.metadata.name] = "/".join([node.metadata.uid, renewed.get(node.metadata.name, ""), *reported])
    return signs


def no_execute(node: Node) -> list[Taint]:
    return [taint for taint in node.spec.taints if taint.effect == "NoExecute"]
