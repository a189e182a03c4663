"""What a rule means, in a sentence. Pure: `sentence(rule)` knows the proxy's language, `told(share, …)` a Service's
whole share of a node's table, each line with its meaning and the objects it comes from.

Invariant: every rule that the proxy writes has a sentence; a rule that none fits was written by somebody else, and is
said to be so.

Read next: ../proxy/README.md (the same rules, drawn), kernelview.py (are they in the kernel?).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from minik8s.nft.ruleset import Chain, Element, Set, Table, sorted_elements

_COUNT = re.compile(r"^numgen random mod (\d+) 0 ")
_TARGET = re.compile(r"dnat to (\S+)$")
_UNKNOWN = "No rule of the proxy looks like this: somebody else wrote it."

# What a rule looks like (behind the chance, if it has one) → what it means. {ip} is ip or ip6.
MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r"ip6? daddr @cluster-ips ip6? saddr != @cluster-pods jump mark-masq",
        "No Pod asks? Mark it: the node's address will replace the sender's.",
    ),
    (r"jump mark-masq", "Mark it, so that the answer comes back through this node."),
    (r"ip6? saddr @aff/(\S+) goto ep/\S+", "A client that was here before goes to the same endpoint again."),
    (r"update @aff/\S+ \{ ip6? saddr \}", "Remember this client, so that it comes back here next time."),
    (r"ip6? saddr @cluster-pods goto (\S+)", "A Pod may use every endpoint, also those on other nodes: chain {0}."),
    (r"fib saddr type local jump mark-masq", "If this node itself asks: mark it, so that the answer comes back here."),
    (r"fib saddr type local goto (\S+)", "This node itself may use every endpoint: chain {0}."),
    (r"ip6? saddr (\S+) goto (ext/\S+)", "loadBalancerSourceRanges let {0} in: chain {1}."),
    (r"ip6? saddr (\S+) (?:goto mark-masq|return)", "loadBalancerSourceRanges let {0} in: IPVS chooses."),
    (r"goto not-allowed", "Nobody else may use the load balancer's address: say nothing."),
    (r"goto (\S+)", "Choose an endpoint in that chain."),
    # The frame, which all Services share.
    (r"jump services", "Look the destination up among the Services."),
    (
        r"ct state new jump refuse-rest",
        "The first packet of a connection: is it for a Service, and IPVS did not take it?",
    ),
    (r"ct state new jump refuse-check", "The first packet of a connection: is it for a Service that nobody serves?"),
    (r"ip6? daddr \. meta l4proto \. th dport vmap @service-ips", "Is the destination a Service's own address?"),
    (r"ip6? daddr \. meta l4proto \. th dport vmap @refused-ips", "Is it a Service's address that nobody serves?"),
    (r".*fib daddr type local .* vmap @service-nodeports", "Is the destination a node port of this node?"),
    (r".*fib daddr type local .* vmap @refused-nodeports", "Is it a node port that nobody serves?"),
    (r"ip6? daddr @cluster-ips goto refuse", "A Service's address, but a port that the Service does not have: refuse."),
    (r"meta mark set meta mark \| \S+", "Set the mark that nat-postrouting looks for."),
    (r"meta mark & \S+ != \S+ meta mark set .* masquerade.*", "Marked: replace the sender's address by the node's."),
    (
        r"(?:ct status dnat )?ip6? saddr .* @hairpin masquerade.*",
        "A Pod reached itself: replace its address, or it would not answer.",
    ),
    (r"(meta l4proto tcp )?reject with tcp reset", "Refuse a TCP connection at once."),
    (r"reject.*", "Refuse with an ICMP message."),
    (r"drop", "Say nothing: another node may serve this, or this sender may not ask."),
)


@dataclass(frozen=True)
class Told:
    """A rule or an element, what it means, and the objects (with revision) that it was made from."""

    where: str  # chain svc/default/web/http
    text: str
    means: str
    sources: tuple[str, ...] = ()


# --- One rule ---------------------------------------------------------------------------------------------------------


def sentence(text: str, comment: str = "", only: bool = False) -> str:
    """The meaning of a rule; of one that is not the proxy's, that it is not. `only`: its chain has no other choice."""
    text = re.sub(r"\bcounter(?: packets \d+ bytes \d+)? ", "", text)
    chance = _COUNT.match(text)
    rest = text[chance.end() :] if chance else text
    target = _TARGET.search(rest)
    if target:
        return f"{_share(chance, only)} to {who(comment) or target[1]}."
    if chance or rest.startswith("goto ep/"):
        return f"{_share(chance, only)} to {who(comment) or rest.removeprefix('goto ')}."
    for pattern, meaning in MEANINGS:
        found = re.fullmatch(pattern, rest)
        if found:
            return meaning.format(*found.groups())
    return _UNKNOWN


def _share(chance: re.Match[str] | None, only: bool) -> str:
    if chance is None:
        return "Every new connection goes" if only else "The rest goes"
    return f"1 in {chance[1]} of what comes this far goes"


def who(comment: str) -> str:
    """`pod default/web-1, terminating` → `Pod web-1 (terminating)`."""
    found = re.match(r"pod [^/]*/([^,]+)(?:, (.*))?$", comment)
    if not found:
        return ""
    return f"Pod {found[1]}{f' ({found[2]})' if found[2] else ''}"


def element(name: str, one: Element) -> str:
    """The meaning of one member of a set or map."""
    key, goes = one.key, one.verdict.removeprefix("goto ")
    match name:
        case "service-ips":
            return f"Is it for {key[0]}, {key[1].upper()} port {key[2]}? Go on in that chain."
        case "service-nodeports":
            return f"{key[0].upper()} port {key[1]} of any address of this node? Go on in that chain."
        case "refused-ips":
            return f"Nobody serves {key[0]}, {key[1].upper()} port {key[2]}: {_refusal(goes)}."
        case "refused-nodeports":
            return f"Nobody serves node port {key[0].upper()} {key[1]}: {_refusal(goes)}."
        case "cluster-ips":
            return f"{key[0]} is a Service's address: its other ports refuse."
        case "balancer-ips":
            return f"{key[0]} is a load balancer's address: node ports do not answer on it."
        case "hairpin":
            return f"If {key[0]} reaches itself, the answer must pass this node."
    return f"{key[0]} was here lately." if name.startswith("aff/") else _UNKNOWN


def _refusal(goes: str) -> str:
    return "refuse at once" if goes == "refuse" else "say nothing, another node may serve it"


# --- A Service's share of the table -----------------------------------------------------------------------------------


def told(share: Table, sources: Sequence[str], slices: Mapping[str, str]) -> list[Told]:
    """Each line of a share in the order a packet meets them.

    `sources` are the objects behind it, the Service first; `slices` tells for each endpoint's address which it is.
    """
    service, every = tuple(sources[:1]), tuple(sources)
    found = []
    for one in sorted(share.sets.values(), key=lambda each: (not each.is_map, each.name)):
        found += [
            Told(f"{one.kind} {one.name}", _line(each), element(one.name, each), _of_element(one, each, every, slices))
            for each in sorted_elements(one.elements.values())
        ]
    for chain in _in_order(share.chains.values()):
        only = sum(bool(_TARGET.search(rule.text)) for rule in chain.rules) == 1
        for rule in chain.rules:
            target = _TARGET.search(rule.text)
            by = (slices[_address(target[1])],) if target and _address(target[1]) in slices else service
            means = sentence(rule.text, rule.comment, only)
            found.append(Told(f"chain {chain.name}", rule.text, means, by))
    return found


def _in_order(chains: Iterable[Chain]) -> list[Chain]:
    """Who may come in, the ways in from outside, then the choice, then single endpoints."""
    kinds = ("fw", "ext", "all", "svc", "ep")
    return sorted(chains, key=lambda chain: (kinds.index(chain.name.partition("/")[0]), chain.name))


def _of_element(one: Set, each: Element, every: tuple[str, ...], slices: Mapping[str, str]) -> tuple[str, ...]:
    """Whether a Service is in `service-ips` or in `refused-ips` depends on its endpoints too."""
    if one.name == "hairpin":
        return (slices[each.key[0]],) if each.key[0] in slices else every[1:]
    return every[:1] if one.name == "cluster-ips" else every


def _address(target: str) -> str:
    return target.rpartition(":")[0].strip("[]")


def _line(one: Element) -> str:
    return " . ".join(one.key) + (f" : {one.verdict}" if one.verdict else "")
