"""The story that `minik8s demo` tells: seven steps, as data.

Each step has words, commands that a learner can type, and what is measured. Words in braces are filled in with what
was found: `{pod}` by `Choose`, `{node}` and `{address}` are that Pod's. What must hold: every command is one that the
command line really has, and no line is wider than 80 columns (tests/unit/cli/test_demo_story.py).

Read next: demo.py, which tells it.
"""

from dataclasses import dataclass

from minik8s import params

RATE = 50  # requests a second while something is broken
WIDTH = 80


@dataclass(frozen=True)
class Say:
    """Words. A line that begins with a blank is left as it is."""

    text: str


@dataclass(frozen=True)
class Run:
    """A command; with & at its end it goes on beside the others until `Join`."""

    command: str


@dataclass(frozen=True)
class Join:
    """`wait`: all commands in the background have ended, and what they said is shown."""


@dataclass(frozen=True)
class Choose:
    """Pick a ready Pod behind a Service, one that is not on the client's node if there is one."""

    service: str


@dataclass(frozen=True)
class Gone:
    """Wait until the chosen Pod is gone, and say how long that took since the last command."""


@dataclass(frozen=True)
class Measure:
    """How long the chosen Pod's address stayed in each node's rules, and what that cost."""

    since: str  # what the time runs from: "died" or "deleted" (the cause in the history), or a command, "node cut"
    kubernetes: str  # what Kubernetes does by default
    here: str  # and what is done here


Item = Say | Run | Join | Choose | Gone | Measure


@dataclass(frozen=True)
class Step:
    title: str
    items: tuple[Item, ...]
    before: tuple[Item, ...] = ()  # what earlier steps would have left, when this one is told alone


FAST, UPSTREAM = params.PROFILES["fast"], params.PROFILES["kubernetes"]
WEB = (Run("minik8s apply -f labs/examples/demo.yaml"), Run("minik8s rollout status deploy/web"))
AGAIN_TWO = (
    Run("minik8s scale deploy/web --replicas 2"),
    Run("minik8s rollout status deploy/web"),
    Choose("web"),
)


def _traffic(seconds: int, rate: int = RATE) -> tuple[Item, ...]:
    """Steady requests in the background, well under way before anything else happens."""
    return (
        Run(f"minik8s traffic svc/web --rate {rate} --seconds {seconds} --from pod/client &"),
        Run("sleep 2"),
    )


# --- The steps --------------------------------------------------------------------------------------------------------

WHY = Step(
    "Why a Service?",
    (
        Say(
            "Every Pod has an address of its own. But a Pod does not live for ever. "
            "We start two Pods, and a third one that calls them."
        ),
        Run("minik8s apply -f labs/examples/demo-back.yaml"),
        Run("minik8s rollout status deploy/back"),
        Choose("back"),
        Say("Two clients start now. One knows the address {address}. The other knows the name `back`."),
        Run("minik8s traffic pod/{pod} --seconds 8 --from pod/caller &"),
        Run("minik8s traffic svc/back --seconds 8 --from pod/caller &"),
        Run("sleep 2"),
        Say("Now that Pod is deleted. A new one takes its place, with a new address."),
        Run("minik8s delete pod {pod}"),
        Join(),
        Say("The address leads nowhere now. The name still works: that is what a Service is for."),
        Run("minik8s delete -f labs/examples/demo-back.yaml --no-wait"),
    ),
)

APPLY = Step(
    "From `apply` to the first answer",
    (
        Say("A Service of type NodePort, a Deployment of two Pods, and a client."),
        *WEB,
        Say(
            "Who did what, and because of what? Each time below was taken by the process that did the work. "
            "@12 is a revision: the number of a write in etcd."
        ),
        Run("minik8s history svc/web"),
        Say(
            "Read it from the top. The API server stored the objects. A controller made Pods, the scheduler chose "
            "nodes, agents started containers. A Pod that is ready becomes an endpoint. Then each node's proxy "
            "writes its rules."
        ),
    ),
)

FOUND = Step(
    "How a Service is found",
    (
        Run("minik8s get service web"),
        Say("First way: environment variables. A container gets them when it starts, and only then."),
        Run("minik8s exec client -- sh -c 'env | grep ^WEB_SERVICE'"),
        Say("Second way: the name. DNS answers with the ClusterIP, not with a Pod."),
        Run("minik8s exec client -- nslookup web.default.svc.cluster.local"),
        Run("minik8s exec client -- sh -c 'curl -s http://web | cut -d, -f1,2'"),
        Say("Third way: from outside, by the node port. Every node takes it, also one without such a Pod."),
        Run("minik8s outside curl -s -o /dev/null -w '%{{http_code}}\\n' 192.168.56.11:30080"),
        Run("minik8s outside curl -s -o /dev/null -w '%{{http_code}}\\n' 192.168.56.12:30080"),
        Run("minik8s outside curl -s -o /dev/null -w '%{{http_code}}\\n' 192.168.56.13:30080"),
        Say("Which Pod answers? Thirty requests, each on a new connection:"),
        Run("minik8s traffic svc/web --rate 30 --count 30 --from pod/client"),
        Say(
            "The two numbers are rarely equal, and that is normal. The rules choose at random for each connection. "
            "Nobody takes turns."
        ),
    ),
    before=WEB,
)

SCALE = Step(
    "More Pods, fewer Pods, the same name",
    (
        Say("From two Pods to five, then to one. The client goes on all the time."),
        *_traffic(14, 20),
        Run("minik8s scale deploy/web --replicas 5"),
        Run("minik8s rollout status deploy/web"),
        Run("sleep 2"),
        Run("minik8s scale deploy/web --replicas 1"),
        Join(),
        Say(
            "A Pod that is told to end leaves the endpoints first. This program serves for two seconds more, "
            "so that no request meets a closed door. Many programs do not, and lose some."
        ),
    ),
    before=WEB,
)

DEATH = Step(
    "A process dies",
    (
        *AGAIN_TWO,
        Say("We kill the main process of Pod {pod} on {node}. Its address is {address}."),
        *_traffic(6),
        Run("minik8s kill pod/{pod}"),
        Join(),
        Run("minik8s get pod {pod}"),
        Say("It is the same Pod with the same address, and one more restart."),
        Say(
            "Reset means: the Pod was answering when it died. Refused means: the request came after that, but before "
            "the rules had changed."
        ),
        Measure(
            "died",
            kubernetes="the kubelet looks at its containers once a second, so up to 1 s more",
            here="Docker tells the agent at once",
        ),
        Say("The whole chain: minik8s history svc/web --last 1"),
    ),
    before=WEB,
)

DELETE = Step(
    "A Pod is deleted",
    (
        *AGAIN_TWO,
        Say("Deleting is not dying. The Pod leaves the rules while it still answers."),
        *_traffic(7),
        Run("minik8s delete pod {pod}"),
        Join(),
        Run("minik8s get pods -l app=web"),
        Say("This is a new Pod: another name, another address. The ReplicaSet made it."),
        Measure(
            "deleted",
            kubernetes="the same; 30 s to end (terminationGracePeriodSeconds)",
            here="the same; these Pods have 5 s to end",
        ),
    ),
    before=WEB,
)

CUT = Step(
    "A node is cut off",
    (
        *AGAIN_TWO,
        Say("We pull the cable of {node}. Its Pod {pod} goes on, but nobody hears of it."),
        *_traffic(16),
        Run("minik8s node cut {node}"),
        Join(),
        Run("minik8s get nodes"),
        Run("minik8s get pods -l app=web"),
        Say(
            "A node that is silent is not known to be dead. So the old Pod is only Terminating: nobody can tell "
            "whether it still runs. A new one stands elsewhere."
        ),
        Measure(
            "node cut",
            kubernetes=f"silent for {UPSTREAM.node_monitor_grace_period:.0f} s: out of the rules; "
            f"{UPSTREAM.default_toleration_seconds:.0f} s later: replaced",
            here=f"silent for {FAST.node_monitor_grace_period:.0f} s, then {FAST.default_toleration_seconds:.0f} s "
            "(profile `fast`)",
        ),
        Say("Now the cable is back. The node hears that its Pod is to go."),
        Run("minik8s node heal {node}"),
        Gone(),
        Run("minik8s get pods -l app=web"),
    ),
    before=WEB,
)

STEPS = (WHY, APPLY, FOUND, SCALE, DEATH, DELETE, CUT)

OPENING = "This is Kubernetes' own path of a request, small enough to watch. Three nodes start on this machine."
CLOSING = "What all this took of your memory, process by process:"
