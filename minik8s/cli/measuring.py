"""What the demo measures: which Pod to break, how long its address stayed in each node's rules, what that cost.

Read next: explain/plan.py, where the windows come from.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minik8s.api.core import Pod, Service
from minik8s.api.pods import is_ready
from minik8s.api.selectors import format_labels
from minik8s.cli import story
from minik8s.cli.session import Failed
from minik8s.cli.tally import Counts
from minik8s.client.rest import Client
from minik8s.explain import facts, world
from minik8s.explain.plan import Episode

CLIENT_NODE = "node-1"
WIDTH = 79


@dataclass(frozen=True)
class Left:
    """When an endpoint left the rules: seconds by node, and how many endpoints there were."""

    seconds: Mapping[str, float]
    endpoints: int

    @property
    def longest(self) -> float:
        return max(self.seconds.values(), default=0.0)


def choose(client: Client, service: str) -> dict[str, str]:
    """Name, node and address of a ready Pod behind a Service."""
    selector = client.get(Service, service, "default").spec.selector
    pods = [pod for pod in client.list(Pod, "default", labels=format_labels(selector)).items if is_ready(pod)]
    pods = [pod for pod in pods if not pod.metadata.deletionTimestamp]
    if not pods:
        raise Failed(f"error: no Pod behind Service {service} is ready")
    pods.sort(key=lambda pod: (pod.spec.nodeName == CLIENT_NODE, pod.metadata.name))
    chosen = pods[0]
    return {"pod": chosen.metadata.name, "node": chosen.spec.nodeName, "address": chosen.status.podIP}


def window(client: Client, chosen: Mapping[str, str], cause: str, since: float | None) -> Left:
    """From the history: when the chosen Pod's address left each node's rules, counted from its cause (or `since`)."""
    return left_of(world.history_of(world.observe(client), "services/default/web").episodes, chosen, cause, since)


def left_of(episodes: Sequence[Episode], chosen: Mapping[str, str], cause: str, since: float | None) -> Left:
    """The latest of the episodes that fits."""
    for episode in reversed(episodes):
        left = _left(episode, chosen, since)
        if left is not None and (since is not None or _is(episode, cause, chosen["pod"])):
            return left
    return Left({}, 0)


def _is(episode: Episode, cause: str, pod: str) -> bool:
    wanted = {"died": facts.DIED, "deleted": facts.DELETED}[cause]
    return episode.cause.stage == wanted and episode.cause.name == pod


def _left(episode: Episode, chosen: Mapping[str, str], since: float | None) -> Left | None:
    shift = 0.0 if since is None else episode.cause.wall - since
    for each in episode.windows:
        seconds = {node: seconds + shift for node, seconds in each.left}
        if each.endpoint.startswith(f"{chosen['address']}:") and min(seconds.values()) > 0:
            return Left(seconds, each.endpoints)
    return None


def report(left: Left, counts: Counts | None, item: story.Measure, rate: float) -> list[str]:
    """The figures, in lines."""
    nodes = ", ".join(f"{node} {_length(seconds)}" for node, seconds in sorted(left.seconds.items()))
    lines = _entry("Out of the rules after:", nodes or "not seen in the history")
    if counts is not None:
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.kinds)
        lines += _entry("Requests:", f"{counts.sent} sent, {counts.ok} ok, {counts.lost} lost ({kinds or 'none'})")
    if left.endpoints and item.since != "deleted":
        met = rate * left.longest / left.endpoints
        text = f"{rate:g}/s x {left.longest:.3f} s / {left.endpoints} endpoints = {met:.1f}, and those in flight"
        lines += _entry("Lost at most about:", text)
    lines += _entry("Here:", item.here)
    return [*lines, *_entry("Kubernetes by default:", item.kubernetes)]


def _entry(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {label:<24}", subsequent_indent=" " * 26)


def _length(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
