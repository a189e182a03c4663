"""What lab 4 checks: the learner's `decide` on small worlds, then the learner's program in the cluster."""

import importlib.util
import threading
from collections.abc import Callable

from minik8s.api.core import Pod, Service, ServiceSpec
from minik8s.api.discovery import MANAGED_BY, Endpoint, EndpointSlice
from minik8s.api.meta import Condition, ObjectMeta
from minik8s.api.pods import PodStatus
from minik8s.cli.labsteps import Seen, Step, either, no, yes
from minik8s.cli.labworld import WHY, World
from minik8s.cluster import state
from minik8s.controllers.endpoints.plan import MANAGER

SHOW = "minik8s lab check"
SETTLE_S = 3.0
LOOK_S = 0.1
_pause = threading.Event().wait


def again(world: World) -> None:
    """What the cluster's own controller wrote while it was back is not the learner's."""
    for each in world.all(EndpointSlice, f"{MANAGED_BY}={MANAGER}"):
        world.client.delete(EndpointSlice, each.metadata.name, world.namespace, why=WHY)


def pod(name: str, address: str, *, app: str = "back", ready: bool = True, going: bool = False) -> Pod:
    made = Pod(metadata=ObjectMeta(name=name, namespace="lab-04", labels={"app": app, "pod": name}))
    made.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" if going else None
    conditions = [Condition(type="Ready", status="True" if ready else "False")]
    made.status = PodStatus(phase="Running" if address else "Pending", podIP=address, conditions=conditions)
    return made


def decided(world: World, pods: list[Pod]) -> list[Endpoint]:
    """What the learner's decide() says of this world."""
    spec = importlib.util.spec_from_file_location("endpoints_of_the_learner", world.folder / world.lab.program)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    service = Service(metadata=ObjectMeta(name="back", namespace="lab-04"), spec=ServiceSpec(selector={"app": "back"}))
    return list(module.decide(service, pods))


def on(pods: list[Pod], ready: list[str]) -> Callable[[World], Seen]:
    """decide() on these Pods: exactly these addresses get new connections."""

    def look(world: World) -> Seen:
        try:
            found = decided(world, pods)
            addresses = sorted(a for each in found if each.conditions.ready is not False for a in each.addresses)
        except Exception as error:  # it is the learner's program: whatever it raises is what was seen
            return no(f"decide() raised {type(error).__name__}: {error}")
        return either(addresses == ready, f"ready: {', '.join(addresses) or 'none'}")

    return look


def settled(world: World, wanted: Callable[[], list[str]], seconds: float = SETTLE_S) -> tuple[bool, list[str]]:
    """Wait a while until the slices have just these ready addresses."""
    found: list[str] = []
    for _ in range(int(seconds / LOOK_S)):
        found = world.endpoints("back")["ready"]
        if found == wanted():
            return True, found
        _pause(LOOK_S)
    return False, found


def addresses(world: World, *names: str) -> list[str]:
    return sorted(f"{world.get(Pod, name).status.podIP}:8080" for name in names)


def trouble(world: World) -> str:
    record = state.read(state.paths(world.cluster))
    if record and not set(world.lab.without) <= set(record.without):
        return "the cluster's own controller runs; `minik8s lab start 4` takes it out"
    words = world.program.trouble() if world.program else "it does not run"
    return words and f"endpoints.py: {words}"


def live(world: World) -> Seen:
    if words := trouble(world):
        return no(words)
    good, found = settled(world, lambda: addresses(world, "back-1", "back-2"))
    if not good:
        return no(f"ready: {', '.join(found) or 'none'}")
    said = world.ask(world.get(Pod, "caller"), "http://back").json
    return yes(f"{said['pod']} answered http://back") if said else no("http://back does not answer")


def leaves(world: World) -> Seen:
    if words := trouble(world):
        return no(words)
    if not settled(world, lambda: addresses(world, "back-1", "back-2"), 0.5)[0]:
        return no("back-1 and back-2 are not both behind `back`")
    one = world.get(Pod, "back-1")
    world.exec(one, "curl", "-s", "-X", "POST", "http://localhost:8080/ready?on=0")
    left, found = settled(world, lambda: addresses(world, "back-2"))
    world.exec(one, "curl", "-s", "-X", "POST", "http://localhost:8080/ready?on=1")
    back, _ = settled(world, lambda: addresses(world, "back-1", "back-2"))
    if left and back:
        return yes("back-1 left, and came back")
    return no(
        f"back-1 was not ready, and the ready endpoints were {', '.join(found)}" if back else "back-1 did not return"
    )


ONE, TWO = pod("back-1", "10.244.1.2"), pod("back-2", "10.244.2.2")
OTHER = pod("caller", "10.244.1.3", app="caller")
HINT_FIELDS = "A Pod has metadata.labels, metadata.deletionTimestamp, status.podIP. A Service has spec.selector."

STEPS = [
    Step(
        name="Pods that the selector matches are endpoints, others are not",
        expected="ready: 10.244.1.2, 10.244.2.2",
        look=on([ONE, OTHER, TWO], ["10.244.1.2", "10.244.2.2"]),
        show=SHOW,
        hints=(
            HINT_FIELDS,
            "from minik8s.api.selectors import matches; matches(service.spec.selector, pod.metadata.labels)",
            "return [Endpoint(addresses=[pod.status.podIP]) for pod in pods if matches(...)]",
        ),
        why="A Service and its Pods know nothing of each other. Only labels bring them together.",
        read=("minik8s/api/selectors.py", "minik8s/controllers/endpoints/addresses.py"),
    ),
    Step(
        name="A Pod that is not ready gets no requests",
        expected="ready: 10.244.1.2",
        look=on([ONE, pod("back-2", "10.244.2.2", ready=False)], ["10.244.1.2"]),
        show=SHOW,
        hints=(
            "An Endpoint has conditions. EndpointConditions(ready=False) keeps it in the list, without requests.",
            "from minik8s.api.pods import is_ready; is_ready(pod) is true or false.",
        ),
        why="The endpoint stays in the slice with ready: false. So everybody sees that the Pod is there, and that "
        "it gets no new connections.",
        read=("minik8s/api/pods.py",),
    ),
    Step(
        name="A Pod that is going away gets no requests",
        expected="ready: 10.244.1.2",
        look=on([ONE, pod("back-2", "10.244.2.2", going=True)], ["10.244.1.2"]),
        show=SHOW,
        hints=(
            "A Pod that was deleted is there until its process has ended. It may still be Ready.",
            "Its metadata.deletionTimestamp is set. ready=is_ready(pod) and not pod.metadata.deletionTimestamp",
        ),
        why="The Pod still answers, so open connections end in peace. But nobody new is sent there.",
        read=("minik8s/controllers/endpoints/addresses.py",),
    ),
    Step(
        name="A Pod without an address is no endpoint",
        expected="ready: 10.244.1.2",
        look=on([ONE, pod("back-2", "")], ["10.244.1.2"]),
        show=SHOW,
        hints=(HINT_FIELDS, "A Pod that was just made has an empty status.podIP. Leave it out."),
        why="A Pod is bound to a node first, and gets its address later.",
    ),
    Step(
        name="The cluster runs on your program",
        expected="back-1 and back-2 are ready endpoints, and http://back answers",
        look=live,
        show="minik8s get endpointslices -n lab-04",
        hints=(
            "Do the steps above first. `lab watch` and `lab check` run endpoints.py for you.",
            "endpoints.log has what your program said.",
        ),
        why="You wrote a slice named back-mine, with the label kubernetes.io/service-name. The proxy of each node "
        "saw it and wrote its rules. Nobody asked who wrote the slice.",
        read=("minik8s/proxy/endpoints.py",),
    ),
    Step(
        name="A Pod that becomes unready leaves, and comes back",
        expected="back-1 leaves the ready endpoints and returns",
        look=leaves,
        show="minik8s get endpointslices -n lab-04 -w",
        hints=("This needs no new line: the loop calls decide() at each change. Do the steps above first.",),
        why="decide() is not told what changed. It is given the world as it is, and says what should be. So it is "
        "right also after it was dead for an hour.",
        read=("minik8s/client/loop.py",),
    ),
]
