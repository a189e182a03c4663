"""The same Service in kube-proxy's words: what its nftables mode would have written on this node. Pure.

Nobody loads these rules. They are shown beside ours, so that whoever knows `nft list table ip minik8s` can read
`nft list table ip kube-proxy` on a real cluster. The differences are few: kube-proxy has a chain for each endpoint
where we have a rule, picks by one throw of dice and a map where we have a cascade, marks hairpin in the endpoint's
chain where we have a set of pairs, and puts a hash in front of each name.

Source: pkg/proxy/nftables of Kubernetes 1.33, its README and the rule sets its tests expect (names and hashes
included, which our test takes as its oracle).

Read next: rules.py, the sentences for our own rules.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minik8s import params
from minik8s.api.addresses import host_port
from minik8s.api.core import Service
from minik8s.explain.rules import Told

BASE_LENGTH_LIMIT = 200  # kube-proxy's own, for the part of a name that comes after the hash


@dataclass(frozen=True)
class Backend:
    """An endpoint that gets new connections."""

    address: str
    port: int
    local: bool = False

    @property
    def target(self) -> str:
        return host_port(self.address, self.port)


@dataclass(frozen=True)
class Port:
    """One port of a Service on one node, in one family, as the proxy's debug page tells it."""

    name: str  # the port's own name; "" if it has none
    protocol: str
    cluster_ip: str
    number: int
    node_port: int = 0
    backends: tuple[Backend, ...] = ()
    sources: tuple[str, ...] = ()  # the Service first

    @property
    def ip(self) -> str:
        return "ip6" if ":" in self.cluster_ip else "ip"


def hashed(name: str) -> str:
    """`ns1/svc1/tcp/p80` → `ULMVA6XW-ns1/svc1/tcp/p80`: chains of two Services differ even where a name is cut."""
    digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()
    return f"{digest[:8]}-{name[:BASE_LENGTH_LIMIT]}"


def told(service: Service, ports: Iterable[Port]) -> list[Told]:
    """Each line that kube-proxy would write for these ports, with its meaning."""
    return [line for port in ports for line in _Writer(service, port).lines()]


class _Writer:
    """One port on its way to kube-proxy's text."""

    def __init__(self, service: Service, port: Port) -> None:
        meta, self.spec, self.port = service.metadata, service.spec, port
        self.base = f"{meta.namespace}/{meta.name}/{port.protocol}/{port.name}"
        self.title = f"{meta.namespace}/{meta.name}" + (f":{port.name}" if port.name else "")
        self.here = tuple(each for each in port.backends if each.local)
        self.inside_local = self.spec.internalTrafficPolicy == "Local"
        self.outside_local = self.spec.externalTrafficPolicy == "Local"
        balancers = [each.ip for each in service.status.loadBalancer.ingress if each.ip]
        self.balancers = self._own(balancers) if self.spec.type == "LoadBalancer" else []
        self.addresses = [*self._own(self.spec.externalIPs), *self.balancers]
        affinity = self.spec.sessionAffinityConfig and self.spec.sessionAffinityConfig.clientIP
        seconds = (affinity.timeoutSeconds if affinity else None) or params.SESSION_AFFINITY_TIMEOUT_S
        self.affinity = seconds if self.spec.sessionAffinity == "ClientIP" else 0

    def lines(self) -> list[Told]:
        everybody = self.port.backends
        lines = list(self._elements())
        if self._outside() and everybody:
            lines += self._external()
        all_serve = bool(everybody) and (self._outside() or not self.inside_local)
        if all_serve:
            lines += self._service(self._chain("service"), everybody, masquerade=not self.inside_local)
        if self.here and (self.inside_local or (self._outside() and self.outside_local)):
            lines += self._service(self._chain("local"), self.here, masquerade=self.inside_local)
        for one in everybody if all_serve else self.here:
            lines += self._endpoint(one)
        return [*lines, *self._firewall()]

    def _backends(self, local: bool) -> tuple[Backend, ...]:
        return self.here if local else self.port.backends

    def _outside(self) -> bool:
        return bool(self.port.node_port or self.addresses)

    def _own(self, addresses: Sequence[str]) -> list[str]:
        """Those of the port's family."""
        return [each for each in addresses if (":" in each) == (self.port.ip == "ip6")]

    def _chain(self, kind: str) -> str:
        return f"{kind}-{hashed(self.base)}"

    def _endpoint_name(self, one: Backend) -> str:
        return hashed(f"{self.base}__{one.address.replace(':', '.')}/{one.port}")

    def _told(self, where: str, text: str, means: str, whole: bool = False) -> Told:
        return Told(where, text, means, self.port.sources if whole else self.port.sources[:1])

    # --- Map elements ------------------------------------------------------------------------------------------------

    def _elements(self) -> Iterable[Told]:
        port, inside = self.port, self._backends(self.inside_local)
        key = self._key(port.cluster_ip)
        yield self._told("set cluster-ips", port.cluster_ip, "A Service's address: its other ports are refused.")
        if inside:
            goes = self._chain("local" if self.inside_local else "service")
            yield self._told("map service-ips", f"{key} : goto {goes}", "The ClusterIP: choose in that chain.", True)
        else:
            yield self._refused("no-endpoint-services", key, self.inside_local)
        for each in self.addresses:
            yield from self._way_in("service-ips", "no-endpoint-services", self._key(each))
        if port.node_port:
            node_port = f"{port.protocol} . {port.node_port}"
            yield from self._way_in("service-nodeports", "no-endpoint-nodeports", node_port)

    def _key(self, address: str) -> str:
        return f"{address} . {self.port.protocol} . {self.port.number}"

    def _way_in(self, there: str, refused: str, key: str) -> Iterable[Told]:
        """An address or a node port for clients outside. Under policy Local it may stand in both maps."""
        if self.port.backends:
            goes = f"{key} : goto {self._chain('external')}"
            yield self._told(f"map {there}", goes, "A way in from outside: go on in that chain.", True)
        if not self._backends(self.outside_local):
            yield self._refused(refused, key, self.outside_local)

    def _refused(self, where: str, key: str, local: bool) -> Told:
        silent = local and self.port.backends
        goes = "drop" if silent else "goto reject-chain"
        means = "No endpoint on this node: silence, another may serve." if silent else "No endpoint: refuse at once."
        return self._told(f"map {where}", f'{key} comment "{self.title}" : {goes}', means, True)

    # --- Chains ------------------------------------------------------------------------------------------------------

    def _external(self) -> Iterable[Told]:
        where, every, ip = f"chain {self._chain('external')}", self._chain("service"), self.port.ip
        if not self.outside_local:
            yield self._told(where, "jump mark-for-masquerade", "The answer must come back through this node.")
            yield self._told(where, f"goto {every}", "Choose an endpoint in that chain.")
            return
        pods = _pods(ip)
        yield self._told(where, f"{ip} saddr {pods} goto {every}", "A Pod may use every endpoint.")
        yield self._told(where, "fib saddr type local jump mark-for-masquerade", "This node itself asks: mark it.")
        yield self._told(where, f"fib saddr type local goto {every}", "So may this node itself.")
        if self.here:
            yield self._told(where, f"goto {self._chain('local')}", "All others: only this node's endpoints.")

    def _service(self, name: str, backends: Sequence[Backend], masquerade: bool) -> Iterable[Told]:
        where, ip = f"chain {name}", self.port.ip
        if masquerade:
            text = f"{ip} daddr {self.port.cluster_ip} {ip} saddr != {_pods(ip)} jump mark-for-masquerade"
            yield self._told(where, text, "No Pod asks: the answer must come back through this node.")
        for one in backends if self.affinity else ():
            at = self._endpoint_name(one)
            text = f"{ip} saddr @affinity-{at} goto endpoint-{at}"
            yield self._told(where, text, "A client that was here before goes there again.", True)
        choices = ", ".join(f"{at} : goto endpoint-{self._endpoint_name(one)}" for at, one in enumerate(backends))
        means = f"One throw of dice among {len(backends)}; the map says which chain it means."
        yield self._told(where, f"numgen random mod {len(backends)} vmap {{ {choices} }}", means, True)

    def _endpoint(self, one: Backend) -> Iterable[Told]:
        at, ip = self._endpoint_name(one), self.port.ip
        where = f"chain endpoint-{at}"
        yield self._told(
            where, f"{ip} saddr {one.address} jump mark-for-masquerade", "It reaches itself: hairpin.", True
        )
        if self.affinity:
            yield self._told(where, f"update @affinity-{at} {{ {ip} saddr }}", "Remember this client.", True)
        text = f"meta l4proto {self.port.protocol} dnat to {one.target}"
        yield self._told(where, text, "The destination becomes this endpoint.", True)

    def _firewall(self) -> Iterable[Told]:
        """Who may use the load balancer's address, asked before anything is translated."""
        ranges = ", ".join(self._own([each.strip() for each in self.spec.loadBalancerSourceRanges]))
        name = self._chain("firewall")
        for each in self.balancers if ranges else ():
            yield self._told("map firewall-ips", f"{self._key(each)} : goto {name}", "May this sender use it at all?")
        if self.balancers and ranges:
            text = f"{self.port.ip} saddr != {{ {ranges} }} drop"
            yield self._told(f"chain {name}", text, "Drop whoever loadBalancerSourceRanges does not name.")


def _pods(ip: str) -> str:
    """What `--cluster-cidr` would say to kube-proxy."""
    return params.CLUSTER_CIDR_V6 if ip == "ip6" else params.CLUSTER_CIDR
