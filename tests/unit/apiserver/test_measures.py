"""What an agent tells of its containers' use becomes a rate, and nothing is invented where only one look was had."""

import pytest

from minik8s.agent import usage
from minik8s.agent.usage import Use
from minik8s.apiserver import measures

AT = 1_700_000_000.0


def page(cpu: float, memory: int, at: float, agent_cpu: float = 0.0) -> str:
    """What an agent says of one container and its sandbox."""
    uses = [Use("shop", "web-1", "backend", cpu, memory), Use("shop", "web-1", "", 0.0, 1024)]
    return usage.page(uses, (agent_cpu, 2048), int(at * 1000))


LOOKS = (measures.read(page(1.0, 4096, AT)), measures.read(page(1.5, 8192, AT + 2, agent_cpu=0.5)))


def test_two_looks_make_a_rate_and_the_last_one_says_the_memory() -> None:
    (pod,) = measures.pod_metrics(("shop", "web-1"), {"app": "web"}, LOOKS)
    assert [(each.name, each.usage) for each in pod.containers] == [("backend", {"cpu": "250000000n", "memory": "8Ki"})]
    assert (pod.window, pod.metadata.labels) == ("2.000s", {"app": "web"})


def test_a_node_uses_what_its_containers_and_its_agent_use() -> None:
    (node,) = measures.node_metrics("node-1", {}, LOOKS)
    assert node.usage == {"cpu": "500000000n", "memory": "11Ki"}


def test_a_container_seen_once_has_no_rate_yet() -> None:
    fresh = measures.read(usage.page([Use("shop", "web-2", "backend", 3.0, 1)], (0.0, 0), int(AT * 1000) + 9))
    assert measures.pod_metrics(("shop", "web-2"), {}, (LOOKS[0], fresh)) == []


def test_a_container_that_began_anew_has_not_used_less_than_nothing() -> None:
    anew = measures.read(page(0.1, 4096, AT + 1))
    (pod,) = measures.pod_metrics(("shop", "web-1"), {}, (LOOKS[0], anew))
    assert pod.containers[0].usage["cpu"] == "0n"


@pytest.mark.parametrize(
    ("detail", "held"),
    [({"inactive_file": 100}, 900), ({"total_inactive_file": 300}, 700), ({}, 1000), ({"inactive_file": 2000}, 0)],
)
def test_what_can_be_dropped_at_once_is_not_counted(detail: dict, held: int) -> None:
    stats = {
        "memory_stats": {"usage": 1000, "stats": detail},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
    }
    assert usage.measured(stats) == (2.5, held)
