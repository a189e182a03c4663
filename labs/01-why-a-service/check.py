"""What lab 1 checks: an address that died, a Service with its four parts, a front end that calls a name."""

from minik8s.api.apps import Deployment
from minik8s.api.core import Service
from minik8s.api.pods import is_ready
from minik8s.cli.labsteps import Seen, Step, compare, either, no, yes
from minik8s.cli.labworld import World

ANSWERS = {
    "replicas-are-in": ("deployment", "replicaset", "deployments", "replicasets"),
    "addresses-of-the-name": ("1", "one"),
    "six-each": ("no",),
    "chosen-by": ("rules",),
    "pod-name": ("10-244-2-7.lab-01.pod.cluster.local",),
    "listeners": ("0", "none", "no"),
    "variable": ("back_service_host",),
}


def moved(world: World) -> Seen:
    gone = [deed["name"] for deed in world.deeds("delete", "pods") if deed["name"].startswith("back-")]
    return yes(f"{gone[0]} was deleted") if gone else no("no Pod of the back end was deleted yet")


def service(world: World) -> Seen:
    world.get(Service, "back")
    wanted = sorted(f"{pod.status.podIP}:8080" for pod in world.pods("app=back") if is_ready(pod))
    found = world.endpoints("back")["ready"]
    text = ", ".join(found) or f"no endpoints; the ready Pods are {', '.join(wanted)}"
    return either(bool(wanted) and found == wanted, text)


def by_name(world: World) -> Seen:
    container = world.get(Deployment, "front").spec.template.spec.containers[0]
    backend = next((each.value for each in container.env if each.name == "BACKEND"), "")
    if backend not in ("http://back", "http://back:80", "http://back.lab-01"):
        return no(f"BACKEND is {backend}")
    said = world.ask(world.pod("app=front"), "http://localhost:8080", seconds=4).json
    if "answered" not in said:
        return no(f"BACKEND is {backend}; the front end says: {said.get('error', 'nothing')}")
    return yes(f"{said['asked']} answered as {said['answered']}")


def five(world: World) -> Seen:
    count = len(world.endpoints("back")["ready"])
    return either(count == 5, f"{count} ready endpoints")


def outside(world: World) -> Seen:
    if world.get(Service, "back-outside").spec.type != "NodePort":
        return no("the Service is not of type NodePort")
    said = world.outside("curl", "-s", "--max-time", "2", "http://192.168.56.13:30101").json
    return yes(f"{said['pod']} answered") if said else no("http://192.168.56.13:30101 does not answer")


STEPS = [
    Step(
        name="The back end moved, and its address died",
        expected="you deleted the Pod of the back end, and another one came",
        look=moved,
        show="minik8s get pods -n lab-01 -o wide",
        hints=(
            "Part 2 of the text: what happens to the address when the Pod goes?",
            "minik8s delete pod -n lab-01 -l app=back",
        ),
        why="A Pod is replaced, never moved. The new Pod has a new name and a new address. "
        "Whoever kept the old address talks to nobody.",
        read=("minik8s/controllers/replicasets/plan.py",),
        once=True,
    ),
    Step(
        name="The Service `back` has the back end's Pods behind it",
        expected="the address of each ready Pod with app=back, and port 8080",
        look=service,
        show="minik8s get endpointslices -n lab-01",
        hints=(
            "service.yaml has two gaps. `minik8s get pods -n lab-01 --show-labels` shows labels.",
            "The selector is a label of the Pods. targetPort is the containerPort of back.yaml, or its name.",
            "app: back, and targetPort: 8080. Then: minik8s apply -f service.yaml",
        ),
        why="The Service holds a selector, no list of Pods. The endpoints controller looks for Pods with these "
        "labels. It writes the addresses of the ready ones into an EndpointSlice, at every change.",
        read=("minik8s/controllers/endpoints/addresses.py", "minik8s/controllers/endpoints/plan.py"),
    ),
    Step(
        name="The front end calls the back end by its name",
        expected="BACKEND is http://back, and the back end answers",
        look=by_name,
        show="minik8s exec deploy/front -n lab-01 -- curl -s localhost:8080",
        hints=(
            "The front end reads BACKEND in front.yaml. Which part of the URL may stay the same for ever?",
            "BACKEND: http://back. Port 80 is the Service's port, so you need not write it. Apply front.yaml.",
        ),
        why="The name `back` leads to the ClusterIP, and the ClusterIP stays as long as the Service. "
        "Rules in the kernel of each node lead from there to a ready Pod.",
        read=("minik8s/dns/plan.py", "minik8s/proxy/plan.py"),
    ),
    Step(
        name="Five Pods answer to one name",
        expected="5 ready endpoints",
        look=five,
        show="minik8s get endpointslices -n lab-01",
        hints=(
            "The number of Pods is not in the Service. Which object has `replicas`?",
            "minik8s scale deployment/back -n lab-01 --replicas 5",
        ),
        why="The Deployment made four more Pods. They have the label, so they are behind the Service. "
        "No caller had to be told.",
        read=("minik8s/controllers/deployments/plan.py",),
    ),
    Step(
        name="A client outside reaches the same Pods",
        expected="http://192.168.56.13:30101 answers",
        look=outside,
        show="minik8s outside curl -s http://192.168.56.13:30101",
        hints=(
            "outside.yaml has one gap: the type. A ClusterIP means nothing outside of the cluster.",
            "type: NodePort. Then: minik8s apply -f outside.yaml",
        ),
        why="Every node has a rule for port 30101, also a node without such a Pod. "
        "No process listens on that port: the kernel rewrites the packet before it looks for one.",
        read=("minik8s/proxy/layout.py",),
    ),
    Step(
        name="Seven answers are right",
        expected="an answer behind each colon of answers.txt",
        look=lambda world: compare(world.answers(), ANSWERS),
        show="cat answers.txt",
        hints=(
            "Part 6 of the text tries each of these. The check names those that are not right yet.",
            "The name has one address, the ClusterIP. Rules choose at random. A Pod's name: "
            "dashes for dots, then its namespace, `pod` and `cluster.local`.",
        ),
        why="These are the points that many articles tell wrongly. You have seen each of them.",
        read=("minik8s/proxy/README.md", "minik8s/agent/environment.py"),
    ),
]
