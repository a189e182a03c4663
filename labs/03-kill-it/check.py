"""What lab 3 checks: what was killed since the lab was begun, that it is back, and what was learnt from it."""

import re

from minik8s.api import times
from minik8s.api.core import Node
from minik8s.cli.labsteps import Seen, Step, compare, no, yes
from minik8s.cli.labworld import World
from minik8s.cluster import fabric, registry, state

SECONDS = (0, 5, 50)  # what the table offers
WORDS = {
    "process": ("same",),
    "pod": ("new",),
    "proxy": ("yes",),
    "change": ("no",),
    "apiserver": ("yes",),
    "node": ("5",),
    "kubernetes": ("50",),
}


def clean(world: World) -> None:
    """Nothing stays dead, cut off or slow."""
    for name, _ in sorted(fabric.members(world.cluster).items()):
        if name.startswith("node-") and fabric.is_cut(world.cluster, name):
            fabric.heal(world.cluster, name)
    where = state.paths(world.cluster)
    down = [each.name for each in registry.read(where) if not each.wanted]
    if down:
        registry.ask(where, {"do": "start", "names": down})
    record = state.read(where)
    if record and record.profile != "fast":
        world.minik8s("up", "--profile", "fast")


def predicted(world: World) -> Seen:
    table = world.answers("table.txt")
    empty = [name for name in WORDS if not table.get(f"{name}-predicted")]
    if empty:
        return no(f"no prediction yet for {', '.join(empty)}")
    right = [name for name, words in WORDS.items() if nearest(table[f"{name}-predicted"]) in words]
    return yes(f"{len(right)} of {len(WORDS)} predictions were right")


def process(world: World) -> Seen:
    """The agent says how a container ended; one that was asked to end says nothing of a signal."""
    for each in world.deeds("patch", "pods"):
        if "ended with exit code 137" in each.get("because", "") and each["agent"].startswith("minik8s-agent"):
            return yes(f"a container of {each['name']} was killed, and the Pod stayed")
    return no("no container of these Pods was killed yet")


def pod(world: World) -> Seen:
    gone = [
        each["name"] for each in world.deeds("delete", "pods") if "cli" in each["agent"] or "kubectl" in each["agent"]
    ]
    return yes(f"{gone[0]} was deleted") if gone else no("you have deleted no Pod yet")


def proxy(world: World) -> Seen:
    nodes = [node for node in sorted(fabric.members(world.cluster)) if node.startswith("node-")]
    again = [node for node in nodes if world.restarted(f"proxy@{node}")]
    dead = [node for node in nodes if not world.process(f"proxy@{node}").pid]
    if dead and not again:
        return no(f"the proxy of {dead[0]} does not run: it is not started again yet")
    return yes(f"the proxy of {again[0]} was started again") if again else no("no proxy was killed and started again")


def apiserver(world: World) -> Seen:
    if not world.process("apiserver").pid:
        return no("it does not run: it is not started again yet")
    if world.restarted("apiserver"):
        return yes("it was started again")
    return no("the API server was not killed and started again")


def node(world: World) -> Seen:
    """Ready again is a transition, and there is none without a NotReady before."""
    for each in world.all(Node):
        for condition in each.status.conditions:
            when = times.parse(condition.lastTransitionTime) if condition.lastTransitionTime else 0.0
            if condition.type == "Ready" and when > world.began:
                if condition.status == "True":
                    return yes(f"{each.metadata.name} is Ready again")
                return no(f"{each.metadata.name} is not Ready: {condition.message}")
    return no("every node has been Ready all the time")


def learnt(world: World) -> Seen:
    table = {key: nearest(answer) for key, answer in world.answers("table.txt").items()}
    return compare(table, {f"{name}-seen": words for name, words in WORDS.items()})


def nearest(answer: str) -> str:
    """Who measured 52 s has seen 50."""
    number = re.match(r"\d+(\.\d+)?", answer)
    return str(min(SECONDS, key=lambda choice: abs(choice - float(number[0])))) if number else answer


STEPS = [
    Step(
        name="You predicted",
        expected="a word behind each -predicted of table.txt",
        look=predicted,
        show="cat table.txt",
        hints=("Open table.txt. There is no wrong prediction: write what you think, before you try.",),
        why="Who predicts first remembers better what is seen.",
    ),
    Step(
        name="A process died, and the Pod stayed",
        expected="a Pod of `web` whose process you killed",
        look=process,
        show="minik8s get pods -n lab-03",
        hints=("Part 2. `minik8s kill` takes pod/NAME.", "minik8s kill pod/NAME -n lab-03"),
        why="The agent of the node sees that the container ended. It starts it again in the same Pod, with the same "
        "address. The controllers have no part in it.",
        read=("minik8s/agent/restarts.py",),
        once=True,
    ),
    Step(
        name="A Pod went, and another one came",
        expected="a Pod of `web` that you deleted",
        look=pod,
        show="minik8s get pods -n lab-03",
        hints=("Part 3.", "minik8s delete pod NAME -n lab-03"),
        why="The Pod left the endpoints before its process ended, so no request met it. The ReplicaSet counted two "
        "of three, and made a new one.",
        read=("minik8s/controllers/replicasets/plan.py", "minik8s/controllers/endpoints/plan.py"),
        once=True,
    ),
    Step(
        name="A proxy died, and its rules went on",
        expected="a proxy that was killed and started again",
        look=proxy,
        show="minik8s status",
        hints=("Part 4.", "minik8s kill proxy@node-1, and later minik8s start proxy@node-1"),
        why="The rules are in the kernel. The proxy only writes them, so its death harms nobody until something "
        "changes. Then its node works with an old picture.",
        read=("minik8s/proxy/sync.py",),
        once=True,
    ),
    Step(
        name="The API server died, and the traffic went on",
        expected="an API server that was killed and started again",
        look=apiserver,
        show="minik8s status",
        hints=("Part 5.", "minik8s kill apiserver, and later minik8s start apiserver"),
        why="No request to a Service passes the API server. Without it nothing can change: no new Pod, no new "
        "endpoint, no command of yours.",
        read=("minik8s/client/informer.py",),
        once=True,
    ),
    Step(
        name="A node was cut off, and came back",
        expected="a node that was NotReady and is Ready again",
        look=node,
        show="minik8s get nodes",
        hints=(
            "Part 6. Wait until `minik8s get nodes` says NotReady before you heal it.",
            "minik8s node cut node-3, and later minik8s node heal node-3",
        ),
        why="A dead node cannot say that it is dead. Silence is all there is, and silence needs a time limit: "
        "node-monitor-grace-period. Until then, requests go to the dead node.",
        read=("minik8s/controllers/nodes/plan.py", "minik8s/params.py"),
        once=True,
    ),
    Step(
        name="You saw seven things",
        expected="the right one of the words in brackets behind each -seen of table.txt",
        look=learnt,
        show="cat table.txt",
        hints=(
            "The check names those that are not right yet. Do that part of the text again.",
            "4: a dead proxy notices nothing. 6 and 7: look for `window` in the history.",
        ),
        why="The closer someone is to the fault, the sooner it is noticed: the kernel at once, the agent in "
        "milliseconds, the controller of the nodes after its time limit.",
    ),
]
