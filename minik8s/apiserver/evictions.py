"""POST pods/x/eviction: delete a Pod if its PodDisruptionBudget allows it; `kubectl drain` asks this for each Pod.

The budget's status says how many may go now. One is taken from it, with the Pod's name, in one guarded write before the
Pod is deleted: of two evictions at the same moment, one sees the other. Invariant: a Pod that serves goes only after
its budget was charged. Pods that serve nobody (ended, not started, leaving already) cost nothing.

Who may evict need not be allowed to delete Pods or to write budgets, so both are done in the server's own name. Source:
Kubernetes' registry/core/pod/rest/eviction.go. Read `controllers/disruption/plan.py` for how the budget is worked out.
"""

import dataclasses

from minik8s.api import codec, selectors, times
from minik8s.api.meta import DeleteOptions, Object, Status, StatusCause, StatusDetails
from minik8s.api.pods import Pod, condition, is_ready, is_terminal, is_terminating
from minik8s.api.policy import Eviction, PodDisruptionBudget
from minik8s.apiserver import admission, errors
from minik8s.apiserver.auth.authn import AUTHENTICATED, User
from minik8s.apiserver.registry import prefix_of
from minik8s.apiserver.request import Answer, Request
from minik8s.apiserver.routes import Target
from minik8s.apiserver.verbs import Verbs
from minik8s.host import clock

ITSELF = User("system:apiserver", ("system:masters", AUTHENTICATED))
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
TWO_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def evict(verbs: Verbs, request: Request) -> Answer:
    """The answer of the API server: 201 when the Pod goes, 429 when it may not yet."""
    eviction: Eviction = admission.typed(Eviction, admission.document(request))
    options = eviction.deleteOptions or DeleteOptions()
    query = {**request.query, **({"dryRun": "All"} if "All" in options.dryRun else {})}
    own = dataclasses.replace(request, user=ITSELF, query=query, content_type=admission.JSON)
    pod = verbs.read(request).decode()
    assert isinstance(pod, Pod)
    if not _costs_nothing(pod):
        budget = _budget_of(verbs, pod)
        if budget is not None and not _unhealthy_may_go(pod, budget):
            _charge(verbs, own, pod, budget)
    target = Target(Pod, request.target.namespace, request.target.name)
    options.dryRun = []
    deletion = dataclasses.replace(own, target=target, verb="delete", body=codec.encode(options))
    made = verbs.delete(deletion)
    return Answer(201, codec.encode(Status(status="Success", code=201)), writes=made.writes)


def _costs_nothing(pod: Pod) -> bool:
    return is_terminal(pod) or is_terminating(pod) or pod.status.phase == "Pending"


def _budget_of(verbs: Verbs, pod: Pod) -> PodDisruptionBudget | None:
    verbs.registry.wait_fresh()
    found, _ = verbs.registry.cache.items(prefix_of(PodDisruptionBudget, pod.metadata.namespace))
    budgets = [codec.decode(PodDisruptionBudget, value) for _, value in found]
    mine = [each for each in budgets if selectors.matches(each.spec.selector, pod.metadata.labels)]
    if len(mine) > 1:
        raise errors.internal(TWO_BUDGETS)
    return mine[0] if mine else None


def _unhealthy_may_go(pod: Pod, budget: PodDisruptionBudget) -> bool:
    """A Pod that is not ready is no loss, where its budget says so or enough others are healthy."""
    if is_ready(pod):
        return False
    if budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow":
        return True
    return budget.status.currentHealthy >= budget.status.desiredHealthy > 0


def _charge(verbs: Verbs, own: Request, pod: Pod, budget: PodDisruptionBudget) -> None:
    """Take one from the budget, or say why not."""

    def change(old: Object) -> Object:
        assert isinstance(old, PodDisruptionBudget)
        _check(old)
        old.status.disruptionsAllowed -= 1
        old.status.disruptedPods = {**old.status.disruptedPods, pod.metadata.name: times.rfc3339(clock.wall())}
        return old

    target = Target(PodDisruptionBudget, budget.metadata.namespace, budget.metadata.name, "status")
    verbs.modify(dataclasses.replace(own, target=target, verb="update"), change)


def _check(budget: PodDisruptionBudget) -> None:
    name, status = budget.metadata.name, budget.status
    if status.observedGeneration < budget.metadata.generation:
        raise _too_many(f"The disruption budget {name} is still being processed by the server.", 10)
    if status.disruptionsAllowed > 0:
        return
    raise _too_many(f"The disruption budget {name} {_why_not(budget)}", 0)


def _why_not(budget: PodDisruptionBudget) -> str:
    allowed = condition(budget.status.conditions, "DisruptionAllowed")
    if allowed is not None and allowed.reason == "SyncFailed":
        return f"does not allow evicting pods currently because it failed sync: {allowed.message}"
    return f"needs {budget.status.desiredHealthy} healthy pods and has {budget.status.currentHealthy} currently"


def _too_many(message: str, retry_after: int) -> errors.Failure:
    cause = StatusCause(reason="DisruptionBudget", message=message)
    return errors.Failure(
        429, "TooManyRequests", VIOLATES, StatusDetails(causes=[cause], retryAfterSeconds=retry_after)
    )
