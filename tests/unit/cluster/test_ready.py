"""When a node counts as Ready, and what is said of one that does not."""

import pytest

from minik8s.api.coordination import Lease, LeaseSpec
from minik8s.api.core import Node, NodeStatus
from minik8s.api.meta import Condition as StatusCondition
from minik8s.api.meta import ObjectMeta
from minik8s.cluster.ready import Condition, is_ready, renewed_since


def node(name: str, status: str = "", message: str = "") -> Node:
    conditions = [StatusCondition(type="Ready", status=status, message=message)] if status else []
    return Node(metadata=ObjectMeta(name=name), status=NodeStatus(conditions=conditions))


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (None, "has not registered"),
        (node("node-1"), "has not reported yet"),
        (node("node-1", "False", "no Pod network yet"), "no Pod network yet"),
        (node("node-1", "Unknown"), "is not Ready"),
        (node("node-1", "True"), ""),
    ],
)
def test_a_node_is_ready_when_its_condition_says_so(seen: Node | None, why: str) -> None:
    assert is_ready(seen) == why


@pytest.mark.parametrize(
    ("renewed", "why"),
    [
        ("", "has no Lease yet"),
        ("2026-01-01T00:00:00.000000Z", "has not come back yet"),
        ("2026-01-01T00:00:10.500000Z", ""),
    ],
)
def test_a_revived_node_counts_once_it_was_heard_of_since(renewed: str, why: str) -> None:
    moment = 1767225610.0  # 2026-01-01T00:00:10Z
    assert renewed_since(moment)(Lease(spec=LeaseSpec(renewTime=renewed))) == why
    assert renewed_since(moment)(None) == "has no Lease yet"


def test_every_node_that_is_missing_is_named() -> None:
    condition = Condition(Node, "", ("node-1", "node-2", "node-3"), is_ready)
    seen = {"node-1": node("node-1", "True"), "node-2": node("node-2", "False", "no Engine")}
    assert condition.missing(seen) == {"node-2": "no Engine", "node-3": "has not registered"}
