"""Judges the rungs about packets: who listens, what a name means, do addresses answer, are the rules right?

Pure: facts in, verdict out. When an address does not answer, `path` looks for the reason in the rules of the node that
asked, because that is where a Service's address becomes a Pod's.

Read next: ../kernelview.py, ../../proxy/README.md.
"""

from collections.abc import Iterable

from minik8s import params
from minik8s.explain.doctor.facts import Dial, Facts, Listener, OnNode, Target, node_addresses
from minik8s.explain.doctor.objects import command, count, edit
from minik8s.explain.doctor.verdict import Evidence, Verdict, ok, red, skipped, unasked

ANY = ("0.0.0.0", "::")


def get_raw(node: str, page: str) -> str:
    return f"minik8s get --raw /api/v1/nodes/{node}/proxy{page}"


def agent_down(node: str, why: str) -> Verdict:
    if "timed out" in why:
        return red(
            "MK-NODE",
            f"{node} does not answer",
            "Packets to it are lost: its cable is cut, or its agent is held.",
            f"minik8s node heal {node}",
            Evidence("minik8s status", "see the column CABLE"),
            Evidence(get_raw(node, "/healthz"), why),
        )
    return red(
        "MK-AGENT",
        f"the agent of {node} does not answer",
        why,
        f"minik8s start agent@{node}",
        Evidence(get_raw(node, "/healthz"), why),
    )


def state(why: str) -> str:
    """What the failure to reach a process says of it."""
    return "is held, or hangs" if "timed out" in why else "does not run" if "refused" in why else f"fails ({why})"


def cannot(node: str, why: str) -> Verdict:
    """The agent could not be asked: because it is silent, or because it is another kind of kubelet."""
    return agent_down(node, why) if "does not answer" in why else unasked(why)


# --- 6 Each Pod listens -----------------------------------------------------------------------------------------------


def pods_listen(facts: Facts) -> Verdict:
    shown: set[str] = set()
    own = [target for target in facts.targets if target.pod in facts.listeners]
    if not own:
        return skipped("its endpoints are no Pods" if facts.targets else "it has no endpoints")
    for target in own:
        listening = facts.listeners[target.pod]
        if isinstance(listening, str):
            return cannot(target.node, listening)
        if not listening:
            return red(
                "MK-SILENT",
                f"{target.who} listens on no port at all",
                "Its process runs but opened no socket: it is still starting, or it is no server.",
                f"read what it says: {command(facts, f'logs {short(target)}')}",
                Evidence(command(facts, f"exec {short(target)} -- netstat -ltun"), "no line"),
            )
        shown |= {f"{one.port}/{one.protocol}" for one in listening}
    return ok(", ".join(sorted(shown, key=lambda each: (int(each.partition("/")[0]), each))))


def short(target: Target) -> str:
    return target.pod.partition("/")[2]


# --- 7 The target port answers ----------------------------------------------------------------------------------------


def target_port(facts: Facts) -> Verdict:
    if not facts.targets:
        return skipped("it has no endpoints")
    for target in facts.targets:
        listening = facts.listeners.get(target.pod, ())
        wrong = _nobody_there(facts, target, () if isinstance(listening, str) else listening)
        if wrong:
            return wrong
    failed = [dial for dial in [*facts.inside, *facts.beside] if not dial.ok and not dial.unasked]
    if failed:
        return _not_reached(facts, failed[0])
    silent = [dial for dial in facts.beside if dial.unasked]
    if silent:
        return unasked(silent[0].unasked)
    return ok(", ".join(dict.fromkeys(target.name for target in facts.targets)))


def _nobody_there(facts: Facts, target: Target, listening: Iterable[Listener]) -> Verdict | None:
    """Nobody listens at the target port, or only where other machines cannot come."""
    protocol = target.port.protocol.lower()
    same = [one for one in listening if one.protocol == protocol]
    there = [one for one in same if one.port == target.number]
    listening = list(listening)
    if not target.pod or not listening or any(one.address in (*ANY, target.address) for one in there):
        return None
    shown = Evidence(command(facts, f"exec {short(target)} -- netstat -ltun"), ", ".join(str(one) for one in listening))
    if there:
        return red(
            "MK-LOOPBACK",
            f"{target.who} listens on {target.number} for itself only",
            f"It is bound to {there[0].address}, which nobody outside the Pod can reach.",
            "make the program listen on 0.0.0.0 (all addresses)",
            shown,
        )
    others = sorted({one.port for one in same})
    better = str(others[0]) if len(others) == 1 else "NUMBER"
    return red(
        "MK-TARGET-PORT",
        f"nobody listens on {target.number}/{protocol} in {target.who}",
        f"targetPort is {target.port.targetPort}; the Pod listens on {', '.join(map(str, others)) or 'no such port'}.",
        edit(facts, f"targetPort: {target.port.targetPort}", f"targetPort: {better}"),
        shown,
    )


def _not_reached(facts: Facts, dial: Dial) -> Verdict:
    if dial.pod:
        cause = "The Pod itself does not reach its own address: its network is broken, or its queue is full."
    else:
        cause = f"The Pod answers itself, but not {dial.node}: the wire or the route between them is broken."
    return red(
        "MK-POD-NETWORK",
        f"{dial.target} does not answer {dial.origin}: {dial.outcome}",
        cause,
        f"minik8s delete pod/{dial.pod.partition('/')[2]}" if dial.pod else "minik8s start agent@" + dial.node,
        Evidence(f"minik8s node exec {dial.node} -- curl -s --max-time 2 {dial.target}", dial.outcome),
    )


# --- 8 The name resolves ----------------------------------------------------------------------------------------------


def name_resolves(facts: Facts) -> Verdict:
    lookup = facts.lookup
    if facts.spec.spec.type == "ExternalName":
        return unasked("what the other name means is not ours to judge")
    if lookup is None or facts.source is None:
        return unasked(facts.source_why or "there is no Pod to ask from")
    if lookup.unasked:
        return cannot(facts.source.spec.nodeName, lookup.unasked)
    if params.DNS_SERVICE_IP not in lookup.nameservers:
        return _other_resolver(facts, lookup.nameservers)
    wanted = _expected(facts)
    if not lookup.addresses or not set(lookup.addresses) <= wanted:
        return _not_found(facts, wanted)
    dead = [each for each in facts.on_nodes if each.dns and not each.agent]
    if dead:
        return _dns_down(dead[0].node, dead[0].dns, "names still resolve, but only because other nodes' DNS helps")
    return ok(f"{lookup.name} → {', '.join(lookup.addresses)}")


def _expected(facts: Facts) -> set[str]:
    if facts.has_address:
        return set(facts.spec.spec.clusterIPs)
    pods = {each.ip for pod in facts.selected for each in pod.status.podIPs}
    return pods | {address for one in facts.slices for each in one.endpoints for address in each.addresses}


def _dns_down(node: str, why: str, said: str) -> Verdict:
    slice_ = f"minik8s get -n kube-system endpointslice/kube-dns-{node} -o yaml"
    return red(
        "MK-DNS",
        f"the DNS server of {node} does not answer; {said}",
        f"The process dns@{node} {state(why)}.",
        f"minik8s kill dns@{node} -s CONT" if "timed out" in why else f"minik8s start dns@{node}",
        Evidence(get_raw(node, "/debug/dns/healthz"), why),
        Evidence(slice_, "ready: false, a moment after it fell silent"),
    )


def _other_resolver(facts: Facts, nameservers: tuple[str, ...]) -> Verdict:
    pod = facts.source.metadata.name if facts.source else ""
    return red(
        "MK-RESOLV-CONF",
        f"Pod {pod} does not ask the cluster's DNS ({params.DNS_SERVICE_IP})",
        f"Its resolv.conf names {', '.join(nameservers) or 'no server'}: see dnsPolicy and dnsConfig of the Pod.",
        "make the Pod anew with dnsPolicy: ClusterFirst",
        Evidence(command(facts, f"exec {pod} -- cat /etc/resolv.conf"), f"nameserver {' '.join(nameservers)}"),
    )


def _not_found(facts: Facts, wanted: set[str]) -> Verdict:
    """No answer, or a wrong one: DNS itself, the way to it, or what it knows."""
    lookup, source = facts.lookup, facts.source
    assert lookup is not None and source is not None
    node = source.spec.nodeName
    words = [f"{name}: {', '.join(addresses) or rcode}" for name, rcode, addresses in lookup.asked]
    shown = Evidence(command(facts, f"exec {source.metadata.name} -- nslookup {lookup.name}"), "; ".join(words))
    here = facts.node(node)
    if here and here.dns:
        return _dns_down(node, here.dns, f"{lookup.name} does not resolve")
    said = f"{lookup.name} means {', '.join(lookup.addresses) or 'nothing'} in Pod {source.metadata.name}"
    if lookup.asked and lookup.asked[-1][1] in ("NOERROR", "NXDOMAIN"):
        cause = f"The DNS server runs but has not heard of {', '.join(sorted(wanted)) or 'it'}: its watch is broken."
        return red("MK-DNS-NAME", said, cause, f"minik8s kill dns@{node}; minik8s start dns@{node}", shown)
    return path(facts, node) or red(
        "MK-DNS-PATH",
        said,
        f"The DNS server runs, but questions to {params.DNS_SERVICE_IP} from this Pod get no answer.",
        "minik8s doctor -n kube-system svc/kube-dns",
        shown,
    )


# --- 9 The ClusterIP answers, 10 the node port ------------------------------------------------------------------------


def cluster_ip(facts: Facts) -> Verdict:
    if not facts.has_address:
        return skipped("it has no ClusterIP")
    local_only = _without_local(facts, facts.spec.spec.internalTrafficPolicy == "Local")
    dials = [dial for dial in facts.addresses if dial.node not in local_only]
    failed = [dial for dial in dials if not dial.ok and not dial.unasked]
    if failed:
        return path(facts, failed[0].node) or _no_answer(facts, failed[0], "MK-CLUSTER-IP")
    if facts.source is not None and facts.source.spec.nodeName in local_only:
        return _only_local(facts, facts.source.spec.nodeName)
    return _answered(facts, dials)


def node_port(facts: Facts) -> Verdict:
    spec = facts.spec.spec
    if not any(port.nodePort for port in spec.ports):
        return skipped("it has no node port")
    closed = _without_local(facts, spec.externalTrafficPolicy == "Local")
    dials = [dial for dial in facts.node_ports if _owner(facts, dial) not in closed]
    failed = [dial for dial in dials if not dial.ok and not dial.unasked]
    if failed:
        node = _owner(facts, failed[0])
        return path(facts, node) or _no_answer(facts, failed[0], "MK-NODE-PORT")
    return _answered(facts, dials)


def _answered(facts: Facts, dials: list[Dial]) -> Verdict:
    silent = [dial.unasked for dial in dials if dial.unasked]
    if silent or not dials:
        return unasked(silent[0] if silent else facts.source_why or "there is nobody to ask from")
    targets, origins = dict.fromkeys(d.target for d in dials), dict.fromkeys(d.origin for d in dials)
    return ok(f"{', '.join(targets)} from {', '.join(origins)}")


def _without_local(facts: Facts, policy_local: bool) -> set[str]:
    """Nodes that stay silent on purpose: traffic policy Local, and no endpoint there."""
    if not policy_local:
        return set()
    return {node.metadata.name for node in facts.nodes} - {target.node for target in facts.targets}


def _owner(facts: Facts, dial: Dial) -> str:
    """The node whose port was dialled."""
    host = dial.target.rpartition(":")[0].strip("[]")
    return next((node.metadata.name for node in facts.nodes if host in node_addresses(node)), "")


def _only_local(facts: Facts, node: str) -> Verdict:
    return red(
        "MK-LOCAL",
        f"internalTrafficPolicy is Local, and {node} has no endpoint",
        "With this policy a Pod is served by endpoints of its own node only; elsewhere the packets are dropped.",
        edit(facts, "internalTrafficPolicy: Local", "internalTrafficPolicy: Cluster"),
        Evidence(command(facts, "get pods -o wide"), f"no Pod of the Service on {node}"),
    )


def _no_answer(facts: Facts, dial: Dial, code: str) -> Verdict:
    way = f"exec {dial.pod.partition('/')[2]}" if dial.pod else f"node exec {dial.node}"
    shown = f"{way} -- curl -s --max-time 2 {dial.target}"
    return red(
        code,
        f"{dial.target} does not answer {dial.origin}: {dial.outcome}",
        "The Pods answer and the rules are as the proxy wants them: something else stands between.",
        f"read the rules: {command(facts, f'rules svc/{facts.name} --node {dial.node}')}",
        Evidence(command(facts, shown) if dial.pod else f"minik8s {shown}", dial.outcome),
    )


# --- 11 The nodes' rules are right ------------------------------------------------------------------------------------


def rules_right(facts: Facts) -> Verdict:
    for each in facts.on_nodes:
        wrong = path(facts, each.node)
        if wrong:
            return wrong
    return ok(f"{', '.join(each.node for each in facts.on_nodes)}: the kernel has what the proxy wants")


def path(facts: Facts, node: str) -> Verdict | None:
    """What is wrong with the rules of a node; None if nothing is."""
    there = facts.node(node)
    if there is None:
        return None
    if there.agent:
        return agent_down(node, there.agent)
    if there.proxy:
        return _proxy_down(facts, there)
    if there.differences:
        return _changed(facts, there)
    if there.stale:
        return red(
            "MK-STALE",
            f"the proxy of {node} has not heard of {there.stale[0]}",
            "It runs, but its watch of the API server is behind: its rules are of yesterday.",
            f"minik8s kill proxy@{node}; minik8s start proxy@{node}",
            Evidence(get_raw(node, f"/debug/proxy/debug/services?service={facts.namespace}/{facts.name}"), ""),
        )
    return None


def _proxy_down(facts: Facts, there: OnNode) -> Verdict:
    return red(
        "MK-PROXY",
        f"the proxy of {there.node} does not answer",
        f"The process proxy@{there.node} {state(there.proxy)}. The kernel keeps its last rules; no change of endpoints "
        "reaches this node.",
        f"minik8s kill proxy@{there.node} -s CONT"
        if "timed out" in there.proxy
        else f"minik8s start proxy@{there.node}",
        Evidence(get_raw(there.node, "/debug/proxy/healthz"), there.proxy),
    )


def _changed(facts: Facts, there: OnNode) -> Verdict:
    return red(
        "MK-RULES",
        f"the kernel of {there.node} has other rules than the proxy wants ({count(len(there.differences), 'line')})",
        "Somebody wrote into the proxy's table, and the proxy has not mended it: it hangs, or the kernel refuses.",
        f"minik8s kill proxy@{there.node}; minik8s start proxy@{there.node}",
        Evidence(f"minik8s node exec {there.node} -- nft list table ip minik8s", str(there.differences[0])),
        Evidence(command(facts, f"rules svc/{facts.name} --node {there.node}"), "what the proxy wants"),
    )
