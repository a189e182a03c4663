"""A fact: something that happened, once, with the time taken by the process that did it. Pure.

The API server's audit tells of writes, a component's journal of what is no write. Here both become the same value, so
that the rest of explain/ need not know where a fact comes from. Facts of no interest to a reader (a counter in a
status, an Event) keep an empty `stage`: they are not shown, but they stay links in a chain of causes.

Read next: causes.py.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# --- Stages, in the order in which a Service comes to life --------------------------------------------------------
STORED, CHANGED, SCALED, MADE, BOUND = "stored", "changed", "scaled", "made", "bound"
SANDBOX, STARTED, PROBE, READY = "sandbox", "started", "probe", "ready"
ENDPOINTS, RULES, NAMES = "endpoints", "rules", "names"
SIDECAR, ANNOUNCED = "sidecar", "announced"
DIED, STOPPED, UNREADY, DELETED, GONE = "died", "stopped", "not ready", "deleted", "gone"
HEARTBEAT, NODE = "heartbeat", "node"

CONTROLLERS, AGENT, PROXY, DNS = "controllers", "agent", "proxy", "dns"


@dataclass(frozen=True)
class Fact:
    """What happened. `seen` are the objects and revisions it was decided by: (object, revision)."""

    wall: float
    who: str  # scheduler, agent@node-1, minik8s-cli, kubectl …
    stage: str  # "" is not shown
    object: str  # pods/default/web-1
    revision: int = 0  # that it made; 0 for what is no write
    because: str = ""
    seen: tuple[tuple[str, int], ...] = ()
    node: str = ""
    user: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def component(self) -> str:
        return self.who.partition("@")[0]

    @property
    def kind(self) -> str:
        return self.object.partition("/")[0]

    @property
    def name(self) -> str:
        return self.object.rpartition("/")[2]

    @property
    def is_write(self) -> bool:
        return self.revision > 0


def from_audit(lines: Iterable[bytes]) -> list[Fact]:
    """Facts of the API server's audit; what changed nothing is left out: refused writes, questions and tokens."""
    entries = (json.loads(line) for line in lines if line.strip())
    return [_write(entry) for entry in entries if _changed_something(entry)]


def _changed_something(entry: Mapping[str, Any]) -> bool:
    if entry["code"] >= 400 or entry["subresource"] == "token":
        return False
    return entry["resource"] != "events" and not entry["resource"].endswith("reviews")


def from_journal(lines: Iterable[bytes]) -> list[Fact]:
    """Facts of one component's journal."""
    return [_deed(json.loads(line)) for line in lines if line.strip()]


def in_order(facts: Iterable[Fact]) -> list[Fact]:
    """By time; a write before what others made of it, where both fall into the same moment."""
    return sorted(facts, key=lambda fact: (fact.wall, fact.revision or 1 << 62, fact.who))


# --- Audit lines ------------------------------------------------------------------------------------------------------


def _write(entry: Mapping[str, Any]) -> Fact:
    where = f"{entry['namespace']}/{entry['name']}" if entry["namespace"] else entry["name"]
    who = _who(entry["agent"], entry["user"])
    return Fact(
        wall=entry["wall"],
        who=who,
        stage=_stage(entry, who.partition("@")[0]),
        object=f"{entry['resource']}/{where}",
        revision=entry["revision"],
        because=entry["because"],
        seen=tuple(reference(each) for each in entry["from"]),
        node=who.partition("@")[2],
        user=entry["user"],
    )


def _who(agent: str, user: str) -> str:
    """Our components say who they are; of other programs the first word of the User-Agent is what people know."""
    if agent.startswith("minik8s-") and agent != "minik8s-cli":
        return agent.removeprefix("minik8s-")
    return agent.partition("/")[0].partition(" ")[0] or user


def reference(text: str) -> tuple[str, int]:
    """`pods/default/web-1@12` → ("pods/default/web-1", 12)."""
    name, _, revision = text.partition("@")
    return name, int(revision) if revision.isdigit() else 0


def _stage(entry: Mapping[str, Any], component: str) -> str:
    resource, verb, subresource = entry["resource"], entry["verb"], entry["subresource"]
    match resource:
        case "pods":
            return _pod_stage(verb, subresource, entry["because"], component)
        case "endpointslices":
            return ENDPOINTS
        case "leases":
            return HEARTBEAT if entry["namespace"] == "kube-node-lease" else ""
        case "nodes":
            return NODE if component in (CONTROLLERS, AGENT) else CHANGED
        case "services" | "deployments" | "replicasets":
            return "" if subresource == "status" else _wish_stage(resource, verb, subresource, component)
    return ""


def _wish_stage(resource: str, verb: str, subresource: str, component: str) -> str:
    """Of objects that say what is wanted."""
    if verb.startswith("delete"):
        return DELETED
    if verb == "create":
        return MADE if component == CONTROLLERS else STORED
    if resource == "deployments" and component == CONTROLLERS:
        return ""  # it numbers the template
    return SCALED if component == CONTROLLERS or subresource == "scale" else CHANGED


def _pod_stage(verb: str, subresource: str, because: str, component: str) -> str:
    if subresource == "binding":
        return BOUND
    if subresource == "status":
        return _told(because, component)
    if verb == "create":
        return MADE
    if verb.startswith("delete"):
        return GONE if component == AGENT else DELETED
    return CHANGED


def _told(because: str, component: str) -> str:
    """A status that changes what the Service may do; the others are steps on the way."""
    if component == CONTROLLERS:
        return UNREADY
    if "ended with" in because:
        return UNREADY
    return READY if ", ready" in because and ", not ready" not in because else ""


# --- Journal entries --------------------------------------------------------------------------------------------------


def _deed(entry: Mapping[str, Any]) -> Fact:
    node, component, data = entry["node"], entry["component"], entry["data"]
    objects = entry["objects"]
    revisions = [int(each) if str(each).isdigit() else 0 for each in entry["revisions"]]
    seen = zip(objects, revisions + [0] * (len(objects) - len(revisions)), strict=False)
    return Fact(
        # Docker says when a container died; the agent heard of it a little later.
        wall=float(data.get("at") or entry["wall"]),
        who=f"{component}@{node}" if node else component,
        stage=_deed_stage(entry["stage"], data),
        object=_about(component, objects, data),
        because=entry["because"],
        seen=tuple(seen),
        node=node,
        data=data,
    )


def _deed_stage(stage: str, data: Mapping[str, Any]) -> str:
    """A sandbox that ends with its Pod is no news, nor is a route."""
    sandbox_ended = stage in (DIED, STOPPED) and data.get("container") == ""
    return "" if stage == "routes" or sandbox_ended else stage


def _about(component: str, objects: list[str], data: Mapping[str, Any]) -> str:
    """The one object an entry is about: of rules and names the Service, else what it was done for."""
    services = data.get("services") or []
    if component == PROXY and services:
        return f"services/{services[0]}"
    if component == DNS and data.get("name"):
        name, namespace, *_ = str(data["name"]).split(".")
        return f"services/{namespace}/{name}"
    return objects[0] if objects else ""
