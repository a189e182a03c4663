"""From a question to a whole answer: negative answers, aliases followed to their end, additional records.

Pure, like plan.py below it: that another server must be asked first is raised as `Unknown`. What must hold: every
chain ends (a loop is SERVFAIL); the code is that of the last name of the chain (RFC 6604); an answer that says
"nothing there" carries the zone's SOA, which says how long that may be remembered (RFC 2308).

Read next: responder.py, which asks; plan.py, which knows the names.
"""

from collections.abc import Callable

from minik8s import params
from minik8s.dns.plan import Names
from minik8s.dns.records import AAAA, ANY, CNAME, NS, SOA, SRV, A, Alias, Answer, Data, Labels, Record, Server
from minik8s.dns.wire import NOERROR, NXDOMAIN, SERVFAIL

# What is known of a name of the rest of the world; None when somebody must be asked first.
Outside = Callable[[Labels, int], Answer | None]


class Unknown(Exception):
    """Another server has to be asked for this name and type."""

    def __init__(self, labels: Labels, qtype: int) -> None:
        super().__init__(labels, qtype)
        self.key = (labels, qtype)


def resolve(names: Names, labels: Labels, qtype: int, outside: Outside | None = None) -> Answer:
    """The answer to a question of class IN. Raises Unknown, if there is an outside to ask."""
    answer = Answer(authoritative=names.zone(labels) is not None)
    at = labels
    for _ in range(params.DNS_MAX_CHAIN):
        node = names.node(at)
        if node is None and outside is not None and names.zone(at) != names.domain:
            return _from_outside(answer, outside, at, qtype)
        if node is None:
            return _negative(names, answer, at, NOERROR if names.above(at) else NXDOMAIN)
        if qtype == ANY and CNAME in node:
            qtype = CNAME  # any will do, and this is one: it is not followed (RFC 1034, 4.3.2)
        if qtype in node:
            answer.answers += [Record(at, names.ttl, qtype, data) for data in node[qtype]]
            answer.additional = _additional(names, qtype, node[qtype])
            return answer
        if CNAME not in node:
            return _negative(names, answer, at, NOERROR)
        alias = node[CNAME][0]
        assert isinstance(alias, Alias)
        answer.answers.append(Record(at, names.ttl, CNAME, alias))
        at = alias.target
    return Answer(rcode=SERVFAIL)


def _from_outside(answer: Answer, outside: Outside, at: Labels, qtype: int) -> Answer:
    """The end of a chain of ours, from another server. Reverse names that are none of ours are others' as well."""
    found = outside(at, qtype)
    if found is None:
        raise Unknown(at, qtype)
    if found.rcode == SERVFAIL:
        return found
    ours = answer.authoritative and bool(answer.answers)
    return Answer(found.rcode, answer.answers + found.answers, found.authority, authoritative=ours, foreign=True)


def _negative(names: Names, answer: Answer, labels: Labels, rcode: int) -> Answer:
    """No such name, or none of this type. The SOA is that of the name's zone; of the root for the rest of the world.

    The rest of the world does not exist here, but for the names above our own: no server was given to ask. See the
    package's docstring for why that is NXDOMAIN.
    """
    answer.rcode = rcode
    answer.authority = [Record(names.zone(labels) or (), names.ttl, SOA, names.soa())]
    return answer


def _additional(names: Names, qtype: int, found: list[Data]) -> list[Record]:
    """The addresses of the servers just named, which whoever asked will want next."""
    if qtype not in (SRV, NS):
        return []
    records = []
    targets = [data.target for data in found if isinstance(data, (Server, Alias))]
    for target in dict.fromkeys(targets):
        node = names.node(target) or {}
        records += [Record(target, names.ttl, kind, data) for kind in (A, AAAA) for data in node.get(kind, [])]
    return records
