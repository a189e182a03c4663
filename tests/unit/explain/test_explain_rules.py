"""What rules mean, and whether the kernel has those that the proxy wants."""

from pathlib import Path

import pytest

from minik8s.explain import kernelview, rules, virtual
from minik8s.nft.parse import parse
from minik8s.nft.ruleset import Element, Table

GOLDEN = Path(__file__).parents[1] / "proxy" / "golden"

SHARE = """table ip minik8s {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = {
			10.96.5.6 . tcp . 80 comment "default/web:http ClusterIP" : goto svc/default/web/http,
		}
	}

	set hairpin {
		type ipv4_addr . ipv4_addr
		elements = {
			10.244.1.2 . 10.244.1.2,
		}
	}

	chain refuse {
		meta l4proto tcp reject with tcp reset
		reject with icmp type port-unreachable
	}

	chain mark-masq {
		meta mark set meta mark | 0x4000
	}

	chain svc/default/web/http {
		ip daddr @cluster-ips ip saddr != @cluster-pods jump mark-masq comment "no Pod asks"
		numgen random mod 2 0 counter meta l4proto tcp dnat to 10.244.1.2:8080 comment "pod default/web-a"
		counter meta l4proto tcp dnat to 10.244.2.2:8080 comment "pod default/web-b, terminating, still serving"
	}
}
"""

# The same as the kernel lists it.
LISTING = """table ip minik8s {
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.5.6 . tcp . 80 comment "default/web:http ClusterIP" : goto svc/default/web/http }
	}

	set hairpin {
		type ipv4_addr . ipv4_addr
		elements = { 10.244.1.2 . 10.244.1.2 }
	}

	chain refuse {
		reject with tcp reset
		reject
	}

	chain mark-masq {
		meta mark set meta mark | 0x00004000
	}

	chain svc/default/web/http {
		ip daddr @cluster-ips ip saddr != @cluster-pods jump mark-masq comment "no Pod asks" # handle 4
		numgen random mod 2 0 counter packets 7 bytes 420 meta l4proto tcp dnat to 10.244.1.2:8080
		counter packets 5 bytes 300 meta l4proto tcp dnat to 10.244.2.2:8080 comment "pod default/web-b"
	}
}
"""


def every_golden_rule() -> list[tuple[str, str]]:
    tables = [parse(path.read_text()) for path in sorted(GOLDEN.glob("*.nft"))]
    return sorted({(r.text, r.comment) for table in tables for chain in table.chains.values() for r in chain.rules})


def every_golden_element() -> list[tuple[str, Element]]:
    tables = [parse(path.read_text()) for path in sorted(GOLDEN.glob("*.nft"))]
    return [(s.name, e) for table in tables for s in table.sets.values() for e in s.elements.values()]


def test_every_rule_that_the_proxy_writes_has_a_sentence():
    assert every_golden_rule()
    assert not [text for text, comment in every_golden_rule() if "somebody else" in rules.sentence(text, comment)]


def test_every_element_that_belongs_to_a_service_has_a_sentence():
    given = [(name, one) for name, one in every_golden_element() if name != "cluster-pods"]
    assert given
    assert not [(name, one) for name, one in given if "somebody else" in rules.element(name, one)]


def test_a_rule_that_the_proxy_never_wrote_is_said_to_be_foreign():
    assert "somebody else" in rules.sentence("ip daddr 10.96.5.6 tcp dport 80 accept")


@pytest.mark.parametrize(
    ("text", "comment", "meaning"),
    [
        (
            "numgen random mod 3 0 counter packets 1 bytes 60 meta l4proto tcp dnat to 10.244.1.2:8080",
            "pod default/web-a",
            "1 in 3 of what comes this far goes to Pod web-a.",
        ),
        (
            "counter meta l4proto tcp dnat to 10.244.2.2:8080",
            "pod default/web-b, terminating, still serving",
            "The rest goes to Pod web-b (terminating, still serving).",
        ),
        ("counter meta l4proto udp dnat to 10.0.0.1:53", "endpoint without Pod", "The rest goes to 10.0.0.1:53."),
        ("goto svc/default/web/http", "", "Choose an endpoint in that chain."),
    ],
)
def test_a_rule_is_told_in_plain_words(text, comment, meaning):
    assert rules.sentence(text, comment) == meaning


def test_a_single_endpoint_gets_every_connection():
    assert rules.sentence("dnat to 10.0.0.1:53", only=True) == "Every new connection goes to 10.0.0.1:53."


def test_each_line_names_the_objects_it_was_made_from():
    slices = {"10.244.1.2": "endpointslices/default/web-x@7", "10.244.2.2": "endpointslices/default/web-x@7"}
    chains = {name: chain for name, chain in parse(SHARE).chains.items() if "/" in name}
    share = Table("ip", "minik8s", "", parse(SHARE).sets, chains)
    service, slice_ = "services/default/web@5", "endpointslices/default/web-x@7"
    told = rules.told(share, [service, slice_], slices)
    assert [(each.where, each.sources) for each in told] == [
        ("map service-ips", (service, slice_)),
        ("set hairpin", (slice_,)),
        ("chain svc/default/web/http", (service,)),
        ("chain svc/default/web/http", (slice_,)),
        ("chain svc/default/web/http", (slice_,)),
    ]


# --- Kernel against proxy ---------------------------------------------------------------------------------------------


def test_the_kernels_way_of_writing_is_no_difference():
    assert kernelview.differences(parse(SHARE), parse(LISTING)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "numgen random mod 2 0 counter packets 7 bytes 420 meta l4proto tcp dnat to 10.244.1.2:8080",
            "",
            ["chain svc/default/web/http: not in the kernel: "
             "numgen random mod 2 0 meta l4proto tcp dnat to 10.244.1.2:8080"],
        ),
        (
            "dnat to 10.244.2.2:8080",
            "dnat to 10.244.9.9:8080",
            ["chain svc/default/web/http: the proxy did not write: meta l4proto tcp dnat to 10.244.9.9:8080",
             "chain svc/default/web/http: not in the kernel: meta l4proto tcp dnat to 10.244.2.2:8080"],
        ),
        (
            ": goto svc/default/web/http }",
            ": goto refuse }",
            ["map service-ips: 10.96.5.6 . tcp . 80 : goto svc/default/web/http is now "
             "10.96.5.6 . tcp . 80 : goto refuse"],
        ),
        (
            "elements = { 10.244.1.2 . 10.244.1.2 }",
            "",
            ["set hairpin: not in the kernel: 10.244.1.2 . 10.244.1.2"],
        ),
        ("0x00004000", "0x00008000", None),
        ("reject with tcp reset", "drop", None),
    ],
)  # fmt: skip
def test_what_a_packet_would_notice_is_a_difference(old, new, said):
    assert old in LISTING
    found = [str(one) for one in kernelview.differences(parse(SHARE), parse(LISTING.replace(old, new)))]
    assert found == said if said else found


def test_rules_in_another_order_are_a_difference():
    lines = LISTING.splitlines()
    at = next(number for number, line in enumerate(lines) if "numgen" in line)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    assert len(kernelview.differences(parse(SHARE), parse("\n".join(lines)))) == 1


def test_another_services_trouble_does_not_concern_this_one():
    other = LISTING.replace("default/web/http", "default/other/http").replace("10.96.5.6", "10.96.7.7")
    every = kernelview.differences(parse(SHARE.replace("default/web/http", "default/other/http")), parse(other))
    assert every
    share = Table("ip", "minik8s", "", {}, {"svc/default/web/http": parse(SHARE).chains["svc/default/web/http"]})
    assert kernelview.concerning(share, every) == []


# --- IPVS -------------------------------------------------------------------------------------------------------------


def test_virtual_services_are_told_with_who_takes_a_turn_and_who_only_ends_what_it_has():
    servers = [
        {"target": "10.244.1.2:8080", "weight": 1, "connections": 0, "who": "pod default/web-a"},
        {"target": "10.244.2.2:8080", "weight": 0, "connections": 3, "who": "pod default/web-c, terminating"},
    ]
    row = {"virtual": "tcp 10.96.0.5:80", "scheduler": "rr", "persistent": 0, "servers": servers}
    sources = ("services/default/web@11", "endpointslices/default/web-x@12")
    found = virtual.told([row], sources, {"10.244.1.2": sources[1]})
    assert {one.where for one in found} == {"virtual service tcp 10.96.0.5:80"}
    assert [(one.text, one.means, one.sources) for one in found] == [
        ("rr", "Each new connection goes to the next of these servers, round and round.", sources[:1]),
        ("-> 10.244.1.2:8080 weight 1", "Pod web-a: takes its turn.", sources[1:]),
        (
            "-> 10.244.2.2:8080 weight 0",
            "Pod web-c (terminating): nothing new, but the connections it has go on (3 are remembered).",
            sources[1:],
        ),
    ]
    (first,) = virtual.told([{**row, "persistent": 90, "servers": []}], sources, {})
    assert first.text == "rr persistent 90" and "90 s after its last connection" in first.means
