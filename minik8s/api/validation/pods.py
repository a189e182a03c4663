"""What a Pod, or a template of Pods, must keep to. Source: Kubernetes' ValidatePodSpec."""

import msgspec

from minik8s import params
from minik8s.api.pods import (
    Container,
    Pod,
    PodDNSConfig,
    PodSpec,
    Toleration,
)
from minik8s.api.validation import containers, ephemeral, volumes
from minik8s.api.validation.fields import Problems
from minik8s.api.validation.metadata import check_labels

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")


def check(problems: Problems, pod: Pod) -> None:
    check_annotations(problems, "metadata.annotations", pod.metadata.annotations)
    check_spec(problems, "spec", pod.spec)
    ephemeral.check(problems, pod)


def check_annotations(problems: Problems, path: str, annotations: dict[str, str]) -> None:
    """Of a Pod or a template of Pods: the one annotation that a component acts on."""
    wanted = annotations.get(params.PROXY_ANNOTATION)
    if wanted is not None:
        problems.one_of(f"{path}[{params.PROXY_ANNOTATION}]", wanted, params.POD_PROXIES)


CHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_update(problems: Problems, new: Pod, old: Pod) -> None:
    """Its containers run already: all but a little of the spec is fixed."""
    mine, theirs = new.spec, old.spec
    if mine == theirs:
        return
    for kind in ("containers", "initContainers"):
        if len(getattr(mine, kind)) != len(getattr(theirs, kind)):
            problems.forbidden(f"spec.{kind}", "pod updates may not add or remove containers")
            return
        for at, container in enumerate(getattr(mine, kind)):
            if not container.image:
                problems.required(f"spec.{kind}[{at}].image")
    _check_deadline(problems, mine.activeDeadlineSeconds, theirs.activeDeadlineSeconds)
    _check_kept(problems, mine.tolerations, theirs.tolerations)
    differing = [each for each in PodSpec.__struct_fields__ if _fixed(mine, each) != _fixed(theirs, each)]
    grace = (theirs.terminationGracePeriodSeconds or 0, mine.terminationGracePeriodSeconds)
    if "terminationGracePeriodSeconds" in differing and grace[0] < 0 and grace[1] == 1:
        differing.remove("terminationGracePeriodSeconds")
    ephemeral.check_update(problems, new, old)
    if differing:
        problems.forbidden("spec", f"{CHANGEABLE}; this one changes {', '.join(f'spec.{each}' for each in differing)}")


def _fixed(spec: PodSpec, field: str) -> object:
    """What may not change of a field."""
    if field in ("activeDeadlineSeconds", "tolerations", "ephemeralContainers"):
        return None
    value = getattr(spec, field)
    if field in ("containers", "initContainers"):
        return [msgspec.structs.replace(each, image="") for each in value]
    return value


def _check_deadline(problems: Problems, new: int | None, old: int | None) -> None:
    if old is None or new == old:
        return
    if new is None or new > old:
        problems.invalid("spec.activeDeadlineSeconds", new, f"must be less than or equal to previous value {old}")


def _check_kept(problems: Problems, new: list[Toleration], old: list[Toleration]) -> None:
    """Tolerations may be added, and those that end may end at another time."""

    def known(each: Toleration) -> Toleration:
        return msgspec.structs.replace(each, tolerationSeconds=None)

    if any(known(each) not in [known(one) for one in new] for each in old):
        problems.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")


def check_spec(problems: Problems, path: str, spec: PodSpec) -> None:
    _check_containers(problems, path, spec)
    if path.endswith("template.spec") and spec.ephemeralContainers:
        problems.forbidden(f"{path}.ephemeralContainers", "ephemeral containers not allowed in pod template")
    volumes.check(problems, path, spec)
    problems.one_of(f"{path}.restartPolicy", spec.restartPolicy, RESTART_POLICIES)
    problems.not_negative(f"{path}.terminationGracePeriodSeconds", spec.terminationGracePeriodSeconds)
    if spec.activeDeadlineSeconds is not None and spec.activeDeadlineSeconds < 1:
        problems.invalid(
            f"{path}.activeDeadlineSeconds", spec.activeDeadlineSeconds, "must be between 1 and 2147483647, inclusive"
        )
    if spec.preemptionPolicy:
        problems.one_of(f"{path}.preemptionPolicy", spec.preemptionPolicy, PREEMPTION_POLICIES)
    containers.check_user(problems, f"{path}.securityContext", spec.securityContext)
    _check_dns(problems, path, spec)
    _check_names(problems, path, spec)
    _check_affinity(problems, f"{path}.affinity", spec)


def _check_dns(problems: Problems, path: str, spec: PodSpec) -> None:
    problems.one_of(f"{path}.dnsPolicy", spec.dnsPolicy, DNS_POLICIES)
    nameservers = spec.dnsConfig.nameservers if spec.dnsConfig else []
    if spec.dnsPolicy == "None" and not nameservers:
        problems.required(
            f"{path}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"
        )
    if spec.dnsConfig:
        _check_dns_config(problems, f"{path}.dnsConfig", spec.dnsConfig)


def _check_dns_config(problems: Problems, path: str, config: PodDNSConfig) -> None:
    """A resolver reads no more than this."""
    servers, most = f"{path}.nameservers", params.MAX_DNS_NAMESERVERS
    if len(config.nameservers) > most:
        problems.invalid(servers, config.nameservers, f"must not have more than {most} nameservers")
    for at, nameserver in enumerate(config.nameservers):
        problems.address(f"{servers}[{at}]", nameserver)
    _check_searches(problems, f"{path}.searches", config.searches)
    for at, option in enumerate(config.options):
        if not option.name:
            problems.required(f"{path}.options[{at}]", "must not be empty")


def _check_searches(problems: Problems, path: str, searches: list[str]) -> None:
    most, characters = params.MAX_DNS_SEARCH_PATHS, params.MAX_DNS_SEARCH_CHARACTERS
    if len(searches) > most:
        problems.invalid(path, searches, f"must not have more than {most} search paths")
    if len(" ".join(searches)) > characters:
        said = f"must not have more than {characters} characters (including spaces) in the search list"
        problems.invalid(path, searches, said)
    for at, search in enumerate(searches):
        if search != ".":  # upstream takes underscores here too
            problems.subdomain(f"{path}[{at}]", search.removesuffix(".").replace("_", "-"))


def _check_containers(problems: Problems, path: str, spec: PodSpec) -> None:
    if not spec.containers:
        problems.required(f"{path}.containers")
    volumes = {volume.name for volume in spec.volumes}
    seen: set[str] = set()
    for kind, group in (("initContainers", spec.initContainers), ("containers", spec.containers)):
        for at, container in enumerate(group):
            here = f"{path}.{kind}[{at}]"
            if container.name in seen:
                problems.duplicate(f"{here}.name", container.name)
            seen.add(container.name)
            containers.check(problems, here, container, volumes)
            if kind == "initContainers":
                _check_init(problems, here, container)
            _check_host_ports(problems, here, spec, container)


def _check_affinity(problems: Problems, path: str, spec: PodSpec) -> None:
    nodes = spec.affinity.nodeAffinity if spec.affinity else None
    required = nodes.requiredDuringSchedulingIgnoredDuringExecution if nodes else None
    if required is None:
        return
    here = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    if not required.nodeSelectorTerms:
        problems.required(here, "must have at least one node selector term")
    for at, term in enumerate(required.nodeSelectorTerms):
        for field in ("matchExpressions", "matchFields"):
            for nth, each in enumerate(getattr(term, field)):
                if each.operator not in NODE_OPERATORS:
                    place = f"{here}[{at}].{field}[{nth}].operator"
                    problems.invalid(place, each.operator, "not a valid selector operator")


def _check_init(problems: Problems, path: str, container: Container) -> None:
    """It ends before the Pod is up: there is nothing to probe, and nothing to do before it stops."""
    for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if getattr(container, name) is not None:
            problems.forbidden(f"{path}.{name}", "may not be set for init containers without restartPolicy=Always")


def _check_names(problems: Problems, path: str, spec: PodSpec) -> None:
    for field in ("hostname", "subdomain"):
        if getattr(spec, field):
            problems.label_name(f"{path}.{field}", getattr(spec, field))
    for at, alias in enumerate(spec.hostAliases):
        problems.address(f"{path}.hostAliases[{at}].ip", alias.ip)
        for nth, name in enumerate(alias.hostnames):
            problems.subdomain(f"{path}.hostAliases[{at}].hostnames[{nth}]", name)
    if spec.serviceAccountName:
        problems.subdomain(f"{path}.serviceAccountName", spec.serviceAccountName)
    check_labels(problems, f"{path}.nodeSelector", spec.nodeSelector)
    for at, toleration in enumerate(spec.tolerations):
        _check_toleration(problems, f"{path}.tolerations[{at}]", toleration)


def _check_toleration(problems: Problems, path: str, toleration: Toleration) -> None:
    if toleration.operator not in ("", "Equal", "Exists"):
        problems.unsupported(f"{path}.operator", toleration.operator, ("Equal", "Exists"))
    if not toleration.key and toleration.operator != "Exists":
        problems.invalid(f"{path}.operator", toleration.operator, "operator must be Exists when `key` is empty")
    if toleration.operator == "Exists" and toleration.value:
        problems.invalid(f"{path}.operator", toleration.value, "value must be empty when `operator` is 'Exists'")
    if toleration.effect:
        problems.one_of(f"{path}.effect", toleration.effect, EFFECTS)
    if toleration.tolerationSeconds is not None and toleration.effect != "NoExecute":
        problems.invalid(
            f"{path}.effect", toleration.effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"
        )


def _check_host_ports(problems: Problems, path: str, spec: PodSpec, container: Container) -> None:
    """On the node's network a container's port is the node's."""
    for at, port in enumerate(container.ports):
        if spec.hostNetwork and port.hostPort not in (0, port.containerPort):
            problems.invalid(
                f"{path}.ports[{at}].containerPort",
                port.containerPort,
                "must match `hostPort` when `hostNetwork` is true",
            )
