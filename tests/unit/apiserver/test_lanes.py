"""Who gets a seat, who waits, and who is sent away."""

import pytest

from minik8s.apiserver.auth.authn import ANONYMOUS, AUTHENTICATED, User
from minik8s.apiserver.serving import lanes
from minik8s.apiserver.serving.lanes import Lanes

NODE = User("system:node:node-1", ("system:nodes", AUTHENTICATED))
PERSON = User("kubernetes-admin", ("system:masters", AUTHENTICATED))
LEVELS = {"exempt": (1, 1), "system": (2, 1), "workload": (1, 2)}


@pytest.mark.parametrize(
    ("request_line", "user", "level"),
    [
        (b"GET /readyz HTTP/1.1\r\n", ANONYMOUS, "exempt"),
        (b"GET /healthz?verbose HTTP/1.1\r\n", PERSON, "exempt"),
        (b"GET /readyz/../api HTTP/1.1\r\n", ANONYMOUS, "workload"),
        (b"GET /api/v1/pods HTTP/1.1\r\n", NODE, "system"),
        (b"GET /api/v1/pods HTTP/1.1\r\n", PERSON, "workload"),
        (b"GET /api/v1/pods HTTP/1.1\r\n", ANONYMOUS, "workload"),
        (b"nonsense", ANONYMOUS, "workload"),
    ],
)
def test_health_and_the_systems_own_have_levels_of_their_own(request_line, user, level):
    assert lanes.level_of(request_line, user) == level


def test_a_full_level_lets_a_few_wait_and_refuses_the_rest_and_touches_no_other():
    seats = Lanes(LEVELS)
    assert [seats.arrive("workload", name, 0.0) for name in "abcd"] == ["run", "wait", "wait", "refuse"]
    assert [seats.arrive("system", name, 0.0) for name in "xyz"] == ["run", "run", "wait"]
    assert seats.arrive("exempt", "health", 0.0) == "run"


def test_a_seat_goes_to_who_has_waited_longest_and_is_free_when_nobody_waits():
    seats = Lanes(LEVELS)
    for name in "abc":
        seats.arrive("workload", name, 0.0)
    assert [seats.leave("workload") for _ in range(3)] == ["b", "c", None]
    assert seats.running["workload"] == 0
    assert seats.arrive("workload", "d", 0.0) == "run"


def test_who_has_waited_too_long_is_told_once():
    seats = Lanes(LEVELS)
    for name, when in (("a", 0.0), ("b", 0.0), ("c", 10.0)):
        seats.arrive("workload", name, when)
    assert seats.impatient(15.0) == []
    assert seats.impatient(15.1) == ["b"]
    assert seats.impatient(15.1) == []
    assert seats.leave("workload") == "c"
