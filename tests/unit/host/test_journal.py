"""What the journal promises: bounded, complete in its keys, and still there after a restart."""

import json

from minik8s.host.journal import Journal


def test_an_entry_says_who_what_why_and_when(tmp_path):
    journal = Journal(tmp_path / "proxy@node-1.jsonl", "node-1", "proxy")
    journal.record("rules", "endpoint gone", ["services/default/web"], [12], removed=["10.244.1.2"])
    (entry,) = journal.entries()
    assert entry.pop("wall") > 0 and entry.pop("monotonic") > 0
    assert entry == {
        "node": "node-1",
        "component": "proxy",
        "stage": "rules",
        "because": "endpoint gone",
        "objects": ["services/default/web"],
        "revisions": ["12"],
        "data": {"removed": ["10.244.1.2"]},
    }


def test_only_the_newest_entries_are_kept():
    journal = Journal(size=3)
    for number in range(5):
        journal.record("died", str(number))
    assert [entry["because"] for entry in journal.entries()] == ["2", "3", "4"]


def test_entries_since_a_moment_leave_the_older_ones_out():
    journal = Journal()
    first = journal.record("died", "one")
    journal.record("died", "two")
    assert [entry["because"] for entry in journal.entries(since=first["wall"])] == ["two"]


def test_a_restarted_component_finds_its_entries_again(tmp_path):
    file = tmp_path / "journal" / "dns.jsonl"
    Journal(file).record("names", "web is new")
    assert [entry["because"] for entry in Journal(file).entries()] == ["web is new"]


def test_a_line_torn_by_a_kill_is_dropped_and_the_next_one_is_whole(tmp_path):
    file = tmp_path / "j.jsonl"
    Journal(file).record("died", "whole")
    with file.open("a") as stream:
        stream.write('{"wall": 1, "bec')
    Journal(file).record("died", "next")
    assert [json.loads(line)["because"] for line in file.read_text().splitlines()] == ["whole", "next"]


def test_the_file_never_holds_more_than_twice_the_ring(tmp_path):
    file = tmp_path / "j.jsonl"
    journal = Journal(file, size=10)
    longest = 0
    for number in range(100):
        journal.record("died", str(number))
        longest = max(longest, len(file.read_text().splitlines()))
    assert longest == 20
    assert json.loads(file.read_text().splitlines()[-1])["because"] == "99"


def test_the_text_is_json_lines():
    journal = Journal()
    journal.record("died", "ein Grund – schön")
    assert json.loads(journal.text())["because"] == "ein Grund – schön"
