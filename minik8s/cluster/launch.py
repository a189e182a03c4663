"""Which component is which module, and how one is started. `minik8s run` and the zygote both come through here.

Invariant: a component learns everything from its options, so that it runs the same under the zygote, under systemd and
by hand.

Read next: `client/component.py`, what each component is given.
"""

import importlib
from collections.abc import Iterable

from minik8s.apiserver.options import ServerOptions
from minik8s.client import component
from minik8s.client.component import Options
from minik8s.cluster import state, topology
from minik8s.host import sysctl

MODULES = {
    "apiserver": "minik8s.apiserver.main",
    "scheduler": "minik8s.scheduler.main",
    "controllers": "minik8s.controllers.main",
    "agent": "minik8s.agent.main",
    "proxy": "minik8s.proxy.main",
    "dns": "minik8s.dns.main",
    "sidecar": "minik8s.proxy.sidecar.main",
    "ingress": "minik8s.ingress.main",
}
CONTROL_PLANE = ("apiserver", "controllers", "scheduler")
PER_NODE = ("agent", "proxy", "dns", "ingress")
OPTIONAL = ("ingress",)  # runs only where it is asked for
ON_DEMAND = ("sidecar",)  # likewise for each node, from the moment on that another component asks for it
TIMED = ("controllers", "agent")  # what reads the profile's timers
OF_DNS = ("upstream", "dns_ttl", "dns_pods")  # what a cluster's record says to DNS alone
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
    on_node = component_name in (*PER_NODE, *ON_DEMAND)
    if bool(node) != on_node or bool(at) != bool(node):
        place = "runs once on each node: say NAME@NODE" if on_node else "runs once, on no node"
        raise KeyError(f"{component_name} {place}")
    return component_name + at + node


def expected(record: state.Record) -> list[str]:
    """The processes a cluster consists of, without those it was told to leave out."""
    control = ["etcd", *CONTROL_PLANE]
    nodes = [f"{name}@{node}" for node in record.nodes for name in PER_NODE]
    absent = {*record.without, *(() if record.ingress else ("ingress",))}
    return [name for name in (*control, *nodes) if name.partition("@")[0] not in absent]


def allowed(record: state.Record) -> list[str]:
    """The same, and those that run on demand."""
    more = [f"{name}@{node}" for node in record.nodes for name in ON_DEMAND if name not in record.without]
    return [*expected(record), *more]


def left_out(words: Iterable[str]) -> tuple[str, ...]:
    """What `--without` names, by our own names: components, and single controllers (`endpoints`).

    Raises LookupError for what is neither.
    """
    names = tuple(ALIASES.get(word, word) for word in words if word != "none")
    if set(names) <= {*MODULES, "etcd"}:
        return names  # the usual case; what follows is dear to import
    from minik8s.controllers.main import CONTROLLERS

    unknown = sorted(set(names) - {*MODULES, "etcd", *CONTROLLERS})
    if unknown:
        known = f"components are {', '.join((*MODULES, 'etcd'))}; controllers are {', '.join(CONTROLLERS)}"
        raise LookupError(f"--without {', '.join(unknown)}: {known}")
    return names


def controllers(record: state.Record) -> str:
    """Which controllers run: `*`, or `*,-endpoints` when somebody else does the work of one."""
    return ",".join(["*", *(f"-{name}" for name in sorted(record.without) if name not in (*MODULES, "etcd"))])


def differing(before: state.Record, after: state.Record, running: Iterable[str]) -> dict[str, list[str]]:
    """What a changed wish means for processes that run already: which are to `stop`, `start`, or start `again`."""
    wanted, was = set(allowed(after)), set(allowed(before))
    told: set[str] = set()  # which components are told something else than before
    if before.profile != after.profile:
        told.update(TIMED)
    if before.proxy_mode != after.proxy_mode:
        told.update(("proxy", "sidecar"))
    if any(getattr(before, field) != getattr(after, field) for field in OF_DNS):
        told.add("dns")
    if controllers(before) != controllers(after):
        told.add("controllers")
    again = {name for name in wanted & was if name.partition("@")[0] in told}
    alive = set(running)
    return {
        "stop": sorted((was - wanted) & alive),
        "start": sorted(name for name in wanted - was if name.partition("@")[0] in (*before.without, *OPTIONAL)),
        "again": sorted(again & alive),
    }


def launch(options: Options) -> None:
    """Run a component other than the API server until it is told to stop."""
    module = importlib.import_module(MODULES[options.name])
    module.main(component.start(options))


def launch_server(options: ServerOptions) -> None:
    """Run an API server until it is told to stop."""
    importlib.import_module(MODULES["apiserver"]).main(options)


def options_for(
    where: state.Paths, record: state.Record, process: str, outside: int = 0, sockets: tuple[int, ...] = ()
) -> Options:
    """What a component of a cluster on this machine is told.

    `outside` is a descriptor, which the component inherits, of the machine's own network namespace: the nodes' have no
    way out. `sockets` are descriptors that it inherits too, to serve on.
    """
    name, _, node = process.partition("@")
    identity = "proxy" if name == "sidecar" else name  # two processes, one box: who may do what is the same
    config = where.kubeconfigs / (f"{identity}-{node}.conf" if node else f"{identity}.conf")
    return Options(
        name=name,
        kubeconfig=str(config),
        node=node,
        node_ip=_node_ip(name, node) if node else "",
        cluster=record.name,
        profile=record.profile,
        proxy_mode=record.proxy_mode,
        upstream_netns=f"/proc/self/fd/{outside}" if name == "dns" and outside else "",
        docker_host=record.docker_host if name == "agent" else "",
        pki_dir=str(where.pki),
        state_dir=str(where.root),
        supervisor=str(where.control) if name == "proxy" else "",
        controllers=controllers(record),
        identity=process,
        listen=tuple(f"fd://{number}" for number in sockets),
        **({field: getattr(record, field) for field in OF_DNS} if name == "dns" else {}),
    )


def _node_ip(name: str, node: str) -> str:
    """The agent speaks for the node and the ingress serves at it, with all its addresses; others need the first."""
    first = topology.node_address(node)
    return (
        f"{first},{topology.beside(first)}"
        if name in ("agent", "ingress") and "IPv6" in sysctl.ip_families()
        else first
    )


def server_options(where: state.Paths, sockets: tuple[int, ...]) -> ServerOptions:
    """What the API server of a cluster on this machine is told; `sockets` are descriptors it inherits."""
    return ServerOptions(
        etcd_cafile=str(where.pki / "etcd-ca.crt"),
        etcd_certfile=str(where.pki / "apiserver-etcd-client.crt"),
        etcd_keyfile=str(where.pki / "apiserver-etcd-client.key"),
        listen=tuple(f"fd://{number}" for number in sockets),
        tls_cert_file=str(where.pki / "apiserver.crt"),
        tls_private_key_file=str(where.pki / "apiserver.key"),
        client_ca_file=str(where.pki / "ca.crt"),
        kubelet_client_certificate=str(where.pki / "apiserver-kubelet-client.crt"),
        kubelet_client_key=str(where.pki / "apiserver-kubelet-client.key"),
        service_account_signing_key_file=str(where.pki / "sa.key"),
        audit_file=str(where.audit),
    )
