"""The two looks at every node that `measures.py` makes rates of, and the requests for NodeMetrics and PodMetrics.

`_lock` guards what was last seen of each node, and the pairs made of it. One request looks at a time, so that many who
ask at once do not measure many times. A node that does not answer is left out, as upstream leaves it out.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from minik8s.api import codec
from minik8s.api.core import Node, Pod
from minik8s.api.meta import Object
from minik8s.api.metrics import NodeMetrics, PodMetrics
from minik8s.apiserver import errors, measures, reads, selection
from minik8s.apiserver.measures import STALE_S, WINDOW_S, Look
from minik8s.apiserver.registry import Registry, prefix_of
from minik8s.apiserver.relaying.streaming import Agents, Question
from minik8s.apiserver.relaying.streaming import Answer as Whole
from minik8s.apiserver.request import Answer, Request
from minik8s.host import clock

PAGE = Question("/metrics/resource")
SIDE_BY_SIDE = 8  # agents that are asked at a time
_pause = threading.Event().wait


class Metering:
    """Answers for the kinds of metrics.k8s.io."""

    def __init__(self, registry: Registry, agents: Agents) -> None:
        self._registry, self._agents = registry, agents
        self._lock = threading.Lock()
        self._last: dict[str, Look] = {}
        self._last_at = -STALE_S - 1  # by the monotonic clock
        self._pairs: dict[str, tuple[Look, Look]] = {}

    def answerers(self) -> dict[type[Object], Callable[[Request], Answer]]:
        """What to ask for which kind."""
        return {
            NodeMetrics: lambda request: self._answer(request, self._nodes()),
            PodMetrics: lambda request: self._answer(request, self._pods()),
        }

    def _answer(self, request: Request, found: Iterator[NodeMetrics | PodMetrics]) -> Answer:
        target, matches = request.target, selection.matcher(request.cls, request.query)
        values = [
            codec.encode(each)
            for each in found
            if target.namespace in ("", each.metadata.namespace) and target.name in ("", each.metadata.name)
        ]
        if target.name:
            if not values:
                raise errors.not_found(request.cls, target.name)
            return Answer(200, values[0])
        chosen = [value for value in values if matches is None or matches(value)]
        return reads.document(request, chosen, self._registry.cache.revision)

    def _nodes(self) -> Iterator[NodeMetrics]:
        looks = self._look()
        for node in self._all(Node):
            if node.metadata.name in looks:
                meta = node.metadata
                yield from measures.node_metrics(meta.name, meta.labels, looks[meta.name])

    def _pods(self) -> Iterator[PodMetrics]:
        looks = self._look()
        for pod in self._all(Pod):
            assert isinstance(pod, Pod)
            if pod.spec.nodeName in looks:
                meta = pod.metadata
                place = meta.namespace, meta.name
                yield from measures.pod_metrics(place, meta.labels, looks[pod.spec.nodeName])

    def _all(self, cls: type[Object]) -> Iterator[Object]:
        values, _ = self._registry.cache.items(prefix_of(cls))
        return (codec.decode(cls, value) for _, value in values)

    def _look(self) -> dict[str, tuple[Look, Look]]:
        """Two looks at every node that answers, far enough apart for a rate and recent enough to say something."""
        with self._lock:
            age = clock.monotonic() - self._last_at
            if age < WINDOW_S and self._pairs:
                return self._pairs
            if age > STALE_S:
                self._measure()
                _pause(WINDOW_S)
            before = self._last
            self._measure()
            self._pairs = {name: (before[name], look) for name, look in self._last.items() if name in before}
            return self._pairs

    def _measure(self) -> None:
        nodes = list(self._all(Node))
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            looks = pool.map(self._page, nodes)
            self._last = {node.metadata.name: look for node, look in zip(nodes, looks, strict=True) if look}
        self._last_at = clock.monotonic()

    def _page(self, node: Object) -> Look | None:
        assert isinstance(node, Node)
        try:
            answer = self._agents.ask(node, PAGE)
        except (errors.Failure, OSError, ValueError):
            return None  # it is not there; the others are shown
        if isinstance(answer, Whole) and answer.code == 200:
            return measures.read(answer.body.decode())
        return None
