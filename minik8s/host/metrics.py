"""Counters, gauges and histograms, and their text in the form that Prometheus reads.

Asking for a name twice gives the same metric, so that modules need not pass metrics around; asking for it with
another type or other labels is an error. Names follow upstream's where upstream has one (`workqueue_depth`,
`rest_client_requests_total`).
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

# Prometheus' own defaults, in seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[str, ...]


class Metric:
    """One name, with a value for each combination of label values."""

    kind = ""

    def __init__(self, name: str, help: str, labels: Labels = ()) -> None:
        self.name, self.help, self.labels = name, help, labels
        self._lock = threading.Lock()  # guards the values of this metric

    def _key(self, given: dict[str, str]) -> Labels:
        if len(given) == len(self.labels):
            try:
                return tuple([str(given[label]) for label in self.labels])
            except KeyError:
                pass
        raise ValueError(f"{self.name} has the labels {list(self.labels)}, not {sorted(given)}")

    def samples(self) -> Iterator[str]:
        raise NotImplementedError

    def text(self) -> str:
        lines = [f"# HELP {self.name} {_escape(self.help, False)}", f"# TYPE {self.name} {self.kind}", *self.samples()]
        return "\n".join(lines) + "\n"

    def _sample(self, values: Labels, number: float, suffix: str = "", extra: str = "") -> str:
        pairs = [f'{label}="{_escape(value)}"' for label, value in zip(self.labels, values, strict=True)]
        if extra:
            pairs.append(extra)
        return f"{self.name}{suffix}{'{' + ','.join(pairs) + '}' if pairs else ''} {_number(number)}"


class Counter(Metric):
    """Only ever grows."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Labels = ()) -> None:
        super().__init__(name, help, labels)
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def inc(self, amount: float = 1.0, **labels: str) -> None:
        key = self._key(labels)
        with self._lock:
            self._values[key] = self._values.get(key, 0.0) + amount

    def value(self, **labels: str) -> float:
        with self._lock:
            return self._values.get(self._key(labels), 0.0)

    def samples(self) -> Iterator[str]:
        with self._lock:
            found = sorted(self._values.items())
        return (self._sample(key, number) for key, number in found)


class Gauge(Counter):
    """Goes up and down; or is asked for when the page is read (`follow`)."""

    kind = "gauge"

    def __init__(self, name: str, help: str, labels: Labels = ()) -> None:
        super().__init__(name, help, labels)
        self._sources: dict[Labels, Callable[[], float]] = {}

    def set(self, number: float, **labels: str) -> None:
        key = self._key(labels)
        with self._lock:
            self._values[key] = float(number)

    def dec(self, amount: float = 1.0, **labels: str) -> None:
        self.inc(-amount, **labels)

    def follow(self, source: Callable[[], float], **labels: str) -> None:
        self._sources[self._key(labels)] = source

    def samples(self) -> Iterator[str]:
        for key, source in list(self._sources.items()):
            number = float(source())
            with self._lock:
                self._values[key] = number
        return super().samples()


class Histogram(Metric):
    """How many observations fell below each bound, their sum and their number."""

    kind = "histogram"

    def __init__(self, name: str, help: str, labels: Labels = (), buckets: Sequence[float] = BUCKETS) -> None:
        super().__init__(name, help, labels)
        self.buckets = tuple(sorted(buckets))
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, number: float, **labels: str) -> None:
        key = self._key(labels)
        with self._lock:
            counts = self._counts.setdefault(key, [0] * (len(self.buckets) + 1))
            counts[bisect_left(self.buckets, number)] += 1
            self._sums[key] = self._sums.get(key, 0.0) + number

    def add(self, counts: Sequence[int], total: float, **labels: str) -> None:
        """Take in observations that were counted elsewhere by the same bounds: how many below each, and their sum."""
        key = self._key(labels)
        with self._lock:
            known = self._counts.setdefault(key, [0] * (len(self.buckets) + 1))
            known[:] = [before + more for before, more in zip(known, counts, strict=True)]
            self._sums[key] = self._sums.get(key, 0.0) + total

    def samples(self) -> Iterator[str]:
        with self._lock:
            found = sorted((key, list(counts), self._sums[key]) for key, counts in self._counts.items())
        for key, counts, total in found:
            below = 0
            for bound, count in zip([*map(_number, self.buckets), "+Inf"], counts, strict=True):
                below += count
                yield self._sample(key, below, "_bucket", f'le="{bound}"')
            yield self._sample(key, total, "_sum")
            yield self._sample(key, below, "_count")


M = TypeVar("M", bound=Metric)


class Registry:
    """All metrics of one component."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the table of metrics
        self._metrics: dict[str, Metric] = {}

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        return self._get(Counter(name, help, tuple(labels)))

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
        return self._get(Gauge(name, help, tuple(labels)))

    def histogram(
        self, name: str, help: str, labels: Sequence[str] = (), buckets: Sequence[float] = BUCKETS
    ) -> Histogram:
        return self._get(Histogram(name, help, tuple(labels), buckets))

    def text(self) -> str:
        """The page /metrics, in the order of the names."""
        with self._lock:
            found = [self._metrics[name] for name in sorted(self._metrics)]
        return "".join(metric.text() for metric in found)

    def _get(self, fresh: M) -> M:
        with self._lock:
            known = self._metrics.setdefault(fresh.name, fresh)
        if type(known) is not type(fresh) or known.labels != fresh.labels:
            raise ValueError(f"{fresh.name} is already a {known.kind} with the labels {list(known.labels)}")
        return known


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escape(text: str, quoted: bool = True) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quoted else escaped
