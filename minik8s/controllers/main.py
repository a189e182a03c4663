"""The wiring of all controllers: one process, one leader Lease, one informer for each kind, one thread for each
controller.

`--controllers='*,-endpoints'` leaves one out; `--controllers=endpoints` runs that one alone;
`--controllers=system,loadbalancers` runs beside upstream's kube-controller-manager. Read `context.py` next.
"""

import os
import socket
from functools import partial

from minik8s.client.component import Component
from minik8s.client.lease import LeaderElector
from minik8s.controllers.clusterroles.main import build as clusterroles
from minik8s.controllers.context import Build, Context, run_all
from minik8s.controllers.daemonsets.main import build as daemonsets
from minik8s.controllers.deployments.main import build as deployments
from minik8s.controllers.disruption.main import build as disruption
from minik8s.controllers.endpoints.main import build as endpoints
from minik8s.controllers.garbage.main import build as garbage
from minik8s.controllers.garbage.main import build_pods as podgc
from minik8s.controllers.jobs.main import build as jobs
from minik8s.controllers.loadbalancers.main import build as loadbalancers
from minik8s.controllers.mirroring.main import build as mirroring
from minik8s.controllers.namespaces.main import build as namespaces
from minik8s.controllers.nodeipam.main import build as nodeipam
from minik8s.controllers.nodes.main import build as nodes
from minik8s.controllers.replicasets.main import build as replicasets
from minik8s.controllers.servicecidrs.main import build as servicecidrs
from minik8s.controllers.statefulsets.main import build as statefulsets
from minik8s.controllers.system.main import build as system

# In the order of the story; those that are content with metadata come last (see Context.metadata_informer).
CONTROLLERS: dict[str, Build] = {
    "deployments": deployments,
    "replicasets": replicasets,
    "statefulsets": statefulsets,
    "daemonsets": daemonsets,
    "jobs": jobs,
    "disruption": disruption,
    "endpoints": endpoints,
    "mirroring": mirroring,
    "loadbalancers": loadbalancers,
    "nodes": nodes,
    "nodeipam": nodeipam,
    "system": system,
    "clusterroles": clusterroles,
    "podgc": podgc,
    "servicecidrs": servicecidrs,
    "namespaces": namespaces,
    "garbage": garbage,
}
LEASE = "kube-controller-manager"
# What upstream's kube-controller-manager leaves to others: its API server keeps the first Service, DNS is an add-on,
# and load balancers are the cloud's. These alone run beside it, under a Lease of their own.
BESIDE, LEASE_BESIDE = {"system", "loadbalancers"}, "minik8s-controllers"


def chosen(text: str) -> list[str]:
    """The names that `*,-endpoints` means, in the table's order. Raises ValueError for a name that is not in the
    table."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = sorted({word.lstrip("-") for word in words} - {"*"} - CONTROLLERS.keys())
    if unknown:
        raise ValueError(f"no controller {', '.join(unknown)}; there are {', '.join(CONTROLLERS)}")
    wanted = {word for word in words if not word.startswith("-")}
    without = {word[1:] for word in words if word.startswith("-")}
    return [name for name in CONTROLLERS if name not in without and ("*" in wanted or name in wanted)]


def lease_of(names: list[str]) -> str:
    """The Lease that those lead who run these controllers."""
    return LEASE_BESIDE if {*names} <= BESIDE else LEASE


def main(component: Component) -> None:
    """Wait for leadership, then run the chosen controllers until told to stop."""
    names = chosen(component.options.controllers)
    context = Context(component)
    controllers = [CONTROLLERS[name](context) for name in names]
    component.metrics.gauge("minik8s_controllers", "Controllers that this process runs when it leads").set(len(names))
    failures = component.metrics.gauge("minik8s_sync_errors_total", "Syncs that raised an error", ["controller"])
    for controller in controllers:
        failures.follow(partial(getattr, controller, "errors"), controller=controller.name)
    server = component.serve_health()
    identity = component.options.identity or f"{socket.gethostname()}_{os.getpid()}"
    elector = LeaderElector(component.client, lease_of(names), identity)
    elector.run(lambda: run_all(context, controllers), component.stop)
    server.stop()
