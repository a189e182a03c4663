"""Which host and path go to which backend. Pure.

The order of a request: the host's own rules, else those of the wildcard that covers it (one label), else those without
a host. Among them an Exact path wins, then the longest Prefix (element by element: /a covers /a/b, not /ab), then the
default backend. Two rules for the same host and path: the older Ingress has it. Paths are compared as they are sent:
percent-encoded, case and all.

Invariant: hosts, paths and backends consist of characters that end no word and no line of a configuration; what cannot
be written so is left out, and said.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from minik8s.api.meta import key
from minik8s.api.networking import Ingress, IngressBackend
from minik8s.api.validation.fields import LABEL, SUBDOMAIN

EVERY = "*"  # the host of rules without a host
EXACT, PREFIX, DEFAULT = "Exact", "Prefix", "Default"
# RFC 3986: what a path may hold as it is. Everything else is sent, and compared, percent-encoded.
PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
MAX_PATH = 4096  # HAProxy reads maps line by line into a buffer of four times this


@dataclass(frozen=True, order=True)
class Target:
    """A port of a Service."""

    namespace: str
    service: str
    port: str  # name or number

    @property
    def name(self) -> str:
        """As HAProxy calls the backend."""
        return f"{self.namespace}:{self.service}:{self.port}"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.service}:{self.port}"


@dataclass(frozen=True, order=True)
class Rule:
    """One line of the table. A Prefix ends with `/`."""

    host: str
    kind: str
    path: str
    target: Target
    ingress: str

    def __str__(self) -> str:
        return f"{self.host}{self.path} ({self.kind})"


@dataclass(frozen=True)
class Trouble:
    """What is wrong with an Ingress, for an Event."""

    about: Ingress
    reason: str
    message: str


@dataclass(frozen=True)
class Rules:
    table: tuple[Rule, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def by_age(ingresses: Iterable[Ingress]) -> list[Ingress]:
    """The oldest first; of two of one second the one whose name comes first."""
    return sorted(ingresses, key=lambda each: (each.metadata.creationTimestamp or "", key(each)))


def collect(ingresses: Sequence[Ingress]) -> Rules:
    """The rules of all these Ingresses, each host and path once."""
    taken: dict[tuple[str, str, str], Rule] = {}
    troubles: list[Trouble] = []
    for ingress in by_age(ingresses):
        for rule in _rules(ingress, troubles):
            first = taken.setdefault((rule.host, rule.kind, rule.path), rule)
            if first is not rule:
                whose = "an earlier rule of its own" if first.ingress == rule.ingress else f"Ingress {first.ingress}"
                troubles.append(Trouble(ingress, "Conflict", f"{rule} belongs to {whose}, which came first"))
    return Rules(tuple(sorted(taken.values())), tuple(troubles))


def match(table: Iterable[Rule], host: str, path: str) -> Rule | None:
    """The rule for a request; None is a 404. HAProxy is configured to do the same; one test compares the two."""
    table = list(table)
    host = host.lower().removesuffix(".")
    known = {rule.host for rule in table}
    chosen = next((each for each in (host, f"*.{host.partition('.')[2]}") if each in known), EVERY)
    mine = [rule for rule in table if rule.host == chosen]
    for rule in mine:
        if rule.kind == EXACT and rule.path == path:
            return rule
    prefixes = [rule for rule in mine if rule.kind == PREFIX and f"{path}/".startswith(rule.path)]
    if prefixes:
        return max(prefixes, key=lambda rule: len(rule.path))
    defaults = [rule for at in (chosen, EVERY) for rule in table if (rule.host, rule.kind) == (at, DEFAULT)]
    return defaults[0] if defaults else None


def _rules(ingress: Ingress, troubles: list[Trouble]) -> Iterator[Rule]:
    hosts = []
    for rule in ingress.spec.rules:
        host = rule.host or EVERY
        if not is_host(host):
            troubles.append(Trouble(ingress, "InvalidHost", f"{host!r} is no host name"))
            continue
        hosts.append(host)
        for path in rule.http.paths if rule.http else ():
            kind = EXACT if path.pathType == EXACT else PREFIX  # ImplementationSpecific: ours is Prefix
            text = encoded(path.path or "/")
            target = target_of(ingress, path.backend, troubles)
            if not text.startswith("/") or len(text) > MAX_PATH:
                troubles.append(Trouble(ingress, "InvalidPath", f"{path.path[:80]!r} is no path that can be served"))
            elif target:
                yield Rule(host, kind, text if kind == EXACT else text.rstrip("/") + "/", target, key(ingress))
    if ingress.spec.defaultBackend is not None:
        target = target_of(ingress, ingress.spec.defaultBackend, troubles)
        if target:
            yield from (Rule(host, DEFAULT, "", target, key(ingress)) for host in dict.fromkeys(hosts or [EVERY]))


def is_host(text: str) -> bool:
    return text == EVERY or bool(len(text) <= 253 and SUBDOMAIN.fullmatch(text.removeprefix("*.")))


def encoded(path: str) -> str:
    """A path as clients send it."""
    return quote(STRAY_PERCENT.sub("%25", path), safe=PATH_CHARACTERS)


def target_of(ingress: Ingress, backend: IngressBackend, troubles: list[Trouble]) -> Target | None:
    """The backend's Service and port; None, and a word about it, when it names none that could exist."""
    service = backend.service
    if service is None:
        troubles.append(Trouble(ingress, "NoService", "a backend names no Service, and only Services are served"))
        return None
    found = Target(ingress.metadata.namespace, service.name, service.port.name or str(service.port.number))
    if all(LABEL.fullmatch(part) and len(part) <= 63 for part in (found.namespace, found.service, found.port)):
        return found
    troubles.append(Trouble(ingress, "NoService", f"{str(found)[:200]!r} is no port of a Service"))
    return None
