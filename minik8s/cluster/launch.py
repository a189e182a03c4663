"""Which component is which module, and how one is started. `minik8s run` and the zygote both come through here.

Invariant: a component learns everything from its options, so that it runs the same under the zygote, under systemd and
by hand.

Read next: `client/component.py`, what each component is given.
"""

import importlib
from pathlib import Path
from typing import Any

from minik8s.client import component
from minik8s.client.component import Options
from minik8s.cluster import state, topology

MODULES = {
    "apiserver": "minik8s.apiserver.main",
    "scheduler": "minik8s.scheduler.main",
    "controllers": "minik8s.controllers.main",
    "agent": "minik8s.agent.main",
    "proxy": "minik8s.proxy.main",
    "dns": "minik8s.dns.main",
}
CONTROL_PLANE = ("apiserver", "controllers", "scheduler")
PER_NODE = ("agent", "proxy", "dns")
# Upstream's names for the same boxes.
ALIASES = {
    "kube-apiserver": "apiserver",
    "kube-scheduler": "scheduler",
    "kube-controller-manager": "controllers",
    "kubelet": "agent",
    "kube-proxy": "proxy",
    "coredns": "dns",
}


def canonical(name: str) -> str:
    """`kubelet@node-1` → `agent@node-1`. Raises KeyError for a name that is no component."""
    component_name, at, node = name.partition("@")
    component_name = ALIASES.get(component_name, component_name)
    if component_name not in (*MODULES, "etcd"):
        raise KeyError(f"there is no component {component_name}: {', '.join((*MODULES, 'etcd'))}")
    if bool(node) != (component_name in PER_NODE) or bool(at) != bool(node):
        place = "runs once on each node: say NAME@NODE" if component_name in PER_NODE else "runs once, on no node"
        raise KeyError(f"{component_name} {place}")
    return component_name + at + node


def expected(record: state.Record) -> list[str]:
    """The processes a cluster consists of, without those it was told to leave out."""
    control = ["etcd", *CONTROL_PLANE]
    nodes = [f"{name}@{node}" for node in record.nodes for name in PER_NODE]
    return [name for name in (*control, *nodes) if name.partition("@")[0] not in record.without]


def launch(options: Options) -> None:
    """Run a component other than the API server until it is told to stop."""
    module = importlib.import_module(MODULES[options.name])
    module.main(component.start(options))


def launch_server(options: Any) -> None:
    """Run an API server (`apiserver.options.ServerOptions`) until it is told to stop."""
    importlib.import_module(MODULES["apiserver"]).main(options)


def options_for(where: state.Paths, record: state.Record, process: str) -> Options:
    """What a component of a cluster on this machine is told."""
    name, _, node = process.partition("@")
    config = where.kubeconfigs / (f"{name}-{node}.conf" if node else f"{name}.conf")
    return Options(
        name=name,
        kubeconfig=str(config),
        node=node,
        node_ip=topology.node_address(node) if node else "",
        cluster=record.name,
        profile=record.profile,
        docker_host=record.docker_host if name == "agent" else "",
        pki_dir=str(where.pki),
        state_dir=str(where.root),
        identity=process,
    )


def namespace(record: state.Record, process: str) -> str:
    """The network namespace a process of a cluster runs in."""
    node = process.partition("@")[2]
    return topology.namespace(record.name, node or topology.CONTROL)


def available() -> dict[str, str]:
    """The modules, by component, that this installation has."""
    root = Path(__file__).parent.parent
    return {name: module for name, module in MODULES.items() if (root / module.split(".")[1] / "main.py").exists()}
