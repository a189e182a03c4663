"""Rows of Nodes, Namespaces, Events, Leases, and of what Pods are given. Pure."""

from minik8s.api.coordination import Lease
from minik8s.api.core import ConfigMap, Event, Namespace, Node, Secret, ServiceAccount
from minik8s.api.display import NONE, roles, some
from minik8s.api.durations import since
from minik8s.api.meta import Object
from minik8s.api.pods import condition
from minik8s.apiserver.tables.columns import AGE, NAME, Cells, Column, Table, age, text, wide

UNKNOWN = "<unknown>"


def _node(node: Node, now: float) -> Cells:
    info = node.status.nodeInfo
    addresses = {each.type: each.address for each in reversed(node.status.addresses)}  # of each type the first counts
    return [
        node.metadata.name,
        node_status(node),
        some(roles(node)),
        age(node, now),
        info.kubeletVersion if info else "",
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        (info.osImage if info else "") or UNKNOWN,
        (info.kernelVersion if info else "") or UNKNOWN,
        (info.containerRuntimeVersion if info else "") or UNKNOWN,
    ]


def node_status(node: Node) -> str:
    ready = condition(node.status.conditions, "Ready")
    word = "Unknown" if ready is None else "Ready" if ready.status == "True" else "NotReady"
    return word + (",SchedulingDisabled" if node.spec.unschedulable else "")


def _event(event: Event, now: float) -> Cells:
    about, series = event.involvedObject, event.series
    first = event.firstTimestamp or event.eventTime
    last = series.lastObservedTime if series else event.lastTimestamp or first
    source = [event.source.component or event.reportingComponent, event.source.host or event.reportingInstance]
    return [
        since(last, now),
        event.type,
        event.reason,
        "/".join(filter(None, (about.kind.lower(), about.name))),
        about.fieldPath,
        ", ".join(filter(None, source)),
        event.message.strip(),
        since(first, now),
        series.count if series else event.count or 1,
        event.metadata.name,
    ]


def _namespace(namespace: Namespace, now: float) -> Cells:
    return [namespace.metadata.name, namespace.status.phase, age(namespace, now)]


def _configmap(configmap: ConfigMap, now: float) -> Cells:
    return [configmap.metadata.name, len(configmap.data) + len(configmap.binaryData), age(configmap, now)]


def _secret(secret: Secret, now: float) -> Cells:
    return [secret.metadata.name, secret.type, len(secret.data), age(secret, now)]


def _account(account: ServiceAccount, now: float) -> Cells:
    return [account.metadata.name, len(account.secrets), age(account, now)]


def _lease(lease: Lease, now: float) -> Cells:
    return [lease.metadata.name, lease.spec.holderIdentity or "", age(lease, now)]


TABLES: dict[type[Object], Table] = {
    Node: Table(
        (
            NAME,
            text("Status", "Whether the node is ready, and whether new Pods may come."),
            text("Roles", "What the node is for, from its labels."),
            AGE,
            text("Version", "Which version of Kubernetes its agent speaks."),
            wide("Internal-IP", "The node's address inside the cluster."),
            wide("External-IP", "The node's address for the world outside."),
            wide("OS-Image", "The node's system."),
            wide("Kernel-Version", "The node's kernel."),
            wide("Container-Runtime", "What runs the node's containers."),
        ),
        _node,
    ),
    Event: Table(
        (
            text("Last Seen", "How long ago it happened the last time."),
            text("Type", "Normal, or Warning."),
            text("Reason", "What happened, in one word."),
            text("Object", "To which object it happened."),
            wide("Subobject", "To which part of the object."),
            wide("Source", "Who tells it."),
            text("Message", "What happened, in a sentence."),
            wide("First Seen", "How long ago it happened the first time."),
            wide("Count", "How often it happened."),
            Column("Name", "string", "name", NAME.description, 1),
        ),
        _event,
    ),
    Namespace: Table((NAME, text("Status", "Active, or Terminating."), AGE), _namespace),
    ConfigMap: Table((NAME, text("Data", "How many keys there are."), AGE), _configmap),
    Secret: Table((NAME, text("Type", "What it is for."), text("Data", "How many keys there are."), AGE), _secret),
    ServiceAccount: Table((NAME, text("Secrets", "How many Secrets belong to it."), AGE), _account),
    Lease: Table((NAME, text("Holder", "Who has it."), AGE), _lease),
}
