"""Small worlds for the tests of explain/: audit lines and journal entries as the boxes write them, at readable times.

One Service `web` of two Pods on two nodes, seen through its life. Times are seconds after T0; revisions are numbers
one can recognise: 1x objects of the manifest, 2x Pods, 3x slices, and so on.
"""

import json

from minik8s.explain import facts

T0 = 1_800_000_000.0
WEB, SLICE = "services/default/web", "endpointslices/default/web-s"
A, B, C = "pods/default/web-rs-a", "pods/default/web-rs-b", "pods/default/web-rs-c"
APPLY = "minik8s apply -f web.yaml"
AGENTS = {"cli": ("minik8s-cli", "kubernetes-admin"), "kubectl": ("kubectl/v1.33.0 (linux)", "kubernetes-admin")}


def write(at, revision, who, verb, what, because="", seen="", code=200):  # noqa: PLR0913 (a line of a table)
    """An audit line. `what` is `pods/default/a:status`, `seen` is refs with blanks between."""
    agent, user = AGENTS.get(who, (f"minik8s-{who}", f"system:{who}"))
    path, _, subresource = what.partition(":")
    resource, *names = path.split("/")
    namespace, name = names if len(names) == 2 else ("", names[0])
    line = {
        "revision": revision,
        "wall": T0 + at,
        "verb": verb,
        "user": user,
        "agent": agent,
        "resource": resource,
        "namespace": namespace,
        "name": name,
        "subresource": subresource,
        "because": because,
        "from": seen.split(),
        "code": code,
    }
    return "audit", line


def deed(when, who, stage, seen="", because="", **data):
    """A journal entry."""
    component, _, node = who.partition("@")
    refs = [ref.partition("@") for ref in seen.split()]
    entry = {
        "wall": T0 + when,
        "monotonic": when,
        "node": node,
        "component": component,
        "stage": stage,
        "because": because,
        "objects": [name for name, _, _ in refs],
        "revisions": [revision for _, _, revision in refs],
        "data": data,
    }
    return "journal", entry


def known(*lines):
    """The facts of a world, in order."""
    found = []
    for source, line in lines:
        read = facts.from_audit if source == "audit" else facts.from_journal
        found += read([json.dumps(line).encode()])
    return facts.in_order(found)


def rules(at, node, revision, added=(), removed=(), because=""):  # noqa: PLR0913 (a line of a table)
    """A change of rules for one Service."""
    return deed(
        at,
        f"proxy@{node}",
        "rules",
        f"{SLICE}@{revision} {WEB}@11",
        because or "its endpoints changed",
        added=[f"default/web:http {each}" for each in added],
        removed=[f"default/web:http {each}" for each in removed],
        services=["default/web"],
    )


def pod(name, number, node, at):
    """A Pod's way from its ReplicaSet to being ready: revisions number, number+1, …"""
    made, bound, told, ready = number, number + 1, number + 2, number + 3
    agent = f"agent@{node}"
    return (
        write(at, made, "controllers", "create", name, "replica missing", "replicasets/default/web-rs@12"),
        write(at + 0.01, bound, "scheduler", "create", f"{name}:binding", "fits", f"{name}@{made} nodes/{node}@3"),
        write(at + 0.02, told, agent, "patch", f"{name}:status", "Pending; waiting", f"{name}@{bound}"),
        deed(at + 0.30, agent, "sandbox", f"{name}@{told}", "no sandbox", address=f"10.244.{node[-1]}.2"),
        deed(at + 0.50, agent, "started", f"{name}@{told}", "never started", container="backend"),
        deed(at + 1.50, agent, "probe", f"{name}@{told}", "it is ready", container="backend", ready=True),
        write(at + 1.51, ready, agent, "patch", f"{name}:status", "Running; backend running, ready", f"{name}@{told}"),
    )


def slice_write(at, revision, because, *pods):
    seen = " ".join((*pods, f"{WEB}@11"))
    verb = "create" if revision == 30 else "patch"
    return write(at, revision, "controllers", verb, SLICE, because, seen)


# A manifest is applied; both Pods become ready; both nodes write their rules.
APPLIED = (
    write(0.00, 10, "cli", "create", "deployments/default/web", f"{APPLY}: web.yaml:1"),
    write(0.01, 11, "cli", "create", WEB, f"{APPLY}: web.yaml:20"),
    write(
        0.05, 12, "controllers", "create", "replicasets/default/web-rs", "no ReplicaSet", "deployments/default/web@10"
    ),
    slice_write(0.06, 30, "the Service has no slice"),
    deed(0.07, "dns@node-1", "names", f"{WEB}@11", "Service web appeared", name="web.default.svc.cluster.local"),
    *pod(A, 20, "node-1", 0.10),
    *pod(B, 24, "node-2", 0.11),
    slice_write(1.63, 31, "became ready", f"{A}@23", f"{B}@27"),
    rules(1.64, "node-1", 31, added=("10.244.1.2:8080", "10.244.2.2:8080")),
    rules(1.65, "node-2", 31, added=("10.244.1.2:8080", "10.244.2.2:8080")),
)

# A minute later the process of Pod a dies. Docker knows it 20 ms before the agent has heard of it.
DIED = (
    deed(60.02, "agent@node-1", "died", f"{A}@23", "exit code 137", container="backend", exit_code=137, at=T0 + 60.0),
    write(60.04, 40, "agent@node-1", "patch", f"{A}:status", "Running; backend ended with exit code 137", f"{A}@23"),
    slice_write(60.05, 41, "Pod default/web-rs-a became not ready", f"{A}@40"),
    rules(60.06, "node-1", 41, removed=("10.244.1.2:8080",)),
    rules(60.50, "node-2", 41, removed=("10.244.1.2:8080",)),
    deed(60.20, "agent@node-1", "started", f"{A}@40", "it ended", container="backend"),
)

# Two minutes later a Pod is deleted with kubectl, which gives no reason.
DELETED = (
    write(120.00, 50, "kubectl", "delete", B),
    slice_write(120.01, 51, "Pod default/web-rs-b is terminating", f"{B}@50"),
    write(120.02, 52, "controllers", "create", C, "replica missing", f"{B}@50 replicasets/default/web-rs@12"),
    rules(120.03, "node-1", 51, removed=("10.244.2.2:8080",)),
)

# Three minutes later node-2 falls silent.
LEASE = "leases/kube-node-lease/node-2"
SILENT = (
    write(180.00, 60, "agent@node-2", "patch", LEASE, "heartbeat"),
    write(
        184.00, 61, "controllers", "patch", "nodes/node-2:status", "Node node-2 was silent for 4.0 s", "nodes/node-2@3"
    ),
    write(
        184.01, 62, "controllers", "patch", f"{B}:status", "Node node-2 is not ready", "nodes/node-2@3 nodes/node-1@2"
    ),
    slice_write(184.02, 63, "Pod default/web-rs-b became not ready", f"{B}@62"),
    rules(184.03, "node-1", 63, removed=("10.244.2.2:8080",)),
    rules(199.00, "node-2", 63, removed=("10.244.2.2:8080",)),
)
