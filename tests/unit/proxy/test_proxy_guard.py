"""Whose transaction was it? The accounting of the guard; the kernel's own events are in the integration tests."""

from minik8s.nft.kernel import Generation
from minik8s.proxy.guard import SOMEBODY, Ledger

OURS, SIX, THEIRS = "ip minik8s", "ip6 minik8s", "ip minik8s-pods"


def event(number: int, *tables: str, command: str = "nft") -> Generation:
    return Generation(number, 7, command, frozenset(tables))


def ledger() -> Ledger:
    return Ledger([OURS, SIX], known=10)


def test_our_own_transactions_are_ours_whether_their_event_comes_early_or_late() -> None:
    one = ledger()
    one.wrote(10, 11)
    assert one.foreign([event(11, OURS)]) == {}
    assert one.foreign([event(12, THEIRS)]) == {}
    one.wrote(13, 14)  # 13 is the agent's, and we have not heard of it yet
    assert one.foreign([event(13, THEIRS), event(14, OURS)]) == {}
    assert one.known == 14


def test_tables_of_others_are_their_business() -> None:
    assert ledger().foreign([event(11, THEIRS), event(12, "inet minik8s")]) == {}


def test_a_foreign_change_of_our_tables_is_found_with_who_made_it() -> None:
    assert ledger().foreign([event(11, SIX, THEIRS)]) == {SIX: "nft (process 7)"}
    found = ledger().foreign([event(12, OURS, SIX, command="sh"), event(11, THEIRS)])
    assert found == dict.fromkeys([OURS, SIX], "sh (process 7)")


def test_of_two_changes_while_we_wrote_one_is_not_ours() -> None:
    one = ledger()
    one.wrote(10, 12)
    assert len(one.foreign([event(11, OURS), event(12, OURS)])) == 1
    two = ledger()
    two.wrote(10, 12)
    assert two.foreign([event(11, THEIRS), event(12, OURS)]) == {}


def test_a_large_transaction_of_ours_is_known_though_nobody_listened() -> None:
    one = ledger()
    one.wrote(11, 12)
    assert one.foreign([event(11, THEIRS)]) == {}
    assert one.missed(12) == {}


def test_lost_events_matter_only_if_somebody_else_wrote() -> None:
    one = ledger()
    one.wrote(10, 11)
    one.wrote(11, 12)
    assert one.missed(12) == {}
    assert one.missed(13) == dict.fromkeys([OURS, SIX], SOMEBODY)
    assert one.missed(13) == {}


def test_an_event_that_comes_after_it_was_accounted_for_is_no_news() -> None:
    one = ledger()
    one.wrote(11, 12)
    one.missed(12)
    assert one.foreign([event(11, THEIRS), event(12, OURS)]) == {}
