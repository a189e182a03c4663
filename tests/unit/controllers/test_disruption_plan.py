"""A PodDisruptionBudget says how many Pods may go, and never the same one twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from played_api import pod, replicaset

from minik8s.api import codec
from minik8s.api.policy import PodDisruptionBudget
from minik8s.controllers.disruption.plan import next_look, plan

NOW = 1_800_000_000.0
RS = replicaset(4)
SCALES = {"uid-rs": ("uid-deployment", 4)}


def budget(disrupted: dict[str, str] | None = None, **spec) -> PodDisruptionBudget:
    plain = {"selector": {"matchLabels": {"app": "web"}}} | spec
    meta = {"name": "web", "namespace": "default", "uid": "uid-pdb", "generation": 3, "resourceVersion": "9"}
    status = {"disruptedPods": disrupted or {}}
    return codec.from_dict(PodDisruptionBudget, {"metadata": meta, "spec": plain, "status": status})


def pods(count: int, ready: int | None = None):
    limit = count if ready is None else ready
    return [pod(f"web-{number}", number < limit, owner=RS) for number in range(count)]


def status(pdb, members, scales=SCALES) -> dict:
    return plan(pdb, members, scales, NOW)[0].patch["status"]


# name: (budget, Pods, (allowed, healthy, desired, expected))
WORLDS = {
    "a number must stay": (budget(minAvailable=2), pods(3), (1, 3, 2, 3)),
    "a number must stay, and one is not ready": (budget(minAvailable=2), pods(3, 2), (0, 2, 2, 3)),
    "more must stay than there are": (budget(minAvailable=9), pods(3), (0, 3, 9, 3)),
    "half must stay, of those that should be": (budget(minAvailable="50%"), pods(3), (1, 3, 2, 4)),
    "a part must stay, rounded up": (budget(minAvailable="60%"), pods(4), (1, 4, 3, 4)),
    "one may be missing": (budget(maxUnavailable=1), pods(4), (1, 4, 3, 4)),
    "one may be missing, and one is": (budget(maxUnavailable=1), pods(3), (0, 3, 3, 4)),
    "a part may be missing": (budget(maxUnavailable="26%"), pods(4), (2, 4, 2, 4)),
    "all may be missing": (budget(maxUnavailable="100%"), pods(4), (4, 4, 0, 4)),
    "no Pod at all": (budget(minAvailable=0), [], (0, 0, 0, 0)),
    "nobody's Pods": (budget(maxUnavailable=1), [pod("web-1")], (0, 1, 0, 0)),
    "one is leaving": (budget(minAvailable=1), [*pods(2), pod("web-9", owner=RS, gone=True)], (1, 2, 1, 3)),
    "one was allowed to go": (budget({"web-0": "2027-01-15T07:59:30Z"}, minAvailable=1), pods(3), (1, 2, 1, 3)),
    "one was, and never went": (budget({"web-0": "2027-01-15T07:50:00Z"}, minAvailable=1), pods(3), (2, 3, 1, 3)),
    "one was, and has gone": (budget({"web-7": "2027-01-15T07:59:30Z"}, minAvailable=1), pods(3), (2, 3, 1, 3)),
}  # fmt: skip


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_allows_exactly_this(world):
    pdb, members, expected = WORLDS[world]
    seen = status(pdb, members)
    fields = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    assert tuple(seen.get(field, 0) for field in fields) == expected
    (condition,) = seen["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", "True" if expected[0] else "False")
    assert condition["reason"] == ("SufficientPods" if expected[0] else "InsufficientPods")
    assert seen["observedGeneration"] == 3


def test_a_status_is_only_written_over_the_one_that_was_looked_at():
    (action,) = plan(budget(minAvailable=1), pods(2), SCALES, NOW)
    assert action.patch["metadata"] == {"resourceVersion": "9"}


def test_what_cannot_be_worked_out_allows_nothing_and_says_why():
    (action,) = plan(budget(maxUnavailable=1), pods(2), {}, NOW)
    (condition,) = action.patch["status"]["conditions"]
    assert condition["reason"] == "SyncFailed" and 'pod "web-0"' in condition["message"]
    assert action.tell.reason == "CalculateExpectedPodCountFailed"


def test_a_permission_that_was_not_used_is_looked_at_when_it_is_to_be_forgotten():
    assert next_look(budget({"web-0": "2027-01-15T07:59:30Z"}), NOW) == 90.0
    assert next_look(budget(), NOW) is None


@given(st.integers(0, 8), st.integers(0, 8), st.one_of(st.integers(0, 9), st.integers(0, 100).map("{}%".format)))
def test_what_is_allowed_to_go_always_leaves_enough(count, ready, limit):
    for field in ("minAvailable", "maxUnavailable"):
        pdb = budget(**{field: limit})
        seen = status(pdb, pods(count, ready))
        allowed, healthy = seen.get("disruptionsAllowed", 0), seen.get("currentHealthy", 0)
        assert allowed == 0 or healthy - allowed >= seen.get("desiredHealthy", 0)
        settled = codec.from_dict(PodDisruptionBudget, codec.to_dict(pdb) | {"status": seen})
        assert plan(settled, pods(count, ready), SCALES, NOW) == []
