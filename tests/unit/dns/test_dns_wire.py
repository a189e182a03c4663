"""Messages as bytes: what is refused, what is ignored, and how long a reply may be."""

import random
import struct

import dns.flags
import dns.message
import dns.rcode
import pytest
from dns_wire_checks import ask
from dns_worlds import World

NAME = b"\3web\4shop\3svc\7cluster\5local\0"
A_IN = struct.pack("!HH", 1, 1)
OPT = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)


def message(*parts: bytes, flags: int = 0x0100, counts: tuple[int, int, int, int] = (1, 0, 0, 0)) -> bytes:
    return struct.pack("!6H", 0x1122, flags, *counts) + b"".join(parts)


QUESTION = message(NAME, A_IN)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def code(reply: bytes | None) -> str:
    assert reply is not None
    assert reply[:2] == b"\x11\x22"
    return dns.rcode.to_text(dns.message.from_wire(reply).rcode())


@pytest.mark.parametrize(
    "data",
    [b"", b"\x11\x22\1\0\0\1\0\0\0\0\0", message(NAME, A_IN, flags=0x8180)],
    ids=["nothing", "shorter than a header", "an answer"],
)
def test_what_is_no_question_is_not_answered(world: World, data: bytes) -> None:
    assert world.responder.reply(data) is None


MALFORMED = {
    "the question is missing": message(),
    "no question is announced": message(counts=(0, 0, 0, 0)),
    "two questions": message(NAME, A_IN, NAME, A_IN, counts=(2, 0, 0, 0)),
    "an answer is announced": message(NAME, A_IN, counts=(1, 1, 0, 0)),
    "an authority is announced": message(NAME, A_IN, counts=(1, 0, 1, 0)),
    "the type is cut off": message(NAME, b"\0"),
    "a pointer to itself": message(b"\xc0\x0c", A_IN),
    "a label longer than 63": message(b"\x40" + b"a" * 64 + b"\0", A_IN),
    "a name longer than 255": message((b"\x3f" + b"a" * 63) * 4 + b"\0", A_IN),
    "a name without end": message(b"\3web"),
    "two OPT records": message(NAME, A_IN, OPT, OPT, counts=(1, 0, 0, 2)),
    "an OPT that is cut off": message(NAME, A_IN, OPT[:-3], counts=(1, 0, 0, 1)),
    "an OPT with an owner": message(NAME, A_IN, b"\1x" + OPT, counts=(1, 0, 0, 1)),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_question_is_called_so(world: World, data: bytes) -> None:
    assert code(world.responder.reply(data)) == "FORMERR"


@pytest.mark.parametrize("opcode", [1, 2, 4, 5, 15])
def test_other_operations_than_asking_are_not_implemented(world: World, opcode: int) -> None:
    reply = world.responder.reply(message(NAME, A_IN, flags=opcode << 11))
    assert reply is not None and reply[3] & 0xF == 4 and (reply[2] >> 3) & 0xF == opcode


@pytest.mark.parametrize(("kind", "class_"), [("AXFR", "IN"), ("IXFR", "IN"), ("A", "CH"), ("A", "ANY")])
def test_transfers_and_other_classes_are_refused(world: World, kind: str, class_: str) -> None:
    reply = ask(world.responder.reply, "cluster.local.", kind, rdclass=class_)
    assert reply.rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (message(NAME, A_IN, b"xyz"), "NOERROR"),
        (message(NAME, A_IN, flags=0x0300), "NOERROR"),
        (message(NAME, A_IN, flags=0x0130), "NOERROR"),
        (message(b"\x08web.shop\3svc\7cluster\5local\0", A_IN), "NXDOMAIN"),
        (message(b"\3w\xffb\4shop\3svc\7cluster\5local\0", A_IN), "NXDOMAIN"),
    ],
    ids=["trailing bytes", "TC set", "AD and CD set", "a dot inside a label", "a byte that is no letter"],
)
def test_what_does_no_harm_is_let_pass(world: World, data: bytes, expected: str) -> None:
    assert code(world.responder.reply(data)) == expected


def test_flags_of_the_question_come_back(world: World) -> None:
    plain = ask(world.responder.reply, "web.shop.svc.cluster.local.", "A", flags=0)
    asked = ask(
        world.responder.reply, "web.shop.svc.cluster.local.", "A", flags=dns.flags.RD | dns.flags.CD | dns.flags.AD
    )
    assert plain.flags == dns.flags.QR | dns.flags.AA | dns.flags.RA
    assert asked.flags == plain.flags | dns.flags.RD | dns.flags.CD


def test_only_who_speaks_edns_is_answered_in_it(world: World) -> None:
    assert ask(world.responder.reply, "web.shop.svc.cluster.local.", "A").edns == -1
    reply = ask(
        world.responder.reply, "nothing.shop.svc.cluster.local.", "A", use_edns=0, payload=4096, want_dnssec=True
    )
    assert (reply.edns, reply.payload, reply.rcode()) == (0, 1232, dns.rcode.NXDOMAIN)
    assert reply.ednsflags & dns.flags.DO


def test_a_version_of_edns_from_the_future_is_bad(world: World) -> None:
    reply = ask(world.responder.reply, "web.shop.svc.cluster.local.", "A", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS and not reply.answer


@pytest.mark.parametrize(
    ("payload", "limit"), [(None, 512), (100, 512), (512, 512), (900, 900), (1232, 1232), (65535, 1232)]
)
def test_what_does_not_fit_is_cut_and_said_so(world: World, payload: int | None, limit: int) -> None:
    options = {} if payload is None else {"use_edns": 0, "payload": payload}
    query = dns.message.make_query("many.pets.svc.cluster.local.", "A", **options)
    raw = world.responder.reply(query.to_wire())
    assert raw is not None and limit - 16 < len(raw) <= limit
    reply = dns.message.from_wire(raw)
    assert reply.flags & dns.flags.TC and len(reply.answer[0]) >= 28
    assert (reply.edns == 0) == (payload is not None)


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
    assert code(world.responder.reply(message(NAME, A_IN, cookie, counts=(1, 0, 0, 1)))) == "NOERROR"
    assert world.responder.remembered == before


def test_no_datagram_harms(world: World) -> None:
    """Mutated questions: none raises, none gets a reply longer than it allows, no answer is answered."""
    dice = random.Random(1)
    seeds = [QUESTION, *MALFORMED.values(), message(NAME, A_IN, OPT, counts=(1, 0, 0, 1))]
    seeds.append(message(b"\4many\4pets\3svc\7cluster\5local\0", A_IN, OPT, counts=(1, 0, 0, 1)))
    for _ in range(20_000):
        data = mutated(dice.choice(seeds), dice)
        reply = world.responder.reply(data)
        if len(data) < 12 or data[2] & 0x80:
            assert reply is None
        else:
            assert reply is not None and len(reply) <= 1232
            assert reply[:2] == data[:2] and reply[2] & 0x80


def mutated(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(changed) or 1)
        match dice.randrange(4):
            case 0:
                changed[at : at + 1] = bytes((dice.randrange(256),))
            case 1:
                del changed[at : at + dice.randint(1, 8)]
            case 2:
                changed[at:at] = dice.randbytes(dice.randint(1, 8))
            case 3:
                changed[at : at + 1] = bytes((changed[at] ^ (1 << dice.randrange(8)),)) if at < len(changed) else b""
    return bytes(changed)
