"""The agent's questions to its node's DNS server: what counts as an answer, and what is written of it."""

import struct
from types import SimpleNamespace

import pytest

from minik8s import params
from minik8s.agent import dnsprobe


def test_a_dns_question_is_one_name_of_type_a():
    packet = dnsprobe.question(7, "a.bc")
    assert packet == struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + b"\x01a\x02bc\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("flags", "well"), [(0x8180, True), (0x8183, True), (0x8182, False), (0x0100, False), (0x8185, False)]
)
def test_only_a_sane_answer_counts(flags, well):
    assert dnsprobe.answers(7, struct.pack("!6H", 7, flags, 1, 0, 0, 0)) is well
    assert not dnsprobe.answers(8, struct.pack("!6H", 7, flags, 1, 0, 0, 0))
    assert not dnsprobe.answers(7, b"")


class Slices:
    """Notes what is written."""

    def __init__(self):
        self.written = []
        self.seen = []

    def get(self, cls, name, namespace):
        return dnsprobe.endpoint_slice("node-1", "1.1.1.1", self.written[-1]) if self.written else _missing()

    def create(self, obj, why):
        self.written.append(obj.endpoints[0].conditions.ready)
        self.seen.append([each.metadata.name for each in why.seen])

    replace = create


def _missing():
    return dnsprobe.endpoint_slice("node-1", "0.0.0.0", False)


def test_one_lost_answer_is_forgiven_and_two_are_not():
    slices = Slices()
    probe = dnsprobe.DnsProbe(slices, "node-1", "1.1.1.1")
    for well in (True, True, False, True, False, False, False, True):
        probe.step(well)
    assert slices.written == [True, False, True]
    assert slices.seen == [["kube-dns-node-1"]] * 3  # each change names the slice it was decided on


def test_a_server_that_is_silent_is_asked_again_at_once_and_one_that_answers_every_period(monkeypatch):
    now, asked = [0.0], []
    takes = [0.0, 0.125, params.DNS_PROBE_PERIOD_S, params.DNS_PROBE_PERIOD_S, 0.0]

    def ask(_, timeout):
        asked.append(now[0])
        now[0] += takes[len(asked) - 1]
        return now[0] - asked[-1] < timeout

    def wait(seconds):
        now[0] += seconds

    monkeypatch.setattr(dnsprobe, "ask", ask)
    monkeypatch.setattr(dnsprobe.clock, "monotonic", lambda: now[0])
    slices = Slices()
    stop = SimpleNamespace(is_set=lambda: len(asked) == len(takes), wait=wait)
    dnsprobe.DnsProbe(slices, "node-1", "1.1.1.1").run(stop)
    assert asked == [params.DNS_PROBE_PERIOD_S * n for n in range(len(takes))]
    assert slices.written == [True, False, True]
