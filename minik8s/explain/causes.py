"""Which fact led to which. Pure.

Every write of ours says which revisions it was decided by, every journal entry which revisions it was done for; a
revision is made by one write only, so the newest of them names the fact that set this one off. Two things are not said
by any header and are filled in here: an agent tells what it just saw or did itself, and a controller that looked at
nothing new was set off by what is missing now (a Pod that is gone has no revision to look at).

Invariant: a cause is never later than what it caused, so that following causes ends; where it ends is the root: a
person's write, a death, a silence. Clients that send no headers are roots: a cause without a cause.

Read next: plan.py.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from minik8s.explain import facts
from minik8s.explain.facts import Fact

Seen = tuple[tuple[str, int], ...]
SLACK_S = 0.05  # a server notes its write after the client may have acted on it already


class Causes:
    """All facts, and for each the one that set it off. `facts` must be in order of time.

    `family`: the objects whose history is told. Rules of several Services that were written in one go were set off,
    for this history, by its own Service's change.
    """

    def __init__(self, known: Sequence[Fact], family: Collection[str] = ()) -> None:
        self.facts, self._family = known, family
        self._made: dict[tuple[str, int], int] = {}
        for number, fact in enumerate(known):
            if fact.is_write:
                self._made.setdefault((fact.object, fact.revision), number)
        self._about: Mapping[str, list[int]] = _by_object(known)
        self._members: dict[str, set[str]] = defaultdict(set)  # ReplicaSet or slice → its Pods
        self._round: dict[tuple[str, str], tuple[Seen, int | None]] = {}
        self._used: dict[tuple[str, str], set[int]] = defaultdict(set)  # what each has looked at already
        self.triggers: list[int | None] = []
        for number in range(len(known)):
            self.triggers.append(self._trigger(number))

    def root(self, number: int) -> int:
        """Where the chain that led to a fact begins."""
        seen = {number}
        while (before := self.triggers[number]) is not None and before not in seen:
            number = before
            seen.add(number)
        return number

    def _trigger(self, number: int) -> int | None:
        fact = self.facts[number]
        if fact.stage == facts.HEARTBEAT:
            return None  # the clock sets it off, whatever it names
        own = self._own(number)
        if own is not None or (not fact.is_write and fact.stage in (facts.DIED, facts.PROBE)):
            return own  # deaths and verdicts of probes come from outside, unless somebody wanted them
        last = self._round.get((fact.who, _subject(fact)))
        losses = self._missing(number)
        if fact.stage == facts.MADE and last is not None and last[0] == fact.seen and not losses:
            self._join(fact)
            return last[1]  # the second Pod of one look at the world
        looked, used = self._looked(number), self._used[fact.who, _subject(fact)]
        news = [each for each in looked if each not in used]
        used.update(looked)
        found = max([*news, *self._just_written(number), *losses], default=None)
        self._round[fact.who, _subject(fact)] = (fact.seen, found)
        self._join(fact)
        return found

    def _just_written(self, number: int) -> list[int]:
        """What the same writer wrote, a moment ago, of an object that it had looked at."""
        fact = self.facts[number]
        if not fact.is_write or fact.stage != facts.UNREADY:
            return []
        mine = [self._last(number, name, lambda each: each.who == fact.who) for name, _ in fact.seen]
        return [each for each in mine if each is not None]

    def _looked(self, number: int) -> list[int]:
        """The facts that made the revisions this one was decided by."""
        fact = self.facts[number]
        own = [each for each in fact.seen if each[0] in self._family] if fact.stage == facts.RULES else []
        found = (self._made.get(each) for each in own or fact.seen)
        latest = fact.wall + SLACK_S
        return [each for each in found if each is not None and each != number and self.facts[each].wall <= latest]

    # --- What no header says ------------------------------------------------------------------------------------------

    def _own(self, number: int) -> int | None:
        """What the same agent did with, or saw of, the same Pod just before; a Node's last heartbeat."""
        fact = self.facts[number]
        if fact.kind == "nodes" and fact.component == facts.CONTROLLERS and "silent" in fact.because:
            return self._last(number, f"leases/kube-node-lease/{fact.name}", lambda each: True)
        if fact.component != facts.AGENT or fact.kind != "pods":
            return None
        if fact.stage == facts.DIED:
            return self._last(number, fact.object, lambda each: each.stage == facts.DELETED)
        before = self._last(number, fact.object, lambda each: each.who == fact.who)
        if fact.stage == facts.PROBE:
            last = self._last(number, fact.object, lambda each: each.who == fact.who and not each.is_write)
            return last if last is not None and self.facts[last].stage == facts.STARTED else None
        if before is None or (fact.is_write and self.facts[before].is_write):
            return None
        newest = max(self._looked(number), default=-1)
        return before if before > newest else None

    def _missing(self, number: int) -> list[int]:
        """The newest loss among its own that a controller may have meant, since its last write of this kind."""
        fact = self.facts[number]
        if fact.component != facts.CONTROLLERS or fact.stage not in (facts.MADE, facts.ENDPOINTS):
            return []
        subject = _subject(fact)
        for before in range(number - 1, -1, -1):
            each = self.facts[before]
            if each.stage in (facts.DELETED, facts.GONE) and each.object in self._members[subject]:
                return [before]
            if each.stage == fact.stage and _subject(each) == subject:
                return []
        return []

    def _join(self, fact: Fact) -> None:
        """Remember whose Pods are whose."""
        if fact.stage == facts.MADE and fact.kind == "pods":
            self._members[_subject(fact)].add(fact.object)
        if fact.stage == facts.ENDPOINTS:
            self._members[fact.object].update(name for name, _ in fact.seen if name.startswith("pods/"))

    def _last(self, number: int, name: str, accept: Callable[[Fact], bool]) -> int | None:
        """The newest acceptable fact about an object before this one."""
        about = self._about.get(name, [])
        for before in reversed(about[: bisect_left(about, number)]):
            if accept(self.facts[before]):
                return before
        return None


def _by_object(known: Iterable[Fact]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, fact in enumerate(known):
        found[fact.object].append(number)
    return found


def _subject(fact: Fact) -> str:
    """Whose business a fact is: of a Pod that is made, its maker's; of rules, the proxy's alone."""
    if fact.stage == facts.MADE and fact.seen:
        return fact.seen[-1][0]
    if fact.stage == facts.RULES:
        return ""  # a proxy's whole table, whichever Services an entry names
    return fact.object
