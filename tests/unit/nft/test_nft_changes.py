"""The transaction between two tables: applied to the old one it gives the new, in an order the kernel accepts."""

from hypothesis import given
from hypothesis import strategies as st

from minik8s.nft.changes import changes
from minik8s.nft.fake import Fake
from minik8s.nft.ruleset import Chain, Element, Rule, Set, Table, replacement

CHAINS = ["svc/a", "svc/b", "svc/c"]
ADDRESSES = ["10.96.0.1", "10.96.0.2", "10.96.0.3"]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table like the proxy's: a map to chains, chains that look at sets."""
    names = draw(st.sets(st.sampled_from(CHAINS)))
    sets: dict[str, Set] = {}
    chains: dict[str, Chain] = {}
    for name in sorted(names):
        rules = [
            Rule(f"dnat to {one}:80", draw(st.sampled_from(["", "pod"])))
            for one in draw(st.sets(st.sampled_from(ADDRESSES)))
        ]
        if draw(st.booleans()):
            seconds = draw(st.sampled_from(["10s", "3h"]))
            sets[f"aff/{name}"] = Set(f"aff/{name}", "ipv4_addr", flags=("timeout",), timeout=seconds)
            rules.append(Rule(f"ip saddr @aff/{name} accept"))
        chains[name] = Chain(name, tuple(rules), comment=f"for {name}")
    if "svc/a" in names and "svc/b" in names and draw(st.booleans()):
        chains["svc/a"] = Chain("svc/a", (*chains["svc/a"].rules, Rule("goto svc/b")), comment="for svc/a")
    elements = []
    if names:
        for address in draw(st.sets(st.sampled_from(ADDRESSES))):
            target, comment = draw(st.sampled_from(sorted(names))), draw(st.sampled_from(["", "web"]))
            elements.append(Element((address,), f"goto {target}", comment))
    sets["who"] = Set("who", "ipv4_addr", is_map=True).with_elements(elements)
    return Table("ip", "t", "", sets, chains)


@given(tables(), tables())
def test_changes_lead_from_any_table_to_any_other(old: Table, new: Table) -> None:
    fake = Fake()
    fake.run(replacement(old))
    fake.run("\n".join(changes(old, new)))
    assert fake.table == new


@given(tables())
def test_equal_tables_need_no_command(table: Table) -> None:
    assert changes(table, table) == []


def test_one_endpoint_more_rewrites_one_chain() -> None:
    def table(*targets: str) -> Table:
        chain = Chain("svc/a", tuple(Rule(f"dnat to {one}") for one in targets))
        who = Set("who", "ipv4_addr", is_map=True).with_elements([Element(("10.96.0.1",), "goto svc/a")])
        return Table("ip", "t", "", {"who": who}, {"svc/a": chain, "svc/b": Chain("svc/b", (Rule("drop"),))})

    assert changes(table("1.1.1.1:80"), table("1.1.1.1:80", "2.2.2.2:80")) == [
        "flush chain ip t svc/a",
        "add rule ip t svc/a dnat to 1.1.1.1:80",
        "add rule ip t svc/a dnat to 2.2.2.2:80",
    ]
