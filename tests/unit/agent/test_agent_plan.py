"""What the agent does with a Pod: worlds on the left, the exact plan on the right; and what holds for all of them."""

import pytest
from agent_worlds import NOW, a_container, a_pod, a_sandbox, facts, lines, obey
from hypothesis import given, settings
from hypothesis import strategies as st

from minik8s.agent.observed import Facts, Refusal, Seen, Verdict
from minik8s.agent.plan import plan

ENDED = {"state": "exited", "exit_code": 1}
GUEST = {"name": "guest", "image": "tools:1"}
LONG_AGO = NOW - 10_000

TABLE = [
    ("a new Pod gets its sandbox first", a_pod(), facts(), ["create sandbox"]),
    ("then its container", a_pod(), facts(a_sandbox()), ["start web#0"]),
    ("and then there is nothing to do", a_pod(), facts(a_sandbox(), a_container()), []),
    (
        "containers start in the order of the spec",
        a_pod({"name": "b"}, {"name": "a"}),
        facts(a_sandbox()),
        ["start b#0", "start a#0"],
    ),
    (
        "a sandbox whose wire was not seen is connected before anything starts",
        a_pod(),
        facts(a_sandbox(connected=False)),
        ["connect s1"],
    ),
    ("without a Pod network a Pod waits", a_pod(), facts(network_ready=False), []),
    ("unless it is on its node's", a_pod(hostNetwork=True), facts(network_ready=False), ["create sandbox"]),
    (
        "a container that ended for the first time is started at once",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=1)),
        ["start web#1"],
    ),
    (
        "what is added to a running Pod is started beside the others",
        a_pod(ephemeralContainers=[GUEST]),
        facts(a_sandbox(), a_container()),
        ["start guest#0"],
    ),
    (
        "but not before the container whose processes it is to see",
        a_pod(ephemeralContainers=[{**GUEST, "targetContainerName": "web"}]),
        facts(a_sandbox()),
        ["start web#0"],
    ),
    (
        "and never again, whatever the restart policy",
        a_pod(ephemeralContainers=[GUEST]),
        facts(a_sandbox(), a_container(), a_container("exited", name="guest", exit_code=1)),
        [],
    ),
    (
        "not even when it is gone altogether",
        a_pod(
            ephemeralContainers=[GUEST], status={"ephemeralContainerStatuses": [{"name": "guest", "containerID": "x"}]}
        ),
        facts(a_sandbox(), a_container()),
        [],
    ),
    (
        "the second time it has to wait",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=1, attempt=1)),
        [],
    ),
    (
        "until its time has come",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=1, attempt=1, finished_at=NOW - 10)),
        ["start web#2"],
    ),
    (
        "one that ran for ten minutes starts with a clean slate",
        a_pod(),
        facts(a_sandbox(), a_container("exited", exit_code=1, attempt=5, started_at=LONG_AGO)),
        ["start web#6"],
    ),
    (
        "Never means never, and the address is given back",
        a_pod(restartPolicy="Never"),
        facts(a_sandbox(), a_container("exited", exit_code=1)),
        ["remove s1"],
    ),
    (
        "OnFailure forgives success",
        a_pod(restartPolicy="OnFailure"),
        facts(a_sandbox(), a_container("exited")),
        ["remove s1"],
    ),
    (
        "OnFailure starts again after a failure",
        a_pod(restartPolicy="OnFailure"),
        facts(a_sandbox(), a_container("exited", exit_code=2)),
        ["start web#1"],
    ),
    (
        "of two containers the finished one rests while the other runs",
        a_pod({}, {"name": "b"}, restartPolicy="OnFailure"),
        facts(a_sandbox(), a_container("exited"), a_container(name="b")),
        [],
    ),
    (
        "a container made but never started is made anew",
        a_pod(),
        facts(a_sandbox(), a_container("created")),
        ["remove web-0"],
    ),
    (
        "containers of a dead sandbox are stopped before there is a new one",
        a_pod(),
        facts(a_sandbox(running=False), a_container()),
        ["stop web-0 SIGTERM 30"],
    ),
    (
        "then the dead one goes and a new one comes",
        a_pod(),
        facts(a_sandbox(running=False), a_container("exited", exit_code=137)),
        ["remove s1", "create sandbox"],
    ),
    (
        "in a new sandbox the container counts as restarted, without waiting",
        a_pod(),
        facts(a_sandbox("s2"), a_container("exited", exit_code=137, attempt=3)),
        ["start web#4"],
    ),
    (
        "three attempts are one too many to keep",
        a_pod(),
        facts(
            a_sandbox(),
            a_container("exited", exit_code=1),
            a_container("exited", exit_code=1, attempt=1),
            a_container(attempt=2),
        ),
        ["remove web-0"],
    ),
    (
        "a changed image restarts the container",
        a_pod({"image": "app:2"}),
        facts(a_sandbox(), a_container()),
        ["stop web-0 SIGTERM 30"],
    ),
    (
        "a container that its probes condemn is stopped with grace",
        a_pod(terminationGracePeriodSeconds=5),
        facts(a_sandbox(), a_container(), verdicts={"web-0": Verdict(condemned="it does not answer")}),
        ["stop web-0 SIGTERM 5"],
    ),
    (
        "a probe may have a grace of its own",
        a_pod({"livenessProbe": {"exec": {"command": ["x"]}, "terminationGracePeriodSeconds": 1}}),
        facts(a_sandbox(), a_container(), verdicts={"web-0": Verdict(condemned="it does not answer")}),
        ["stop web-0 SIGTERM 1"],
    ),
    (
        "while it has time left nobody insists",
        a_pod(),
        facts(a_sandbox(), a_container(), stopping={"web-0": NOW + 3}),
        [],
    ),
    (
        "when its time is up it is killed",
        a_pod(),
        facts(a_sandbox(), a_container(), stopping={"web-0": NOW - 1}),
        ["kill web-0"],
    ),
    (
        "a terminating Pod's container gets the grace that is left",
        a_pod(deleted=NOW + 12),
        facts(a_sandbox(), a_container()),
        ["stop web-0 SIGTERM 12"],
    ),
    (
        "an image's own stop signal is used",
        a_pod(deleted=NOW + 12),
        facts(a_sandbox(), a_container(stop_signal="SIGQUIT")),
        ["stop web-0 SIGQUIT 12"],
    ),
    (
        "no grace, no question",
        a_pod(deleted=NOW),
        facts(a_sandbox(), a_container()),
        ["kill web-0"],
    ),
    (
        "the network goes after the processes",
        a_pod(deleted=NOW + 12),
        facts(a_sandbox(), a_container("exited", exit_code=0)),
        ["remove web-0", "remove s1"],
    ),
    ("the object goes last", a_pod(deleted=NOW + 12), facts(), ["finish"]),
    (
        "a Pod deleted at once while it was being stopped is not waited for",
        a_pod(deleted=NOW),
        facts(a_sandbox(), a_container(), stopping={"web-0": NOW + 25}),
        ["kill web-0"],
    ),
    (
        "what belongs to no Pod any more is ended with upstream's least grace",
        None,
        facts(a_sandbox(), a_container()),
        ["stop web-0 SIGTERM 2"],
    ),
    ("and removed", None, facts(a_sandbox(), a_container("exited")), ["remove web-0", "remove s1"]),
    ("until nothing is left of it", None, facts(), []),
    (
        "init containers come first, one at a time",
        a_pod(initContainers=[{"name": "i1", "image": "app:1"}, {"name": "i2", "image": "app:1"}]),
        facts(a_sandbox()),
        ["start i1#0"],
    ),
    (
        "the next when the one before succeeded",
        a_pod(initContainers=[{"name": "i1", "image": "app:1"}, {"name": "i2", "image": "app:1"}]),
        facts(a_sandbox(), a_container("exited", name="i1")),
        ["start i2#0"],
    ),
    (
        "then the Pod's own",
        a_pod(initContainers=[{"name": "i1", "image": "app:1"}]),
        facts(a_sandbox(), a_container("exited", name="i1")),
        ["start web#0"],
    ),
    (
        "a restarted container does not run them again",
        a_pod(initContainers=[{"name": "i1", "image": "app:1"}]),
        facts(a_sandbox(), a_container("exited", exit_code=1)),
        ["start web#1"],
    ),
    (
        "a new sandbox does",
        a_pod(initContainers=[{"name": "i1", "image": "app:1"}]),
        facts(a_sandbox("s2"), a_container("exited", name="i1"), a_container("exited", exit_code=1)),
        ["start i1#1"],
    ),
    (
        "a failed init container of a Pod that restarts nothing ends the Pod",
        a_pod(initContainers=[{"name": "i1", "image": "app:1"}], restartPolicy="Never"),
        facts(a_sandbox(), a_container("exited", name="i1", exit_code=1)),
        ["remove s1"],
    ),
    (
        "a refused container is left alone for a while",
        a_pod(),
        facts(
            a_sandbox(),
            refusals={"web": Refusal(reason="ErrImagePull", message="no", at=NOW - 5, retry_at=NOW + 5)},
        ),
        [],
    ),
    (
        "a Pod that is over for good is never started again",
        a_pod(status={"phase": "Succeeded"}),
        facts(),
        [],
    ),
    (
        "a container that vanished counts as restarted",
        a_pod(
            status={
                "containerStatuses": [
                    {
                        "name": "web",
                        "containerID": "docker://x",
                        "restartCount": 2,
                        "image": "a",
                        "imageID": "",
                        "ready": True,
                    }
                ]
            }
        ),
        facts(a_sandbox()),
        ["start web#3"],
    ),
    (
        "a Pod past its deadline is stopped",
        a_pod(activeDeadlineSeconds=10, status={"startTime": "1970-01-01T00:00:00Z"}),
        facts(a_sandbox(), a_container()),
        ["stop web-0 SIGTERM 30"],
    ),
]


@pytest.mark.parametrize(("pod", "world", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_world_and_plan(pod, world, expected):
    assert lines(plan(pod, world)) == expected


def test_every_action_says_why():
    for _, pod, world, _ in TABLE:
        assert all(action.because for action in plan(pod, world).actions)


def test_waiting_ends_when_something_is_due():
    waits = plan(a_pod(), facts(a_sandbox(), a_container("exited", exit_code=1, attempt=1, finished_at=NOW - 4)))
    assert waits.look_again == pytest.approx(6)


def test_a_deadline_is_looked_at_again_in_time():
    pod = a_pod(activeDeadlineSeconds=100, status={"startTime": "1970-01-12T13:46:00Z"})  # 40 s before NOW
    assert plan(pod, facts(a_sandbox(), a_container())).look_again == pytest.approx(60)


# --- Properties ---

NAMES = ("web", "b")


@st.composite
def worlds(draw):
    """Any Pod with any leftovers of it: dead sandboxes, attempts in whatever state."""
    policy = draw(st.sampled_from(["Always", "OnFailure", "Never"]))
    inits = [{"name": "i1", "image": "app:1"}] if draw(st.booleans()) else []
    pod = a_pod(
        *({"name": n} for n in NAMES),
        restartPolicy=policy,
        initContainers=inits,
        deleted=draw(st.sampled_from([0.0, NOW, NOW + 9])),
    )
    boxes = [
        a_sandbox(f"s{i}", running=draw(st.booleans()), created_at=NOW - i, connected=draw(st.booleans()))
        for i in range(draw(st.integers(0, 2)))
    ]
    containers = []
    for name in [*NAMES, *(["i1"] if inits else [])]:
        for attempt in range(draw(st.integers(0, 3))):
            state = draw(st.sampled_from(["running", "exited", "created"]))
            containers.append(
                a_container(
                    state,
                    name=name,
                    attempt=attempt,
                    sandbox=draw(st.sampled_from(["s0", "s1", "gone"])),
                    exit_code=draw(st.sampled_from([0, 1])),
                    finished_at=NOW - draw(st.integers(0, 400)),
                )
            )
    kept = draw(st.sampled_from(["wanted", "gone"]))
    return (pod if kept == "wanted" else None), facts(*boxes, *containers)


def converge(pod, world: Facts, rounds: int = 40):
    for _ in range(rounds):
        steps = plan(pod, world).actions
        if not steps:
            return pod, world
        for action in steps:
            pod, world = obey(pod, world, action)
    raise AssertionError(f"still busy: {lines(plan(pod, world))}")


def later(world: Facts) -> Facts:
    """Long enough for every back-off to have passed; init containers that run have done their work."""
    return Facts(now=world.now + 1000, seen=world.seen, node_addresses=world.node_addresses)


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_doing_what_the_plan_says_leaves_an_empty_plan(world):
    pod, left = converge(*world)
    assert plan(pod, left).actions == ()


@given(worlds(), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_an_agent_that_dies_halfway_is_carried_on_by_the_next(world, done):
    pod, facts_ = world
    for action in plan(pod, facts_).actions[:done]:
        pod, facts_ = obey(pod, facts_, action)
    converge(pod, facts_)


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_the_order_of_listing_does_not_matter(world):
    pod, one = world
    other = Facts(
        now=one.now,
        node_addresses=one.node_addresses,
        seen=Seen(sandboxes=one.seen.sandboxes[::-1], containers=one.seen.containers[::-1]),
    )
    assert lines(plan(pod, one)) == lines(plan(pod, other))


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_nothing_is_started_for_a_pod_that_is_leaving(world):
    pod, facts_ = world
    if pod is None or pod.metadata.deletionTimestamp:
        steps = " ".join(lines(plan(pod, facts_)))
        assert "start" not in steps and "create" not in steps


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_no_network_is_taken_away_under_a_running_process(world):
    pod, facts_ = world
    for action in plan(pod, facts_).actions:
        if lines(plan(pod, facts_)) and "Sandbox" in type(action).__name__ and hasattr(action, "sandbox"):
            running = [c for c in facts_.seen.containers if c.running and c.sandbox == action.sandbox]
            assert type(action).__name__ == "ConnectSandbox" or not running


@given(worlds())
@settings(max_examples=60, deadline=None)
def test_at_most_one_attempt_of_a_container_runs(world):
    pod, left = converge(*world)
    pod, left = converge(pod, later(left))
    for name in NAMES:
        assert sum(c.running for c in left.seen.attempts(name)) <= 1
