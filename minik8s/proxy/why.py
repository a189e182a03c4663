"""A change in words: what joined and what left a Service, and why. For the journal, which `history` reads.

Pure. The sentences are about what the rules of this node hold, so an endpoint that exists but is not chosen here (a
hint prefers another node) "left", with that reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minik8s.nft.flows import ANY, Flows
from minik8s.proxy.endpoints import DYING, NOT_READY, READY, TERMINATING, Endpoint
from minik8s.proxy.plan import PortPlan, ServicePlan

SHOWN = 3  # sentences in one `because`
_STATES = {
    READY: "another endpoint is preferred here",
    NOT_READY: "Pod not ready",
    TERMINATING: "Pod is terminating",
    DYING: "Pod is terminating",
}


@dataclass(frozen=True)
class Difference:
    """What one commit changes for the clients of Services."""

    sentences: tuple[str, ...] = ()
    added: tuple[str, ...] = ()  # "default/web:http 10.244.1.5:8080"
    removed: tuple[str, ...] = ()

    @property
    def because(self) -> str:
        more = len(self.sentences) - SHOWN
        return "; ".join(self.sentences[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def difference(old: Mapping[str, ServicePlan], new: Mapping[str, ServicePlan]) -> Difference:
    """Between the plans of the same Services."""
    sentences: list[str] = []
    added: list[str] = []
    removed: list[str] = []
    for key in sorted(new):
        before, after = _ports(old.get(key)), _ports(new[key])
        for title in sorted(before.keys() | after.keys()):
            _compare(before.get(title), after.get(title), sentences)
            had, has = _targets(before.get(title)), _targets(after.get(title))
            added += [f"{title} {one}" for one in has if one not in had]
            removed += [f"{title} {one}" for one in had if one not in has]
    if not sentences and new:
        sentences = [f"Service {key}: its rules changed, its endpoints did not" for key in sorted(new)]
    return Difference(tuple(sentences), tuple(added), tuple(removed))


def stale_flows(old: Mapping[str, ServicePlan], new: Mapping[str, ServicePlan]) -> list[Flows]:
    """Flows that the kernel must forget after a commit, because it would keep them where they are.

    UDP knows no end of a connection: a client that keeps its source port stays with an endpoint that serves no
    longer, and one that asked before the Service existed stays with no translation at all. Of the latter the answer
    would come from the Service's own address (or node port), of the former from the endpoint's. Of TCP it is the
    handshakes that an endpoint never answered (`forget_flows`): their source ports will be used again.
    """
    flows: set[Flows] = set()
    for key in new:
        before, after = _ports(old.get(key)), _ports(new[key])
        for title, port in before.items():
            if port.protocol in ("udp", "tcp"):
                flows |= _serving(port) - (_serving(after[title]) if title in after else set())
        for title, port in after.items():
            if port.protocol == "udp" and (title not in before or _entry(before[title]) != _entry(port)):
                flows |= {Flows("udp", address, port.port) for address in (port.address, *port.external)}
                flows |= {Flows("udp", ANY[":" in port.address], port.node_port)} if port.node_port else set()
    return sorted(flows)


def _compare(before: PortPlan | None, after: PortPlan | None, sentences: list[str]) -> None:
    if after is None:
        sentences.append(f"Service port {before.title if before else ''} is gone")
        return
    if before is None:
        count = len(after.in_use)
        sentences.append(f"Service port {after.title} is new, with {count} endpoint{'' if count == 1 else 's'}")
    else:
        had, has = _targets(before), _targets(after)
        sentences += [f"endpoint {one} left {after.title}: {_gone(one, after)}" for one in had if one not in has]
        sentences += [f"endpoint {one} joined {after.title}: {has[one].who()}" for one in has if one not in had]
        if had and not has:
            sentences.append(f"{after.title} has no endpoint left and is refused")
    sentences += [
        f"{after.title} leaves out {one}" for one in after.choice.bad if not before or one not in before.choice.bad
    ]


def _gone(target: str, port: PortPlan) -> str:
    found = next((one for one in port.choice.known if one.target == target), None)
    return _STATES[found.state] if found else "no EndpointSlice names it any more"


def _ports(plan: ServicePlan | None) -> dict[str, PortPlan]:
    return {port.title: port for port in plan.ports} if plan else {}


def _targets(port: PortPlan | None) -> dict[str, Endpoint]:
    return {one.target: one for one in port.in_use} if port else {}


def _serving(port: PortPlan) -> set[Flows]:
    return {Flows(port.protocol, one.address, one.port) for one in port.choice.known if one.serving}


def _entry(port: PortPlan) -> tuple[str, int, int, tuple[str, ...]]:
    return port.address, port.port, port.node_port, port.external
