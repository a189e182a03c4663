"""Who else writes into the proxy's tables? Foreign changes are noticed at once, so that `sync.py` can mend them.

The kernel numbers the transactions of a network namespace, and tells of each which tables it touched and which process
sent it. Most are ours, or touch other tables only (the agent's, a learner's): those are accounted for and forgotten.
What remains was written by somebody else into our table: it no longer is what our book says, and is written anew.
Nothing is ever listed for this: an idle node pays for one small message now and then, however many Services it has.

`Ledger` does the accounting, and is pure; `Guard` asks the kernel.

Invariant: a transaction is ours only if it was committed between the two numbers that we read around our own; of
several in between only one can be. So we need not know by which name the kernel calls our process, which in a
container is not the name we know.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from minik8s import params
from minik8s.nft.kernel import Generation, Generations, generation

SOMEBODY = "somebody (too much happened at once to see who)"


class Ledger:
    """Which transactions are accounted for: all up to `known`, and single ones of ours beyond it."""

    def __init__(self, tables: Iterable[str], known: int) -> None:
        self.tables = frozenset(tables)
        self.known = known
        self._ours: list[range] = []  # in each, one transaction is ours

    def wrote(self, before: int, after: int) -> None:
        """We committed one transaction; these were the numbers just before and just after."""
        self._ours.append(range(before + 1, after + 1))
        self._advance()

    def foreign(self, events: Iterable[Generation]) -> dict[str, str]:
        """Our tables that somebody else wrote into, and who."""
        found: dict[str, str] = {}
        for event in sorted(events, key=lambda one: one.id):
            touched = event.tables & self.tables
            if event.id > self.known and touched and not self._claim(event.id):
                found |= dict.fromkeys(touched, f"{event.command} (process {event.pid})")
            self.known = max(self.known, event.id)
        self._advance()
        return found

    def missed(self, now: int) -> dict[str, str]:
        """Events were lost; `now` is the last number. If all up to it is accounted for, none that matters."""
        if now == self.known:
            return {}
        self.known = now
        self._ours.clear()
        return dict.fromkeys(self.tables, SOMEBODY)

    def _claim(self, number: int) -> bool:
        mine = next((one for one in self._ours if number in one), None)
        if mine is not None:
            self._ours.remove(mine)
        return mine is not None

    def _advance(self) -> None:
        """What is surely ours needs no event."""
        while range(self.known + 1, self.known + 2) in self._ours:
            self.known += 1
        self._ours = [one for one in self._ours if one[-1] > self.known]


class Guard:
    """Watches the tables (`ip minik8s`) in the namespace of the thread that makes it."""

    def __init__(self, tables: Iterable[str], tell: Callable[[], None]) -> None:
        self._events = Generations()
        self._ledger = Ledger(tables, generation())
        self._tell = tell
        self._lock = threading.Lock()  # guards the ledger and what was found
        self._found: dict[str, str] = {}
        self._doubt = -1  # a number that we heard without its event: perhaps the event is on its way
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)

    @contextmanager
    def writing(self, size: int) -> Iterator[None]:
        """Around each transaction of ours, of so many bytes."""
        quiet = size > params.RULES_QUIET_BYTES
        with self._lock:
            self._events.hear(not quiet)
            before = generation()
            try:
                yield
            finally:
                self._events.hear(True)
            self._ledger.wrote(before, generation())

    def take(self) -> dict[str, str]:
        """The tables to be mended, and who wrote into them."""
        with self._lock:
            found, self._found = self._found, {}
        return found

    def put_back(self, found: dict[str, str]) -> None:
        with self._lock:
            self._found = found | self._found

    def trouble(self) -> str:
        """Why nobody would notice a foreign change; empty when somebody would."""
        return "" if self._thread.is_alive() else "nobody watches for foreign changes of the rules"

    def look(self, timeout: float) -> dict[str, str]:
        """Wait for transactions, and judge them."""
        events = self._events.wait(timeout)
        with self._lock:
            if events:
                return self._ledger.foreign(events)
            now = generation()
            if events is None or now == self._doubt:
                return self._ledger.missed(now)
            self._doubt = now
            return {}

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._events.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            found = self.look(params.RULES_LOOK_S)
            if found:
                self.put_back(found)
                self._tell()
                self._stop.wait(params.RULES_MEND_S)
