"""The text of a table, and the transaction that replaces one."""

import pytest

from minik8s.nft import ruleset
from minik8s.nft.fake import Fake
from minik8s.nft.kernel import NftError, numbered
from minik8s.nft.parse import NotUnderstood, parse
from minik8s.nft.ruleset import Chain, Element, Hook, Rule, Set, Table

TEXT = """\
table ip demo {
	comment "a table"

	map who {
		type ipv4_addr . inet_proto : verdict
		elements = {
			10.96.0.9 . tcp comment "nine" : goto svc/a,
			10.96.0.10 . tcp : goto svc/a,
		}
	}

	set pods {
		type ipv4_addr
		flags interval
		elements = {
			10.244.0.0/16,
		}
	}

	set aff/a {
		type ipv4_addr
		flags dynamic,timeout
		timeout 3h
		size 65535
	}

	chain in {
		comment "begins here"
		type nat hook prerouting priority dstnat;
		ip daddr . meta l4proto vmap @who
	}

	chain svc/a {
		ip saddr @pods counter meta l4proto tcp dnat to 10.244.1.2:80 comment "pod a, b"
	}
}
"""


def demo() -> Table:
    nine = Element(("10.96.0.9", "tcp"), "goto svc/a", "nine")
    ten = Element(("10.96.0.10", "tcp"), "goto svc/a")
    sets = [
        Set("pods", "ipv4_addr", flags=("interval",)).with_elements([Element(("10.244.0.0/16",))]),
        Set("aff/a", "ipv4_addr", flags=("dynamic", "timeout"), timeout="3h", size=65535),
        Set("who", "ipv4_addr . inet_proto", is_map=True).with_elements([ten, nine]),
    ]
    dnat = Rule("ip saddr @pods counter meta l4proto tcp dnat to 10.244.1.2:80", "pod a, b")
    chains = [
        Chain("svc/a", (dnat,)),
        Chain("in", (Rule("ip daddr . meta l4proto vmap @who"),), Hook("nat", "prerouting", "dstnat"), "begins here"),
    ]
    return Table("ip", "demo", "a table", {one.name: one for one in sets}, {one.name: one for one in chains})


def test_a_table_reads_as_a_person_would_write_it() -> None:
    assert demo().text() == TEXT


def test_text_read_back_is_the_same_value() -> None:
    assert parse(TEXT) == demo()


def test_the_kernels_own_listing_is_understood() -> None:
    listing = """\
table ip demo { # handle 4
	set aff/a {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 3h
		elements = { 10.244.1.2 expires 2h59m3s10ms, 10.244.1.3 timeout 3h expires 1h }
	}
	map who {
		type ipv4_addr . inet_proto : verdict
		elements = { 10.96.0.9 . tcp comment "nine, or so" : goto svc/a,
			10.96.0.10 . tcp : goto svc/a }
	}
	chain in {
		type nat hook prerouting priority dstnat; policy accept;
	}
	chain svc/a {
		counter packets 7 bytes 420 meta l4proto tcp dnat to 10.244.1.2:80 comment "pod a" # handle 9
	}
}
""".replace(" # handle 4", "")
    table = parse(listing)
    assert list(table.sets["aff/a"].elements) == [("10.244.1.2",), ("10.244.1.3",)]
    assert table.sets["aff/a"].definition() == demo().sets["aff/a"].definition()
    assert table.sets["who"].elements["10.96.0.9", "tcp"].comment == "nine, or so"
    assert table.chains["svc/a"].rules == (Rule("counter meta l4proto tcp dnat to 10.244.1.2:80", "pod a"),)
    assert table.chains["in"].hook == Hook("nat", "prerouting", "dstnat")


def test_text_that_is_no_table_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        parse("hello")
    with pytest.raises(NotUnderstood):
        parse("table ip x {\nchain y {\n")


def test_comments_that_the_kernel_would_refuse_are_made_harmless() -> None:
    assert ruleset.quotable('evil" ; flush ruleset\n') == "evil? ; flush ruleset?"
    assert len(ruleset.quotable("x" * 500)) == ruleset.COMMENT_MAX


def test_durations_are_written_as_nft_writes_them() -> None:
    assert [ruleset.duration(n) for n in (10, 90, 10800, 90000)] == ["10s", "1m30s", "3h", "1d1h"]


def test_a_replacement_works_from_nothing_and_over_anything() -> None:
    fake = Fake()
    fake.run(ruleset.replacement(demo()))
    assert fake.table == demo()
    fake.run(ruleset.replacement(demo(), fake.table))
    assert fake.table == demo()


def test_a_replacement_keeps_the_memory_of_clients() -> None:
    fake = Fake()
    fake.run(ruleset.replacement(demo()))
    assert fake.table
    fake.run("add element ip demo aff/a { 10.244.9.9 }")
    fake.run(ruleset.replacement(demo(), fake.table, "aff/"))
    assert list(fake.table.sets["aff/a"].elements) == [("10.244.9.9",)]
    assert fake.table.chains == demo().chains


def test_an_error_shows_the_commands_with_numbers() -> None:
    assert "   2  add rule" in str(NftError("Error: no", "flush table ip x\nadd rule ip x"))
    assert "60 more" in numbered("x\n" * 100)
