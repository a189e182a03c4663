"""The table of packets (`tests/integration/support/packets.py`) under IPVS, in both families.

Every line holds word for word, but for those of `DIFFERENT`: what IPVS does otherwise, and why.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import test_packets as sent
from support import packets
from support.packets import Case
from support.proxynet import ns

from minik8s.host import namespaces
from minik8s.nft.kernel import Nftables
from minik8s.nft.ruleset import replacement
from minik8s.proxy.book import Book
from minik8s.proxy.layout import IPV4, IPV6, Family
from minik8s.proxy.modes import Ipvs

# A virtual service has one list of servers, whoever asks. Under policy Local that is this node's endpoints: for Pods
# and the node itself too, whom the rules would let use all.
ONLY_LOCAL = {
    ("pod-a", "192.168.56.11", 30082): {"10.244.1.3:8080 from 10.244.1.2"},
    ("host", "192.168.56.11", 30082): {"10.244.1.3:8080 from NODE"},
    ("pod-a", "192.168.56.11", 30083): {"silence"},
    ("pod-c", "203.0.113.19", 80): {"silence"},
    ("pod-a", "192.168.56.225", 80): {"silence"},
}
# Every Service address is the node's own, on kube-ipvs0: a port of it that nobody has is closed, not passed by.
CLOSED = {("outside", "203.0.113.18", 99): {"refused"}}
DIFFERENT = ONLY_LOCAL | CLOSED


@pytest.fixture(scope="module")
def loaded(network: object) -> Iterator[None]:
    for number in (1, 2):
        namespaces.in_ns(ns(f"n{number}"), lambda number=number: load(f"node-{number}", empty=False))
    yield
    for number in (1, 2):
        namespaces.in_ns(ns(f"n{number}"), lambda number=number: load(f"node-{number}", empty=True))


def load(node: str, empty: bool) -> None:
    nft, mode = Nftables(), Ipvs()
    mode.start()
    for family in (IPV4, IPV6):
        book = Book(mode.frame(family, node))
        book.replace(mode.before(family, {} if empty else packets.plans(family, node)))
        nft.run(replacement(book.table()))
    nft.close()


@pytest.mark.parametrize("family", [IPV4, IPV6], ids=lambda family: family.name)
def test_the_kernel_does_what_the_table_says_or_what_is_known_to_differ(loaded: None, family: Family) -> None:
    cases = expected(family)
    with ThreadPoolExecutor(max_workers=4) as pool:
        seen = list(pool.map(lambda case: sent.seen_of(family, case), cases))
    wrong = [
        f"{case}\n  expected {sorted(sent.wanted(family, case))}\n  seen     {sorted(found)}"
        for case, found in zip(cases, seen, strict=True)
        if found != sent.wanted(family, case)
    ]
    assert not wrong, "\n".join(wrong)


def expected(family: Family) -> list[Case]:
    differing = {
        (sender, packets.in_family(family, address), port): frozenset(packets._end(family, end) for end in ends)
        for (sender, address, port), ends in DIFFERENT.items()
    }
    found = packets.cases(family)
    assert differing.keys() <= {(one.sender, one.address, one.port) for one in found}
    return [replace(one, ends=differing.get((one.sender, one.address, one.port), one.ends)) for one in found]
