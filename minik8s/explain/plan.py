"""The history of one object: episodes, each a cause and what followed from it; and how long failures were felt. Pure.

`history(facts, "services/default/web")` takes all facts there are and keeps those that belong to the target's family
and those that led to them. Invariants: each fact stands in one episode, the one of its root; stages stand in the order
in which they happened; times are differences of the wall clocks of the processes that did the thing, so they are exact
where all processes share a machine.

Read next: tell.py, which puts this into words.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from minik8s.explain import facts
from minik8s.explain.causes import Causes
from minik8s.explain.facts import Fact
from minik8s.explain.family import NOTHING, Ties

TOGETHER_S = 2.0  # objects that one client writes within this time are one cause, as one file


@dataclass(frozen=True)
class Stage:
    """One thing that happened."""

    fact: Fact
    total: float  # seconds since the cause
    step: float  # seconds since what set it off
    after: Fact | None = None  # what set it off, if that is known


@dataclass(frozen=True)
class Window:
    """An endpoint that left the rules: on each node how long after the cause; how many endpoints there were."""

    endpoint: str  # 10.244.1.2:8080
    service: str  # default/web
    left: tuple[tuple[str, float], ...]  # (node, seconds)
    endpoints: int  # before it left, itself included

    @property
    def seconds(self) -> float:
        return max(seconds for _, seconds in self.left)

    def expected(self, rate: float) -> float:
        """How many of `rate` requests a second met the endpoint in that time."""
        return rate * self.seconds / max(self.endpoints, 1)


@dataclass(frozen=True)
class Episode:
    cause: Fact
    stages: tuple[Stage, ...]
    windows: tuple[Window, ...] = ()

    def first(self, stage: str, who: str = "") -> Stage | None:
        """The first of a stage (by somebody)."""
        return next((each for each in self.stages if each.fact.stage == stage and who in ("", each.fact.who)), None)


@dataclass(frozen=True)
class History:
    target: str
    episodes: tuple[Episode, ...] = ()
    silent: tuple[str, ...] = ()  # proxy@node-2: whose journal could not be read
    machines: int = 1  # more than one: clocks may differ


def history(
    known: Sequence[Fact], target: str, since: float = 0.0, selected: Mapping[str, Iterable[str]] = NOTHING
) -> History:
    """All episodes of the target that began, or still had effects, after `since`. Facts must be in order of time."""
    ties = Ties(known, selected)
    family = ties.family(target)
    services = {name for name in family | ties.services(family) if name.startswith("services/")}
    causes = Causes(known, family | services | ties.slices(services))
    addresses = _addresses(known, target)
    chosen = [n for n, fact in enumerate(known) if _belongs(fact, family, services, addresses)]
    groups: dict[int, set[int]] = defaultdict(set)
    for number in chosen:
        groups[causes.root(number)] |= _shown_ancestors(causes, number, target)
    merged = _together(causes, groups)
    felt = {target} if target in services else services  # by the clients of which Services
    episodes = [_episode(causes, root, numbers, felt) for root, numbers in sorted(merged.items())]
    return History(target, tuple(each for each in episodes if _latest(each) >= since))


def only_last(whole: History, count: int) -> History:
    """The last causes alone."""
    return replace(whole, episodes=whole.episodes[-count:])


# --- What belongs -----------------------------------------------------------------------------------------------------


def _belongs(fact: Fact, family: set[str], services: set[str], addresses: set[str]) -> bool:
    if not fact.stage:
        return False
    if fact.stage == facts.RULES:
        touched = {f"services/{each}" for each in fact.data.get("services") or ()} & services
        return bool(touched) and (not addresses or _touches(fact, addresses))
    if fact.stage == facts.NAMES:
        return fact.object in services and not addresses
    if fact.stage == facts.ENDPOINTS and addresses:
        return fact.object in family and any(name in family and name.startswith("pods/") for name, _ in fact.seen)
    return fact.object in family


def _addresses(known: Iterable[Fact], target: str) -> set[str]:
    """Of a Pod's history only the rules that speak of its addresses are wanted; empty means: all."""
    if not target.startswith("pods/"):
        return set()
    told = (str(fact.data.get("address", "")) for fact in known if fact.object == target)
    return {each for each in told if each} or {"none yet"}


def _touches(fact: Fact, addresses: set[str]) -> bool:
    changed = [*fact.data.get("added", ()), *fact.data.get("removed", ())]
    return any(address_of(each) in addresses for each in changed)


def address_of(change: str) -> str:
    """`default/web:http 10.244.1.5:8080` → 10.244.1.5."""
    return change.rpartition(" ")[2].rpartition(":")[0].strip("[]")


def _shown_ancestors(causes: Causes, number: int, target: str) -> set[int]:
    """A fact and all that led to it; a Pod's history leaves other Pods' steps out."""
    found: set[int] = set()
    while number not in found:
        found.add(number)
        before = causes.triggers[number]
        if before is None:
            break
        number = before
    return {each for each in found if causes.facts[each].stage and _not_a_sibling(causes.facts[each], target)}


def _not_a_sibling(fact: Fact, target: str) -> bool:
    return fact.object == target or fact.kind != "pods" or not target.startswith("pods/")


# --- Episodes ---------------------------------------------------------------------------------------------------------


def _together(causes: Causes, groups: dict[int, set[int]]) -> dict[int, set[int]]:
    """Writes of one client, one right after the other, are one cause: a file with several objects in it."""
    merged: dict[int, set[int]] = {}
    last: int | None = None
    for root in sorted(groups):
        fact = causes.facts[root]
        if last is not None and _one_act(causes.facts[last], fact):
            merged[last] |= groups[root] | ({root} if fact.stage else set())
            continue
        merged[root] = set(groups[root])
        last = root if _is_given(fact) else last
    return merged


def _is_given(fact: Fact) -> bool:
    """A write from outside the cluster."""
    ours = (facts.CONTROLLERS, facts.AGENT, facts.PROXY, facts.DNS, "scheduler")
    return fact.is_write and fact.component not in ours


def _one_act(first: Fact, second: Fact) -> bool:
    same = (first.who, first.user, command(first)) == (second.who, second.user, command(second))
    return same and _is_given(first) and _is_given(second) and second.wall - first.wall <= TOGETHER_S


def command(fact: Fact) -> str:
    """What was typed, without the place in the file."""
    return fact.because.partition(": ")[0]


def _episode(causes: Causes, root: int, numbers: set[int], services: set[str]) -> Episode:
    cause, stages = causes.facts[root], []
    for number in sorted(numbers):
        fact, trigger = causes.facts[number], causes.triggers[number]
        after = causes.facts[trigger] if trigger is not None else None
        step = fact.wall - after.wall if after else 0.0
        stages.append(Stage(fact, max(fact.wall - cause.wall, 0.0), max(step, 0.0), after))
    # An effect may be noted before its cause: the server notes a write once it has answered.
    stages.sort(key=lambda stage: (stage.total, not stage.fact.is_write))
    return Episode(cause, tuple(stages), _windows(causes.facts, cause, stages, services))


def _latest(episode: Episode) -> float:
    return max((stage.fact.wall for stage in episode.stages), default=episode.cause.wall)


# --- Windows ----------------------------------------------------------------------------------------------------------


def _windows(known: Sequence[Fact], cause: Fact, stages: Sequence[Stage], services: set[str]) -> tuple[Window, ...]:
    left: dict[str, dict[str, float]] = defaultdict(dict)
    counts: dict[str, int] = {}
    for stage in stages:
        cut_off = cause.stage == facts.HEARTBEAT and stage.fact.node == cause.node
        if stage.fact.stage != facts.RULES or cut_off:
            continue  # what a node that was cut off sends, it sends to itself
        for change in stage.fact.data.get("removed", ()):
            if f"services/{change.partition(':')[0]}" in services:
                left[change].setdefault(stage.fact.node, stage.total)
                counts[change] = max(counts.get(change, 0), _endpoints_before(known, stage.fact, change))
    return tuple(
        Window(change.rpartition(" ")[2], change.partition(":")[0], tuple(sorted(nodes.items())), counts[change])
        for change, nodes in sorted(left.items())
    )


def _endpoints_before(known: Sequence[Fact], last: Fact, change: str) -> int:
    """How many endpoints a Service port had on a node, counted from its proxy's journal."""
    title, present = change.partition(" ")[0], set[str]()
    for fact in known:
        if fact is last:
            break
        if fact.stage == facts.RULES and fact.who == last.who:
            if "the proxy started" in fact.because:
                present.clear()
            present |= {each for each in fact.data.get("added", ()) if each.partition(" ")[0] == title}
            present -= set(fact.data.get("removed", ()))
    return len(present | {change})
