"""What the agent tells of a Pod: worlds on the left, kubectl's words on the right."""

from dataclasses import replace

import pytest
from agent_worlds import NODE, NOW, a_container, a_pod, a_sandbox, facts

from minik8s.agent.observed import Refusal, Verdict
from minik8s.agent.status import status_of
from minik8s.api import codec
from minik8s.api.pods import condition

PULL = Refusal(reason="ErrImagePull", message="no such image", at=NOW - 0.5, retry_at=NOW + 9)
OLD_PULL = Refusal(reason="ErrImagePull", message="no such image", at=NOW - 5, retry_at=NOW + 5)


def short(pod, world):
    """`phase; container state (reason) ready restarts; …`."""
    status = status_of(pod, world)
    parts = [status.phase]
    for each in [*status.initContainerStatuses, *status.containerStatuses]:
        state = each.state
        word = "running" if state.running else ""
        if state.waiting:
            word = f"waiting {state.waiting.reason}"
        if state.terminated:
            word = f"{state.terminated.reason} {state.terminated.exitCode}"
        last = f" after {each.lastState.terminated.reason}" if each.lastState.terminated else ""
        parts.append(f"{each.name} {word}{last}{' ready' if each.ready else ''} {each.restartCount}")
    return "; ".join(parts)


INIT = [{"name": "i1", "image": "app:1"}]
TABLE = [
    ("nothing there yet", a_pod(), facts(), "Pending; web waiting ContainerCreating 0"),
    ("only the sandbox", a_pod(), facts(a_sandbox()), "Pending; web waiting ContainerCreating 0"),
    ("it runs, and no probe is asked", a_pod(), facts(a_sandbox(), a_container()), "Running; web running ready 0"),
    (
        "it runs but its probe says no",
        a_pod(),
        facts(a_sandbox(), a_container(), verdicts={"web-0": Verdict(ready=False)}),
        "Running; web running 0",
    ),
    (
        "it has not started up",
        a_pod(),
        facts(a_sandbox(), a_container(), verdicts={"web-0": Verdict(started=False)}),
        "Running; web running 0",
    ),
    (
        "it ended and is started again at once",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=137)),
        "Running; web Error 137 0",
    ),
    (
        "it ended too often",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=1, attempt=1)),
        "Running; web waiting CrashLoopBackOff after Error 1",
    ),
    (
        "it ran out of memory",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=137, oom_killed=True)),
        "Running; web OOMKilled 137 0",
    ),
    (
        "the program is not in the image",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=127, error="exec: not found", attempt=1)),
        "Running; web waiting CrashLoopBackOff after ContainerCannotRun 1",
    ),
    (
        "it runs again",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=1), a_container(attempt=1)),
        "Running; web running after Error ready 1",
    ),
    (
        "the pull failed just now",
        a_pod(),
        facts(a_sandbox(), refusals={"web": PULL}),
        "Pending; web waiting ErrImagePull 0",
    ),
    (
        "the pull failed a while ago",
        a_pod(),
        facts(a_sandbox(), refusals={"web": OLD_PULL}),
        "Pending; web waiting ImagePullBackOff 0",
    ),
    (
        "a ConfigMap is missing",
        a_pod(),
        facts(a_sandbox(), refusals={"web": replace(OLD_PULL, reason="CreateContainerConfigError")}),
        "Pending; web waiting CreateContainerConfigError 0",
    ),
    (
        "a job that went well",
        a_pod(restartPolicy="Never"),
        facts(a_container("exited")),
        "Succeeded; web Completed 0 0",
    ),
    (
        "a job that did not",
        a_pod(restartPolicy="Never"),
        facts(a_container("exited", exit_code=3)),
        "Failed; web Error 3 0",
    ),
    (
        "one of two still runs",
        a_pod({}, {"name": "b"}, restartPolicy="Never"),
        facts(a_sandbox(), a_container("exited"), a_container(name="b")),
        "Running; web Completed 0 0; b running ready 0",
    ),
    (
        "init containers first",
        a_pod(initContainers=INIT),
        facts(a_sandbox(), a_container(name="i1")),
        "Pending; i1 running 0; web waiting PodInitializing 0",
    ),
    (
        "init containers done",
        a_pod(initContainers=INIT),
        facts(a_sandbox(), a_container("exited", name="i1"), a_container()),
        "Running; i1 Completed 0 ready 0; web running ready 0",
    ),
    (
        "an init container failed for good",
        a_pod(initContainers=INIT, restartPolicy="Never"),
        facts(a_sandbox(), a_container("exited", name="i1", exit_code=1)),
        "Failed; i1 Error 1 0; web waiting PodInitializing 0",
    ),
]


@pytest.mark.parametrize(("pod", "world", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_world_and_status(pod, world, expected):
    assert short(pod, world) == expected


def told(pod, world):
    """The Pod as it is after its status was written."""
    pod.status = codec.from_dict(type(pod.status), codec.to_dict(status_of(pod, world)))
    return pod


def test_what_was_added_to_a_running_pod_is_told_apart_is_never_ready_and_stays_ended():
    pod = a_pod(ephemeralContainers=[{"name": "guest", "image": "tools:1"}])
    new = status_of(pod, facts(a_sandbox(), a_container()))
    assert new.ephemeralContainerStatuses[0].state.waiting.reason == "ContainerCreating" and new.phase == "Running"
    runs = status_of(pod, facts(a_sandbox(), a_container(), a_container(name="guest")))
    assert runs.ephemeralContainerStatuses[0].state.running and not runs.ephemeralContainerStatuses[0].ready
    ended = facts(a_sandbox(), a_container(), a_container("exited", name="guest", exit_code=3))
    assert status_of(pod, ended).ephemeralContainerStatuses[0].state.terminated.exitCode == 3
    pod.status = status_of(pod, ended)
    gone = status_of(pod, facts(a_sandbox(), a_container()))
    assert gone.ephemeralContainerStatuses == pod.status.ephemeralContainerStatuses
    assert condition(gone.conditions, "Ready").status == "True"


def test_an_unchanged_world_gives_an_unchanged_status():
    for _, pod, world, _ in TABLE:
        first = status_of(told(pod, world), world)
        later = status_of(told(pod, world), replace(world, now=world.now + 0.2))
        assert codec.encode(first) == codec.encode(later)


def test_the_time_of_a_condition_moves_only_with_its_value():
    pod = told(a_pod(), facts(a_sandbox()))
    unready = condition(pod.status.conditions, "Ready").lastTransitionTime
    still = status_of(pod, facts(a_sandbox(), now=NOW + 50))
    assert condition(still.conditions, "Ready").lastTransitionTime == unready
    ready = status_of(pod, facts(a_sandbox(), a_container(), now=NOW + 50))
    assert condition(ready.conditions, "Ready").status == "True"
    assert condition(ready.conditions, "Ready").lastTransitionTime != unready


def test_conditions_of_other_writers_stay():
    pod = a_pod(
        status={"conditions": [{"type": "example.com/gate", "status": "False"}]},
        readinessGates=[{"conditionType": "example.com/gate"}],
    )
    status = status_of(pod, facts(a_sandbox(), a_container()))
    assert condition(status.conditions, "example.com/gate").status == "False"
    assert condition(status.conditions, "ContainersReady").status == "True"
    assert condition(status.conditions, "Ready").reason == "ReadinessGatesNotReady"


def test_addresses_come_from_the_sandbox_or_from_the_node():
    nodes = (NODE, "fd00:56::11")
    both = a_sandbox(addresses=("10.244.1.5", "fd00:244:0:1::5"))
    own = status_of(a_pod(), replace(facts(both), node_addresses=nodes))
    assert (own.podIP, [each.ip for each in own.podIPs]) == ("10.244.1.5", ["10.244.1.5", "fd00:244:0:1::5"])
    assert (own.hostIP, tuple(each.ip for each in own.hostIPs)) == (NODE, nodes)
    shared = status_of(a_pod(hostNetwork=True), replace(facts(a_sandbox(addresses=())), node_addresses=nodes))
    assert (shared.podIP, tuple(each.ip for each in shared.podIPs)) == (NODE, nodes)


def test_a_pod_keeps_the_addresses_it_was_told_of_when_its_sandbox_is_gone():
    told_before = {"podIP": "10.244.1.5", "podIPs": [{"ip": "10.244.1.5"}, {"ip": "fd00:244:0:1::5"}]}
    status = status_of(a_pod(status=told_before), facts())
    assert (status.podIP, [each.ip for each in status.podIPs]) == ("10.244.1.5", ["10.244.1.5", "fd00:244:0:1::5"])


def test_the_last_word_on_a_finished_pod_survives_its_containers():
    pod = told(a_pod(restartPolicy="Never"), facts(a_container("exited", exit_code=3)))
    assert short(pod, facts()) == "Failed; web Error 3 0"


def test_a_pod_past_its_deadline_has_failed_and_says_so():
    pod = a_pod(activeDeadlineSeconds=5, status={"startTime": "1970-01-01T00:00:00Z"})
    status = status_of(pod, facts(a_sandbox(), a_container()))
    assert (status.phase, status.reason) == ("Failed", "DeadlineExceeded")
