"""The debug pages of the ingress: the configuration in force, and the table of rules it comes from.

/debug/configuration            HAProxy's own files, but for certificates
/debug/rules                    the table: host, path, kind, backend with its endpoints, Ingress
/debug/match?host=H&path=P      the rule that a request would meet
"""

from minik8s.host.health import Page, Query
from minik8s.ingress.rules import Rule, match
from minik8s.ingress.sync import Syncer


def pages(syncer: Syncer) -> dict[str, Page]:
    """By path. Read in another thread than the one that syncs: a wish is a value."""
    return {
        "/debug/configuration": lambda query: syncer.world.text(),
        "/debug/rules": lambda query: [_row(syncer, rule) for rule in _table(syncer)],
        "/debug/match": lambda query: _match(syncer, query),
    }


def _table(syncer: Syncer) -> tuple[Rule, ...]:
    return syncer.wanted.config.rules if syncer.wanted else ()


def _row(syncer: Syncer, rule: Rule) -> dict[str, object]:
    backend = syncer.wanted.config.backends.get(rule.target.name) if syncer.wanted else None
    return {
        "host": rule.host,
        "path": rule.path,
        "kind": rule.kind,
        "backend": str(rule.target),
        "endpoints": list(backend.endpoints) if backend else [],
        "problem": backend.problem if backend else "",
        "ingress": rule.ingress,
    }


def _match(syncer: Syncer, query: Query) -> object:
    rule = match(_table(syncer), query.get("host", ""), query.get("path", "/"))
    return _row(syncer, rule) if rule else {"problem": "no rule: 404"}
