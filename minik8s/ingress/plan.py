"""All objects to one wish, and a wish beside what runs to what is to be done. Pure.

An endpoint that comes or goes is a slot that is filled or emptied while HAProxy runs; anything else is a new
generation: HAProxy is started with it, or reloads. Invariant: endpoints that stay keep their slots; what already runs
by the wish gets an empty plan.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from minik8s.api.core import Secret, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.meta import key
from minik8s.api.networking import CONTROLLER, Ingress, IngressClass, class_of
from minik8s.ingress import certificates, rules
from minik8s.ingress.backends import Backend, resolve
from minik8s.ingress.config import Config, Site, slot_names
from minik8s.ingress.rules import Trouble

Slots = Mapping[str, Mapping[str, str]]  # backend → slot → endpoint, "" where it is free
SHOWN = 3  # sentences in one `because`


@dataclass(frozen=True)
class Objects:
    """What the caches hold."""

    ingresses: Sequence[Ingress] = ()
    classes: Sequence[IngressClass] = ()
    services: Callable[[str], Service | None] = lambda key: None
    slices: Iterable[EndpointSlice] = ()
    secrets: Callable[[str], Secret | None] = lambda key: None


@dataclass(frozen=True)
class Wish:
    """How HAProxy shall be configured, from which Ingresses, and what is wrong with them."""

    config: Config
    ingresses: tuple[Ingress, ...] = ()
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True)
class Running:
    """HAProxy as it is; an empty `generation`: it does not run."""

    generation: str = ""
    slots: Slots = field(default_factory=dict)


@dataclass(frozen=True)
class Load:
    """Start with this generation, or reload to it."""

    slots: Slots
    because: str
    start: bool = False


@dataclass(frozen=True)
class Fill:
    """Put endpoints into slots ("" empties one), without a reload."""

    slots: Slots
    because: str


Action = Load | Fill


def wish(objects: Objects, site: Site) -> Wish:
    """What the Ingresses of our classes ask for."""
    mine = tuple(rules.by_age(each for each in objects.ingresses if is_ours(each, objects.classes)))
    found = rules.collect(mine)
    served = certificates.collect(mine, objects.secrets)
    pieces: dict[str, list[EndpointSlice]] = {}
    for piece in objects.slices:
        service = piece.metadata.labels.get(SERVICE_NAME, "")
        pieces.setdefault(f"{piece.metadata.namespace}/{service}", []).append(piece)
    backends = {}
    for target in {rule.target for rule in found.table}:
        name = f"{target.namespace}/{target.service}"
        backends[target.name] = resolve(target, objects.services(name), pieces.get(name, ()))
    config = Config(site, found.table, backends, served.by_host)
    return Wish(config, mine, (*found.troubles, *served.troubles, *_lost(config, mine)))


def is_ours(ingress: Ingress, classes: Iterable[IngressClass]) -> bool:
    found = class_of(ingress, list(classes))
    return found is not None and found.spec.controller == CONTROLLER


def plan(wanted: Config, running: Running) -> list[Action]:
    """What brings HAProxy from how it runs to what is wanted."""
    generation = wanted.generation
    if running.generation == generation:
        return [*endpoints(wanted, running)]
    slots: dict[str, dict[str, str]] = {}
    for name, each in wanted.backends.items():
        kept = {slot: running.slots.get(name, {}).get(slot, "") for slot in slot_names(each)}
        slots[name] = {**kept, **fill(kept, each)}
    if running.generation:
        return [Load(slots, "rules, backends or certificates changed")]
    return [Load(slots, "HAProxy does not run", start=True)]


def endpoints(wanted: Config, running: Running) -> list[Fill]:
    """What there is to do about endpoints alone; also when HAProxy must go on by an older generation."""
    known = {
        name: fill(slots, wanted.backends[name]) for name, slots in running.slots.items() if name in wanted.backends
    }
    changes = {name: slots for name, slots in known.items() if slots}
    return [Fill(changes, because(changes, running.slots))] if changes else []


def fill(slots: Mapping[str, str], backend: Backend) -> dict[str, str]:
    """The slots that change so that each endpoint has one."""
    there = dict(slots) or dict.fromkeys(slot_names(backend), "")
    wanted = set(backend.endpoints)
    found: dict[str, str] = {}
    for slot, endpoint in there.items():
        if endpoint in wanted:
            wanted.discard(endpoint)
        elif endpoint:
            found[slot] = ""
    free = [slot for slot, endpoint in there.items() if found.get(slot, endpoint) == ""]
    return {**found, **dict(zip(free, sorted(wanted), strict=False))}


def because(changes: Slots, before: Slots) -> str:
    """The change in words, the first few."""
    sentences = []
    for name, slots in sorted(changes.items()):
        had = {before.get(name, {}).get(slot, "") for slot in slots} - {""}
        has = set(slots.values()) - {""}
        sentences += [f"endpoint {one} left {name}" for one in sorted(had - has)]
        sentences += [f"endpoint {one} joined {name}" for one in sorted(has - had)]
    more = len(sentences) - SHOWN
    return "; ".join(sentences[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _lost(config: Config, ingresses: Iterable[Ingress]) -> list[Trouble]:
    """Ingresses that name a Service or a port that is not there."""
    by_name = {key(each): each for each in ingresses}
    found = {(rule.ingress, config.backends[rule.target.name].problem) for rule in config.rules}
    return [Trouble(by_name[name], "NoService", f"{said}: 503") for name, said in sorted(found) if said]
