"""The one loop that retries: take a key, look, decide, act; on an error come again later.

A reconciler (`sync`) gets a key, never an event: it looks at the world as it is (law 5). Nothing is decided before the
informers have their first full list. Whatever `sync` raises ends up here, and only here.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from minik8s.client.informer import Informer
from minik8s.client.queue import WorkQueue
from minik8s.client.rest import Conflict, Unreachable

Sync = Callable[[str], float | None]


@dataclass
class Controller:
    """Runs `sync(key)` for the keys of `queue`.

    A number it returns means: look at this key again in so many seconds.
    """

    name: str
    sync: Sync
    queue: WorkQueue
    informers: Sequence[Informer[Any]] = ()
    workers: int = 1
    stop: threading.Event = field(default_factory=threading.Event)
    errors: int = 0  # how often `sync` raised; for metrics

    def run(self) -> None:
        """Work until `stop` is set."""
        log = logging.getLogger(self.name)
        for informer in self.informers:
            informer.start()
        for informer in self.informers:
            while not informer.wait_synced(0.5):
                if self.stop.is_set():
                    return
        log.info("%s: caches have synced", self.name)
        threads = [threading.Thread(target=self._work, args=(log,), daemon=True) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        self.stop.wait()
        self.queue.shut_down()
        for thread in threads:
            thread.join(5)

    def _work(self, log: logging.Logger) -> None:
        while (key := self.queue.get()) is not None:
            try:
                again = self.sync(key)
            except (Conflict, Unreachable) as error:
                # Ordinary: someone else wrote first, or the API server is away. No stack trace for that.
                self._retry(key, log, str(error))
            except Exception as error:
                log.exception("%s: %s failed", self.name, key)
                self._retry(key, log, repr(error))
            else:
                self.queue.forget(key)
                if again is not None:
                    self.queue.add_after(key, again)
            finally:
                self.queue.done(key)

    def _retry(self, key: str, log: logging.Logger, error: str) -> None:
        self.errors += 1
        delay = self.queue.add_rate_limited(key)
        log.warning("%s: %s: %s; again in %.3f s", self.name, key, error, delay)
