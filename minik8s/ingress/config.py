"""The configuration of HAProxy: a value, and its text. Pure and deterministic.

Rules stand in maps that HAProxy looks keys up in, so a thousand hosts cost a request no more than one, and a rule is
never part of the program that reads it. A key is host and path together (`shop.example.com/cart/`). Endpoints stand in
slots: which one holds what is not part of `generation`, because it is changed while HAProxy runs. Invariant: two
configurations of the same `generation` differ in the content of slots alone.

Read `README.md` for a request's way through it. A whole one is tests/unit/ingress/golden/shop.txt.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from minik8s import params
from minik8s.ingress.backends import Backend, endpoint_text
from minik8s.ingress.rules import DEFAULT, EVERY, EXACT, PREFIX, Rule

LEAST_SLOTS = 8
FALLBACK = "fallback.pem"  # the self-signed certificate, made by world.py
CERTIFICATES = "certificates.list"

Files = dict[str, str]

HEAD = """\
# Written by minik8s from Ingress objects; a change by hand is lost with the next of theirs.
global
    description {generation}
    default-path config
    user {user}
    group {group}
    nbthread 1
    maxconn {connections}
    stats socket {directory}/stats.sock mode 600 level admin expose-fd listeners
    # After a reload the old process finishes what it has begun, but not for ever.
    hard-stop-after {drain}s
    ssl-default-bind-options ssl-min-ver TLSv1.2

defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    timeout http-request 10s
    timeout http-keep-alive {keepalive}s
    # A reload closes no idle connection under a client that is just about to use it.
    option idle-close-on-response
    # An endpoint that cannot be connected to, or closes a kept connection without an answer: another one, at once.
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response

frontend web
{binds}
    http-request disable-l7-retry unless {{ method GET HEAD OPTIONS }}
    # The key holds a slash between host and path, so a host with one would be taken for a path.
    http-request deny deny_status 400 if {{ req.hdr(host) -m sub / }}
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
    # Whose rules: the host's own, those of its wildcard, those for every host.
    http-request set-var(txn.name) req.hdr(host),host_only,lower,regsub(\\.$,)
    http-request set-var(txn.host) var(txn.name),map_str(hosts.map)
    http-request set-var(txn.host) var(txn.name),regsub(^[^.]+,*),map_str(hosts.map) unless {{ var(txn.host) -m found }}
    http-request set-var(txn.host) str({every}) unless {{ var(txn.host) -m found }}
    # Which of them: the exact path, else the longest prefix.
    http-request set-var(txn.path) path
    http-request set-var(txn.key) var(txn.host),concat(,txn.path)
    http-request set-var(txn.backend) var(txn.key),map_str(exact.map)
    http-request set-var(txn.backend) var(txn.key),concat(/),map_beg(prefix.map) unless {{ var(txn.backend) -m found }}
    use_backend %[var(txn.backend)] if {{ var(txn.backend) -m found }}
    default_backend none

backend none
    http-request return status 404 content-type text/plain string "no Ingress has a rule for this host and path\\n"
"""
BACKEND = """
backend {name}
    # Not asked for with nbsrv(), which is 0 in a process that only finishes what it has begun.
    http-error status 503 content-type text/plain string "no endpoint of {title} is ready and answers\\n"
"""


@dataclass(frozen=True)
class Site:
    """Where HAProxy runs: what does not come from objects."""

    addresses: tuple[str, ...]
    directory: str
    user: str = "haproxy"
    group: str = "haproxy"


@dataclass(frozen=True)
class Config:
    """All that HAProxy is told. `certificates` by host, as PEM."""

    site: Site
    rules: tuple[Rule, ...] = ()
    backends: Mapping[str, Backend] = field(default_factory=dict)
    certificates: Mapping[str, str] = field(default_factory=dict)

    @property
    def generation(self) -> str:
        """A name for everything but the content of slots."""
        digest = hashlib.sha256()
        for name, text in sorted(self.files({}, "").items()):
            digest.update(f"{name}\0{text}\0".encode())
        return digest.hexdigest()[:16]

    def files(self, slots: Mapping[str, Mapping[str, str]], generation: str) -> Files:
        """Every file by name: the configuration, the maps, the list of certificates, and the certificates."""
        texts = {_file_of(text): text for text in self.certificates.values()}
        return {
            "haproxy.cfg": self._text(slots, generation),
            "hosts.map": _map({rule.host: rule.host for rule in self.rules}),
            "exact.map": _map({f"{r.host}{r.path}": r.target.name for r in self.rules if r.kind == EXACT}),
            "prefix.map": _map(_prefixes(self.rules)),
            CERTIFICATES: self._certificates(),
            **texts,
        }

    def _text(self, slots: Mapping[str, Mapping[str, str]], generation: str) -> str:
        head = HEAD.format(
            generation=generation,
            binds="\n".join(_binds(self.site.addresses)),
            directory=self.site.directory,
            user=self.site.user,
            group=self.site.group,
            connections=params.INGRESS_CONNECTIONS,
            drain=params.INGRESS_DRAIN_S,
            keepalive=params.INGRESS_KEEPALIVE_S,
            every=EVERY,
        )
        return head + "".join(_backend(self.backends[name], slots.get(name, {})) for name in sorted(self.backends))

    def _certificates(self) -> str:
        """The first line is for whoever names no known host."""
        hosts: dict[str, list[str]] = {}
        for host, text in sorted(self.certificates.items()):
            if host != EVERY:
                hosts.setdefault(_file_of(text), []).append(host)
        first = _file_of(self.certificates[EVERY]) if EVERY in self.certificates else f"../{FALLBACK}"
        lines = [f"{first} !*", *(f"{file} {' '.join(found)}" for file, found in sorted(hosts.items()))]
        return "\n".join(lines) + "\n"


def slot_names(backend: Backend) -> list[str]:
    """As many as there may soon be endpoints: a power of two, so that most changes need no reload."""
    count = LEAST_SLOTS
    while count < len(backend.endpoints):
        count *= 2
    return [f"s{number}" for number in range(1, count + 1)]


def _backend(backend: Backend, content: Mapping[str, str]) -> str:
    lines = [BACKEND.format(name=backend.target.name, title=f"Service {backend.target}")]
    for slot in slot_names(backend):
        endpoint = content.get(slot, "")
        lines.append(f"    server {slot} {endpoint}\n" if endpoint else f"    server {slot} 127.0.0.1:1 disabled\n")
    return "".join(lines)


def _binds(addresses: tuple[str, ...]) -> list[str]:
    lines = []
    for address in addresses:
        lines.append(f"    bind {endpoint_text(address, params.INGRESS_HTTP_PORT)}")
        at = endpoint_text(address, params.INGRESS_HTTPS_PORT)
        lines.append(f"    bind {at} ssl crt-list {CERTIFICATES} alpn h2,http/1.1")
    return lines


def _prefixes(rules: tuple[Rule, ...]) -> dict[str, str]:
    """Prefixes, and below them the default backends: what is left of a host when no prefix covers it."""
    every = next((rule.target.name for rule in rules if (rule.host, rule.kind) == (EVERY, DEFAULT)), "")
    found = {f"{rule.host}/": every for rule in rules if every}
    found.update({f"{rule.host}/": rule.target.name for rule in rules if rule.kind == DEFAULT})
    found.update({f"{rule.host}{rule.path}": rule.target.name for rule in rules if rule.kind == PREFIX})
    return found


def _map(pairs: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in sorted(pairs.items()))


def _file_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16] + ".pem"
