"""What a request for an upgrade asks for, and which of it is chosen."""

import pytest

from minik8s.streams import upgrade

SPOKEN = upgrade.Spoken(websocket=("v5", "v4", ""), spdy=("v4",))
WEBSOCKET = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
SPDY = {"Connection": "keep-alive, upgrade", "Upgrade": "spdy/3.1"}

CASES = [
    ({**WEBSOCKET, "sec-websocket-protocol": "v4, v5"}, (False, "v5")),
    (WEBSOCKET, (False, "")),
    ({**SPDY, "X-Stream-Protocol-Version": "v5, v4"}, (True, "v4")),
]


@pytest.mark.parametrize("headers, chosen", CASES)
def test_the_best_that_both_speak_is_chosen_and_said_in_the_answer(headers, chosen):
    agreed = upgrade.agree(headers, SPOKEN)
    assert (agreed.spdy, agreed.protocol) == chosen
    head = agreed.answer.decode()
    assert head.startswith("HTTP/1.1 101 ") and head.endswith("\r\n\r\n")
    name = "X-Stream-Protocol-Version" if agreed.spdy else "Sec-WebSocket-Protocol"
    said = [line.split(": ")[1] for line in head.split("\r\n") if line.startswith(name)]
    assert said == ([agreed.protocol] if agreed.protocol else [])


@pytest.mark.parametrize(
    "headers, because",
    [
        ({}, "an upgrade to WebSocket or SPDY/3.1 is needed"),
        ({"Connection": "Upgrade", "Upgrade": "h2c"}, "an upgrade to WebSocket or SPDY/3.1 is needed"),
        (SPDY, r"client supports \[''\], server accepts v4"),
        ({**WEBSOCKET, "sec-websocket-protocol": "v1"}, r"client supports \['v1'\], server accepts v5, v4"),
    ],
)
def test_what_is_not_spoken_is_refused_with_what_is(headers, because):
    with pytest.raises(upgrade.Unusable, match=because):
        upgrade.agree(headers, SPOKEN)
