"""An eviction deletes a Pod, charges its budget first, and is refused in Kubernetes' words where that is empty."""

import pytest
from memory_store import ask, registry

from minik8s.api import codec
from minik8s.api.core import Namespace, Pod
from minik8s.api.policy import PodDisruptionBudget
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.errors import Failure

READY = [{"type": "Ready", "status": "True"}]
SELECTOR = {"matchLabels": {"app": "web"}}


class Cluster:
    def __init__(self) -> None:
        self.server = Dispatcher(registry())
        self.server.answer(ask("create", Namespace, body={"metadata": {"name": "a"}}))

    def pod(self, name: str, phase: str = "Running", ready: bool = True) -> None:
        spec = {"containers": [{"name": "c", "image": "x:1"}], "terminationGracePeriodSeconds": 0}
        self.server.answer(
            ask("create", Pod, body={"metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec})
        )
        status = {"phase": phase, "conditions": READY if ready else []}
        self.server.answer(ask("patch", Pod, name, {"status": status}, subresource="status"))

    def budget(self, name: str = "web", generation: int = 1, spec: dict | None = None, **status) -> None:
        body = {"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": SELECTOR, **(spec or {})}}
        self.server.answer(ask("create", PodDisruptionBudget, body=body))
        change = {"status": {"observedGeneration": generation, **status}}
        self.server.answer(ask("patch", PodDisruptionBudget, name, change, subresource="status"))

    def evict(self, name: str, **options):
        body = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": name}, "deleteOptions": options}
        return self.server.answer(ask("create", Pod, name, body, subresource="eviction"))

    def left(self, name: str) -> bool:
        return self.server.registry.cache.get(f"/registry/core/pods/a/{name}") is not None

    def status(self):
        value = self.server.registry.cache.get("/registry/policy/poddisruptionbudgets/a/web")
        return codec.decode(PodDisruptionBudget, value).status


@pytest.fixture
def cluster():
    return Cluster()


def test_a_pod_without_a_budget_just_goes(cluster):
    cluster.pod("web-1")
    assert cluster.evict("web-1").code == 201
    assert not cluster.left("web-1")


def test_a_budget_is_charged_with_the_name_of_the_pod(cluster):
    cluster.pod("web-1")
    cluster.budget(disruptionsAllowed=1, currentHealthy=2, desiredHealthy=1, expectedPods=2)
    assert cluster.evict("web-1").code == 201
    assert not cluster.left("web-1")
    assert cluster.status().disruptionsAllowed == 0 and list(cluster.status().disruptedPods) == ["web-1"]


def test_an_empty_budget_keeps_the_pod_and_says_what_it_needs(cluster):
    cluster.pod("web-1")
    cluster.budget(disruptionsAllowed=0, currentHealthy=1, desiredHealthy=1, expectedPods=1)
    with pytest.raises(Failure) as found:
        cluster.evict("web-1")
    status = found.value.status
    assert (status.code, status.reason) == (429, "TooManyRequests")
    assert status.message == "Cannot evict pod as it would violate the pod's disruption budget."
    (cause,) = status.details.causes
    assert cause.reason == "DisruptionBudget"
    assert cause.message == "The disruption budget web needs 1 healthy pods and has 1 currently"
    assert cluster.left("web-1")


def test_a_budget_that_nobody_has_worked_out_yet_is_waited_for(cluster):
    cluster.pod("web-1")
    cluster.budget(generation=0, disruptionsAllowed=5)
    with pytest.raises(Failure) as found:
        cluster.evict("web-1")
    assert found.value.status.details.retryAfterSeconds == 10
    assert "is still being processed by the server" in found.value.status.details.causes[0].message


def test_two_budgets_for_one_pod_are_an_error(cluster):
    cluster.pod("web-1")
    cluster.budget(disruptionsAllowed=5)
    cluster.budget("other", disruptionsAllowed=5)
    with pytest.raises(Failure, match="more than one PodDisruptionBudget"):
        cluster.evict("web-1")


# what the Pod is, the budget, whether it may go
UNHEALTHY = [
    ({"phase": "Succeeded", "ready": False}, {"currentHealthy": 0, "desiredHealthy": 1}, True),
    ({"phase": "Pending", "ready": False}, {"currentHealthy": 0, "desiredHealthy": 1}, True),
    ({"ready": False}, {"currentHealthy": 1, "desiredHealthy": 1}, True),
    ({"ready": False}, {"currentHealthy": 0, "desiredHealthy": 1}, False),
    ({"ready": False}, {"currentHealthy": 0, "spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}, True),
]


@pytest.mark.parametrize(("state", "budget", "goes"), UNHEALTHY)
def test_a_pod_that_serves_nobody_may_go_where_nothing_is_lost(cluster, state, budget, goes):
    cluster.pod("web-1", **state)
    cluster.budget(disruptionsAllowed=0, **budget)
    if goes:
        assert cluster.evict("web-1").code == 201
    else:
        with pytest.raises(Failure):
            cluster.evict("web-1")
    assert cluster.left("web-1") is not goes


def test_a_dry_run_charges_nothing(cluster):
    cluster.pod("web-1")
    cluster.budget(disruptionsAllowed=1)
    assert cluster.evict("web-1", dryRun=["All"]).code == 201
    assert cluster.left("web-1") and cluster.status().disruptionsAllowed == 1
