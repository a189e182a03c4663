"""Messages as bytes: what is refused, what is ignored, how long a reply may be, and what is remembered."""

import random
import struct

import dns.message
import dns.rcode
import pytest
from dns_messages import A_IN, MALFORMED, NAME, OPT, QUESTION, RAW, message, mutated
from dns_wire_checks import CHECKS, ask, check_raw
from dns_worlds import World


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("name", RAW)
def test_a_message_of_odd_bytes_gets_what_it_deserves(world: World, name: str) -> None:
    data, expected = RAW[name]
    check_raw(world.responder.reply, data, expected)


@pytest.mark.parametrize("holds", CHECKS, ids=[each.__name__ for each in CHECKS])
def test_on_the_wire(world: World, holds) -> None:
    holds(world.responder.reply)


def test_what_is_shorter_than_a_header_is_not_answered(world: World) -> None:
    assert [world.responder.reply(QUESTION[:size]) for size in range(12)] == [None] * 12


def test_all_of_it_fits_over_tcp(world: World) -> None:
    query = dns.message.make_query("many.pets.svc.cluster.local.", "SRV")
    raw = world.responder.reply(query.to_wire(), tcp=True)
    assert raw is not None
    reply = dns.message.from_wire(raw)
    assert not reply.flags & dns.flags.TC
    assert len(reply.answer[0]) == 100 and len(reply.additional) == 100


def test_addresses_take_turns_at_the_first_place(world: World) -> None:
    firsts = [str(ask(world.responder.reply, "db.pets.svc.cluster.local.", "A").answer[0][0]) for _ in range(6)]
    assert sorted(firsts[:3]) == ["10.244.1.10", "10.244.2.10", "10.244.3.11"]
    assert firsts[:3] == firsts[3:]


def test_servers_come_with_their_addresses(world: World) -> None:
    reply = ask(world.responder.reply, "_http._tcp.dual.shop.svc.cluster.local.", "SRV")
    extra = sorted(f"{rrset.name} {rdata}" for rrset in reply.additional for rdata in rrset)
    assert extra == ["dual.shop.svc.cluster.local. 10.96.1.23", "dual.shop.svc.cluster.local. fd00:96::23"]


def test_questions_with_options_are_not_remembered(world: World) -> None:
    before = world.responder.remembered
    cookie = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 12) + struct.pack("!HH", 10, 8) + b"abcdefgh"
    check_raw(world.responder.reply, message(NAME, A_IN, cookie, counts=(1, 0, 0, 1)), "NOERROR")
    assert world.responder.remembered == before


def test_no_datagram_harms(world: World) -> None:
    """Mutated questions: none raises, none gets a reply longer than it allows, no answer is answered."""
    dice = random.Random(1)
    seeds = [QUESTION, *MALFORMED.values(), message(NAME, A_IN, OPT, counts=(1, 0, 0, 1))]
    seeds += [
        message(b"\4many\4pets\3svc\7cluster\5local\0", A_IN, *more, counts=counts)
        for more, counts in (((OPT,), (1, 0, 0, 1)), ((), (1, 0, 0, 0)))
    ]
    for _ in range(200_000):
        data = mutated(dice.choice(seeds), dice)
        reply = world.responder.reply(data)
        if len(data) < 12 or data[2] & 0x80:
            assert reply is None, data.hex()
            continue
        assert reply is not None, data.hex()
        assert len(reply) <= 512 or len(reply) <= allowed(data), data.hex()
        assert reply[:2] == data[:2] and reply[2] & 0x80 and not reply[2] & 0x78 ^ data[2] & 0x78, data.hex()


def allowed(data: bytes) -> int:
    """The longest reply, read off the question by another parser; 512 for whoever does not speak EDNS."""
    try:
        query = dns.message.from_wire(data, ignore_trailing=True)
    except Exception:
        return 1232  # neither parser need agree on what is malformed; the most that is ever sent
    return min(max(query.payload, 512), 1232) if query.edns >= 0 else 512
