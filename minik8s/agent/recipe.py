"""How sandboxes and containers are made, as values: image, command, environment, labels, limits, names. Pure.

`world/docker.py` translates these into calls and adds nothing of its own, so what is here is what runs. Labels say
all that the agent has to know to find its containers again after a restart. Read next: world/docker.py.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from minik8s import params
from minik8s.agent.environment import Sources, environment, expand
from minik8s.api import quantity
from minik8s.api.meta import Quantity
from minik8s.api.pods import Container, Pod, PodSecurityContext, SecurityContext


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where containers are made: the marks that tell them from those of other nodes and clusters."""

    cluster: str
    node: str

    @property
    def labels(self) -> dict[str, str]:
        return {params.LABEL_CLUSTER: self.cluster, params.LABEL_NODE: self.node}


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """What a Pod's /etc/resolv.conf says; all empty: as on the node."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SandboxRecipe:
    name: str
    labels: Mapping[str, str]
    host_network: bool = False
    hostname: str = ""
    addresses: tuple[str, ...] = ()
    resolver: Resolver = Resolver()
    hosts: tuple[tuple[str, str], ...] = ()  # lines of /etc/hosts: (names with a space between them, address)


@dataclass(frozen=True, kw_only=True)
class ContainerRecipe:
    name: str
    image: str
    labels: Mapping[str, str]
    sandbox: str
    beside: str = ""  # another container, whose processes it sees
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    user: str = ""
    binds: tuple[str, ...] = ()
    memory: int = 0
    cpu_millis: int = 0
    cpu_shares: int = 2
    capabilities: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # added, dropped
    privileged: bool = False
    may_gain: bool = True  # rights that its parent has not, as by setuid
    groups: tuple[int, ...] = ()  # beside that of its user
    read_only: bool = False
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False


def spec_hash(spec: Container) -> str:
    """Changes when a running container no longer is what its Pod asks for. Only the image may be changed in a Pod."""
    return hashlib.sha256(f"{spec.name}\0{spec.image}".encode()).hexdigest()[:12]


def container_name(pod: Pod, container: str, attempt: int) -> str:
    """The scheme of upstream's dockershim: `docker ps` shows at once which Pod a container belongs to."""
    meta = pod.metadata
    return f"k8s_{container}_{meta.name}_{meta.namespace}_{meta.uid}_{attempt}"


def pod_labels(pod: Pod, home: Home) -> dict[str, str]:
    meta = pod.metadata
    return {
        **home.labels,
        params.LABEL_POD_UID: meta.uid,
        params.LABEL_POD_NAME: meta.name,
        params.LABEL_POD_NAMESPACE: meta.namespace,
    }


# --- The sandbox ------------------------------------------------------------------------------------------------------


def sandbox(
    pod: Pod, home: Home, addresses: tuple[str, ...], unique: str, node: Resolver = Resolver()
) -> SandboxRecipe:
    """`unique` tells it from the sandboxes that the Pod had before; it has no addresses on the node's network.

    `node` is what the node's own resolv.conf says.
    """
    host = hostname(pod)
    return SandboxRecipe(
        name=container_name(pod, "POD", 0) + f"_{unique}",
        labels={**pod_labels(pod, home), params.LABEL_ADDRESS: ",".join(addresses)},
        host_network=pod.spec.hostNetwork,
        hostname=host,
        addresses=addresses,
        resolver=limited(resolver(pod, node))[0],
        hosts=hosts(pod, host, addresses),
    )


def hostname(pod: Pod) -> str:
    short = (pod.spec.hostname or pod.metadata.name)[:63].rstrip("-.")
    if pod.spec.setHostnameAsFQDN and pod.spec.subdomain:
        return full_name(pod, short)
    return short


def full_name(pod: Pod, short: str) -> str:
    return f"{short}.{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{params.CLUSTER_DOMAIN}"


def resolver(pod: Pod, node: Resolver = Resolver()) -> Resolver:
    """Where the Pod's names are looked up, by dnsPolicy; dnsConfig adds to it. All empty: as on the node."""
    policy, extra = pod.spec.dnsPolicy or "ClusterFirst", pod.spec.dnsConfig
    if policy == "ClusterFirst" and pod.spec.hostNetwork:
        policy = "Default"  # as upstream: only ClusterFirstWithHostNet means it there too
    base = node if policy == "Default" and extra is not None else Resolver()
    if policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        zone = params.CLUSTER_DOMAIN
        base = Resolver(
            nameservers=(params.DNS_SERVICE_IP,),
            searches=(f"{pod.metadata.namespace}.svc.{zone}", f"svc.{zone}", zone),
            options=(f"ndots:{params.DNS_NDOTS}",),
        )
    if extra is None:
        return base
    added = [f"{o.name}:{o.value}" if o.value is not None else o.name for o in extra.options]
    names = {o.partition(":")[0] for o in added}
    kept = [o for o in base.options if o.partition(":")[0] not in names]
    return Resolver(
        nameservers=_unique(*base.nameservers, *extra.nameservers),
        searches=_unique(*base.searches, *extra.searches),
        options=(*kept, *added),
    )


def limited(wanted: Resolver) -> tuple[Resolver, tuple[str, ...]]:
    """What of it a resolver takes (upstream's limits), and what to say of the rest, in upstream's words."""
    servers, searches, said = wanted.nameservers, wanted.searches, []
    if len(servers) > params.MAX_DNS_NAMESERVERS:
        servers = servers[: params.MAX_DNS_NAMESERVERS]
        said.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
            + " ".join(servers)
        )
    while len(searches) > params.MAX_DNS_SEARCH_PATHS or len(" ".join(searches)) > params.MAX_DNS_SEARCH_CHARACTERS:
        searches = searches[:-1]
    if searches != wanted.searches:
        said.append(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
            + " ".join(searches)
        )
    return Resolver(nameservers=servers, searches=searches, options=wanted.options), tuple(said)


def read_resolver(text: str) -> Resolver:
    """A resolv.conf; of several `search` lines the last counts."""
    lines = [words for words in (line.split() for line in text.splitlines()) if words]
    searches = [words[1:] for words in lines if words[0] in ("search", "domain")]
    return Resolver(
        nameservers=tuple(words[1] for words in lines if words[0] == "nameserver" and len(words) > 1),
        searches=tuple(searches[-1]) if searches else (),
        options=tuple(option for words in lines if words[0] == "options" for option in words[1:]),
    )


def resolv_conf(wanted: Resolver) -> str:
    """The file itself, where Docker does not write it for us."""
    lines = [f"nameserver {each}" for each in wanted.nameservers]
    if wanted.searches:
        lines.append("search " + " ".join(wanted.searches))
    if wanted.options:
        lines.append("options " + " ".join(wanted.options))
    return "\n".join(lines) + "\n"


def _unique(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def hosts(pod: Pod, host: str, addresses: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Extra lines of /etc/hosts: the Pod's own name at each of its addresses first, then hostAliases.

    The first name of a line is the canonical one: `hostname -f` says the full name, where there is one.
    """
    short = host.partition(".")[0] if pod.spec.setHostnameAsFQDN else host
    own = f"{full_name(pod, short)} {short}" if pod.spec.subdomain else short
    aliases = [(" ".join(alias.hostnames), alias.ip) for alias in pod.spec.hostAliases if alias.hostnames]
    return (*((own, address) for address in addresses), *aliases)


def hosts_file(node: str, pod: Pod) -> str:
    """For a Pod on the node's network: the node's own file, with the Pod's hostAliases behind."""
    aliases = "".join(f"{ip}\t{names}\n" for names, ip in hosts(pod, "", ()))
    return node.rstrip("\n") + "\n\n# Entries added by hostAliases.\n" + aliases


# --- A container ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Which start of a container this is, and in which sandbox."""

    number: int
    streak: int
    sandbox: str
    beside: str = ""  # the container whose processes it is to see


def container(pod: Pod, spec: Container, attempt: Attempt, home: Home, sources: Sources) -> ContainerRecipe:
    """Everything but the volumes, which need the disk. Raises ConfigError."""
    variables = environment(pod, spec, sources)
    limits = {**spec.resources.requests, **spec.resources.limits}
    context = spec.securityContext or SecurityContext()
    added = context.capabilities
    return ContainerRecipe(
        name=container_name(pod, spec.name, attempt.number),
        image=spec.image,
        labels={**pod_labels(pod, home), **attempt_labels(spec, attempt)},
        sandbox=attempt.sandbox,
        beside=attempt.beside,
        entrypoint=tuple(expand(word, variables) for word in spec.command),
        command=tuple(expand(word, variables) for word in spec.args),
        environment=variables,
        working_dir=spec.workingDir,
        user=user(pod, spec),
        memory=quantity.whole(spec.resources.limits.get("memory", 0)),
        cpu_millis=quantity.millis(spec.resources.limits.get("cpu", 0)),
        cpu_shares=shares(spec.resources.requests.get("cpu", limits.get("cpu", 0))),
        capabilities=(tuple(added.add), tuple(added.drop)) if added else ((), ()),
        privileged=bool(context.privileged),
        may_gain=context.allowPrivilegeEscalation is not False,
        groups=groups(pod),
        read_only=bool(context.readOnlyRootFilesystem),
        stdin=spec.stdin,
        stdin_once=spec.stdinOnce,
        tty=spec.tty,
    )


def attempt_labels(spec: Container, attempt: Attempt) -> dict[str, str]:
    return {
        params.LABEL_CONTAINER: spec.name,
        params.LABEL_ATTEMPT: str(attempt.number),
        params.LABEL_STREAK: str(attempt.streak),
        params.LABEL_SANDBOX: attempt.sandbox,
        params.LABEL_SPEC_HASH: spec_hash(spec),
    }


def shares(cpu: Quantity) -> int:
    """Docker's weight for a CPU request: 1024 for a whole CPU; 2 is the kernel's least."""
    return max(2, quantity.millis(cpu) * 1024 // 1000)


def groups(pod: Pod) -> tuple[int, ...]:
    """Further groups of every container's user: those of volumes too, so that it may write there."""
    context = pod.spec.securityContext or PodSecurityContext()
    own = () if context.fsGroup is None else (context.fsGroup,)
    return (*own, *context.supplementalGroups)


def user(pod: Pod, spec: Container) -> str:
    """`uid:gid` as Docker wants it; empty for what the image says."""
    uid = gid = None
    for context in (pod.spec.securityContext, spec.securityContext):
        if context is not None:
            uid = context.runAsUser if context.runAsUser is not None else uid
            gid = context.runAsGroup if context.runAsGroup is not None else gid
    if uid is None:
        return ""
    return f"{uid}" if gid is None else f"{uid}:{gid}"
