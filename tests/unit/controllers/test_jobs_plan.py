"""A Job runs Pods until enough have succeeded, and counts each of them once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played_api import PlayedApi, pod, words

from minik8s.api import codec, defaults
from minik8s.api.apps import ReplicaSet
from minik8s.api.batch import INDEX, TRACKING, Job
from minik8s.api.core import Pod
from minik8s.api.meta import key
from minik8s.api.pods import condition
from minik8s.controllers.actions import Create, Delete, Patch
from minik8s.controllers.jobs import counting
from minik8s.controllers.jobs.making import pause_left
from minik8s.controllers.jobs.plan import plan, release_strays

NOW = 1_800_000_000.0
MARK = {"batch.kubernetes.io/controller-uid": "uid-job"}


def job(status: dict | None = None, **spec) -> Job:
    template = {"metadata": {"labels": MARK}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c"}]}}
    plain = {"selector": {"matchLabels": MARK}, "template": template} | spec
    meta = {"name": "sum", "namespace": "default", "uid": "uid-job", "generation": 1}
    obj = codec.from_dict(Job, {"metadata": meta, "spec": plain, "status": status or {}})
    defaults.set_defaults(obj)
    return obj


def worker(number: int, phase: str = "Running", index: int | None = None, **fields) -> Pod:
    annotations = {} if index is None else {INDEX: str(index)}
    made = pod(
        f"sum-{number}", phase == "Running", owner=job(), labels=MARK, phase=phase, annotations=annotations, **fields
    )
    made.metadata.finalizers = [TRACKING]
    return made


# name: (Job, its Pods, what is done to Pods; `release` takes the finalizer away)
WORLDS = {
    "one, once": (job(), [], ["create"]),
    "two at a time": (job(parallelism=2, completions=5), [], ["create"] * 2),
    "no more than are missing": (job({"succeeded": 4}, parallelism=3, completions=5), [], ["create"]),
    "at work": (job(), [worker(1)], []),
    "it is suspended": (job(suspend=True), [worker(1)], ["release sum-1", "delete sum-1"]),
    "too many at work": (job(parallelism=1, completions=2), [worker(1), worker(2)], ["release sum-2", "delete sum-2"]),
    "one has succeeded": (job(completions=2), [worker(1, "Succeeded")], ["create", "release sum-1"]),
    "one has failed": (job(), [worker(1, "Failed", created="2027-01-15T07:59:55Z")], ["release sum-1"]),
    "the pause after a failure is over": (job(), [worker(1, "Failed")], ["create", "release sum-1"]),
    "one is leaving": (job(), [worker(1, gone=True)], ["create", "release sum-1"]),
    "one is leaving and is waited for": (job(podReplacementPolicy="Failed"), [worker(1, gone=True)], []),
    "too many failures": (
        job({"failed": 1}, backoffLimit=1),
        [worker(1, "Failed"), worker(2)],
        ["delete sum-2", "release sum-1"],
    ),
    "too long": (
        job({"startTime": "2027-01-15T07:00:00Z"}, activeDeadlineSeconds=60),
        [worker(1)],
        ["delete sum-1"],
    ),
    "a queue: the others may finish": (
        job(parallelism=2, completions=None),
        [worker(1, "Succeeded"), worker(2)],
        ["release sum-1"],
    ),
    "somebody else's": (job(managedBy="example.com/other"), [], []),
}  # fmt: skip


def doings(actions) -> list[str]:
    found = []
    for action in actions:
        if isinstance(action, Create):
            found.append("create")
        elif isinstance(action, Delete):
            found.append(f"delete {action.target.metadata.name}")
        elif isinstance(action, Patch) and "finalizers" in action.patch.get("metadata", {}):
            found.append(f"release {action.target.metadata.name}")
    return found


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_this_plan(world):
    obj, pods, expected = WORLDS[world]
    assert doings(plan(obj, pods, NOW)) == expected


def test_a_pod_is_counted_in_the_status_before_its_finalizer_goes():
    lines = words(plan(job(), [worker(1, "Succeeded")], NOW))
    assert lines.index("patch jobs/status sum") < lines.index("patch pods sum-1")


def test_an_index_is_told_by_label_annotation_hostname_and_environment():
    actions = plan(job(completions=2, parallelism=2, completionMode="Indexed"), [], NOW)
    made = [action.obj for action in actions if isinstance(action, Create)]
    assert [each.metadata.generateName for each in made] == ["sum-0-", "sum-1-"]
    second = made[1]
    assert second.metadata.labels[INDEX] == second.metadata.annotations[INDEX] == "1"
    assert second.spec.hostname == "sum-1"
    (variable,) = second.spec.containers[0].env
    assert variable.name == "JOB_COMPLETION_INDEX" and INDEX in variable.valueFrom.fieldRef.fieldPath


def test_only_indexes_that_are_not_done_are_tried():
    obj = job({"completedIndexes": "0,2-3"}, completions=6, parallelism=6, completionMode="Indexed")
    made = [action.obj for action in plan(obj, [worker(1, index=4)], NOW) if isinstance(action, Create)]
    assert [each.metadata.labels[INDEX] for each in made] == ["1", "5"]


@given(st.sets(st.integers(0, 30)))
def test_indexes_are_written_short_and_read_back(indexes):
    assert counting.parse(counting.text(indexes)) == indexes


def test_three_in_a_row_are_a_range_and_two_are_not():
    assert counting.text({0, 2, 3, 5, 6, 7}) == "0,2,3,5-7"


def test_the_pause_doubles_with_each_failure_and_a_success_ends_it():
    ended = [worker(1, "Failed", created="2027-01-15T07:59:00Z"), worker(2, "Failed", created="2027-01-15T07:59:50Z")]
    assert pause_left(job(), ended, NOW) == 10.0
    assert pause_left(job(), [*ended, worker(3, "Succeeded", created="2027-01-15T07:59:58Z")], NOW) == 0.0


def test_containers_that_start_again_too_often_end_the_job():
    again = worker(1)
    status = {"name": "c", "restartCount": 3}
    again.status.containerStatuses = codec.from_dict(
        Pod, {"status": {"containerStatuses": [status]}}
    ).status.containerStatuses
    obj = job(backoffLimit=3)
    obj.spec.template.spec.restartPolicy = "OnFailure"
    assert doings(plan(obj, [again], NOW)) == ["delete sum-1"]


def test_a_finished_job_is_deleted_when_its_time_to_live_is_over_and_not_before():
    ended = {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": "2027-01-15T07:59:00Z"}]}
    assert doings(plan(job(ended, ttlSecondsAfterFinished=60), [], NOW)) == ["delete sum"]
    assert doings(plan(job(ended, ttlSecondsAfterFinished=61), [], NOW)) == []
    assert doings(plan(job(ended), [worker(1, "Succeeded")], NOW)) == ["release sum-1"]


def test_pods_of_a_job_that_is_gone_or_was_made_anew_are_held_no_longer():
    old = worker(1, "Succeeded")
    old.metadata.ownerReferences[0].uid = "uid-before"
    assert doings(release_strays(job(), [old, worker(2)])) == ["release sum-1"]
    assert doings(release_strays(None, [old, worker(2)])) == ["release sum-1", "release sum-2"]


class World:
    """A Job on a played API. Whoever removes a Pod that is held waits until nobody holds it."""

    def __init__(self, obj: Job) -> None:
        self.api = PlayedApi(obj)

    @property
    def job(self) -> Job:
        return self.api.get(Job, "default/sum")

    def turn(self, upto: int | None = None) -> bool:
        actions = plan(self.job, self.api.all(Pod), NOW)
        self.api.apply([action for action in actions if not isinstance(action, Delete)][:upto])
        return bool(actions)

    def end(self, each: Pod, phase: str) -> None:
        plain = codec.to_dict(each) | {"status": {"phase": phase}}
        self.api.objects[Pod, key(each)] = codec.from_dict(Pod, plain)

    def vanish(self) -> None:
        """Somebody deletes every Pod that ended and is not held."""
        for each in self.api.all(Pod):
            if each.status.phase in ("Succeeded", "Failed") and not each.metadata.finalizers:
                del self.api.objects[Pod, key(each)]


@settings(max_examples=80)
@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["Indexed", "NonIndexed"]),
    st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.booleans()), max_size=30),
)
def test_however_it_is_interrupted_the_successes_are_exactly_those_wanted(completions, parallelism, mode, story):
    world = World(job(completions=completions, parallelism=parallelism, completionMode=mode, backoffLimit=1000))
    failures = 0
    for good, upto, vanish in [*story, *[(True, 99, False)] * 60]:
        world.turn(upto)
        working = [each for each in world.api.all(Pod) if each.status.phase not in ("Succeeded", "Failed")]
        assert len(working) <= parallelism
        if working:
            world.end(working[0], "Succeeded" if good else "Failed")
            failures += not good
        if vanish:
            world.vanish()
    status = world.job.status
    assert condition(status.conditions, "Complete").status == "True"
    assert (status.succeeded, status.failed, status.active) == (completions, failures, 0)
    assert status.completedIndexes == (counting.text(range(completions)) if mode == "Indexed" else "")
    assert not any(each.metadata.finalizers for each in world.api.all(Pod))
    assert not world.turn()


def test_another_owners_pods_are_left_alone():
    stranger = pod("sum-9", owner=ReplicaSet(), labels=MARK)
    assert "sum-9" not in " ".join(words(plan(job(), [stranger], NOW)))
