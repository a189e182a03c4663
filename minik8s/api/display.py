"""Small texts that people read of objects, wherever they read them: tables of the server, `describe` of the command.

Pure. What is there for a list that is empty, and how a long one is cut short, are the same everywhere.
"""

from collections.abc import Sequence

from minik8s.api.core import Node
from minik8s.api.networking import Ingress

NONE = "<none>"
ROLE_PREFIX = "node-role.kubernetes.io/"
OLD_ROLE = "kubernetes.io/role"


def some(values: Sequence[str], separator: str = ",") -> str:
    return separator.join(values) if values else NONE


def first_few(values: Sequence[str], shown: int = 3) -> str:
    """The first few, and how many more there are."""
    if len(values) <= shown:
        return some(values)
    return ",".join(values[:shown]) + f" + {len(values) - shown} more..."


def roles(node: Node) -> list[str]:
    """`control-plane` and the like, from a Node's labels."""
    labels = node.metadata.labels
    found = {label.removeprefix(ROLE_PREFIX) for label in labels if label.startswith(ROLE_PREFIX)}
    return sorted(filter(None, found | {labels.get(OLD_ROLE, "")}))


def ingress_addresses(ingress: Ingress) -> str:
    """Where an Ingress is reached; empty while nobody serves it."""
    return ",".join(sorted({each.ip or each.hostname for each in ingress.status.loadBalancer.ingress}))
