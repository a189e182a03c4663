"""What lab 2 checks: an address made by hand, with hairpin and two Pods, and the rules of a Service beside it."""

from minik8s.api.core import Pod, Service
from minik8s.cli.labsteps import Seen, Step, compare, either, no, yes
from minik8s.cli.labworld import World

NODE, TABLE, ADDRESS = "node-1", "lab02", "10.96.0.222"
ANSWERS = {
    "ping": ("no",),
    "passed-by": ("first",),
    "second-src": ("pod",),
    "hairpin-source": ("back-1",),
    "masqueraded-source": ("node",),
}
# One connection after another, until one fails; each answer is a line.
REPEAT = "for i in $(seq 16); do curl -s --max-time 1 http://{address} || exit; done"


def clean(world: World) -> None:
    """The learner's table stands beside Kubernetes' objects: it does not go with the namespace."""
    world.on(NODE, "nft", "delete", "table", "ip", TABLE)


def answered(world: World, pod: str, address: str) -> list[str]:
    """Who answered sixteen requests of a Pod, as far as they were answered."""
    said = world.exec(world.get(Pod, pod), "sh", "-c", REPEAT.format(address=address))
    return [line.split('"')[3] for line in said.out.splitlines() if line.startswith('{"pod"')]


def counted(names: list[str]) -> str:
    return ", ".join(f"{name} answered {names.count(name)}" for name in sorted(set(names))) or "no answer"


def caller(world: World) -> Seen:
    said = world.ask(world.get(Pod, "caller"), f"http://{ADDRESS}").json
    return yes(f"{said['pod']} answered") if said else no(f"http://{ADDRESS} gives no answer")


def hairpin(world: World) -> Seen:
    names = answered(world, "back-1", ADDRESS)
    return either(len(names) == 16 and "back-1" in names, f"of 16 requests: {counted(names)}")


def both(world: World) -> Seen:
    names = answered(world, "caller", ADDRESS)
    return either(set(names) == {"back-1", "back-2"}, f"of 16 requests: {counted(names)}")


def by_service(world: World) -> Seen:
    address = world.get(Service, "back").spec.clusterIP
    rules = world.on(NODE, "nft", "list", "chain", "ip", "minik8s", "svc/lab-02/back/http").out
    missing = [pod.metadata.name for pod in world.pods("app=back") if f"{pod.status.podIP}:8080" not in rules]
    if missing:
        return no(f"{NODE} has no rule for {', '.join(missing)}")
    names = answered(world, "caller", address)
    return either(len(names) == 16, f"{address}: {counted(names)}")


STEPS = [
    Step(
        name="Your address answers the caller",
        expected=f"http://{ADDRESS} answers in the Pod caller",
        look=caller,
        show=f"minik8s exec caller -n lab-02 -- curl -s --max-time 2 http://{ADDRESS}",
        hints=(
            "Part 2: the rule has two halves: which packets, and what becomes of their destination.",
            f"Which packets: ip daddr {ADDRESS} tcp dport 80. What becomes of them: dnat to ADDRESS:PORT.",
            f"ip daddr {ADDRESS} tcp dport 80 dnat to $back1:8080. Then load the file: "
            "minik8s node exec node-1 -- nft -f clusterip.nft",
        ),
        why="No interface has this address. The kernel of node-1 rewrites the destination of the first packet, "
        "before it chooses a route. Connection tracking does it for all others, and puts it back in the answers.",
        read=("minik8s/proxy/README.md",),
    ),
    Step(
        name="back-1 reaches itself through your address",
        expected="16 of 16 requests of back-1 are answered, some of them by back-1",
        look=hairpin,
        show=f"minik8s exec back-1 -n lab-02 -- curl -s --max-time 2 http://{ADDRESS}",
        hints=(
            "The packet comes back to back-1 with the source address of back-1. What does a kernel do with that?",
            "The packet needs another source address, and only when a Pod reaches itself. Part 4 has the word.",
            "In postrouting: ip saddr $back1 ip daddr $back1 masquerade. The same for back2.",
        ),
        why="A packet from a Pod to itself would carry the Pod's own address as its source. The Pod's kernel drops "
        "such a packet when it comes from outside. Masquerade gives it the address of the node. This is called "
        "hairpin.",
        read=("minik8s/proxy/layout.py",),
    ),
    Step(
        name="Both Pods have their turn",
        expected="back-1 and back-2 have answered the caller",
        look=both,
        show=f"minik8s exec caller -n lab-02 -- curl -s --max-time 2 http://{ADDRESS}",
        hints=(
            "nft can throw dice: `numgen random mod 2` is 0 or 1. A map turns the number into an address.",
            "dnat to numgen random mod 2 map { 0 : $back1, 1 : $back2 } : 8080",
        ),
        why="The rule throws dice for each new connection. Nothing counts whose turn it is, so the shares are "
        "equal only in the long run.",
        read=("minik8s/proxy/plan.py",),
    ),
    Step(
        name="A Service does the same",
        expected="a Service `back`, and rules on node-1 for both Pods",
        look=by_service,
        show="minik8s rules svc/back -n lab-02",
        hints=("Part 6: minik8s apply -f service.yaml",),
        why="The proxy of each node reads the Service and its EndpointSlices. It writes what you wrote by hand, on "
        "every node, and again whenever a Pod comes or goes.",
        read=("minik8s/proxy/plan.py",),
    ),
    Step(
        name="Five answers are right",
        expected="an answer behind each colon of answers.txt",
        look=lambda world: compare(world.answers(), ANSWERS),
        show="cat answers.txt",
        hints=(
            "Part 3 shows what conntrack remembers. Part 4 shows who is seen as the caller.",
            "Your rule is for TCP port 80. A nat chain is asked once for each connection.",
        ),
        why="A ClusterIP is a rule, no address of a machine. That explains all five answers.",
        read=("minik8s/nft/walk.py",),
    ),
]
