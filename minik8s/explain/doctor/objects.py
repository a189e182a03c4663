"""Judges the rungs about objects: is there a Service, does it select Pods, are they Ready, do its endpoints list them?

Pure: facts in, verdict out. A judge takes the rungs below its own for granted. Why a Pod is not Ready is podtrouble.py.

Read next: traffic.py.
"""

from minik8s.api.apps import Deployment
from minik8s.api.core import Pod, Service, ServicePort
from minik8s.api.pods import is_terminating
from minik8s.api.selectors import format_labels, matches
from minik8s.explain import nearmiss
from minik8s.explain.doctor import podtrouble
from minik8s.explain.doctor.facts import Facts, Target, targets_of
from minik8s.explain.doctor.verdict import Evidence, Verdict, ok, red, skipped


def command(facts: Facts, words: str) -> str:
    """A command of ours, with the namespace where it is not the usual one."""
    verb, _, rest = words.partition(" ")
    place = f" -n {facts.namespace}" if facts.namespace != "default" else ""
    return f"minik8s {verb}{place}{f' {rest}' if rest else ''}"


def edit(facts: Facts, old: str, new: str) -> str:
    """The command that changes one word of the Service."""
    return f"{command(facts, f'get svc/{facts.name} -o yaml')} | sed 's/{old}/{new}/' | minik8s apply -f -"


# --- 1 The Service exists ---------------------------------------------------------------------------------------------


def exists(facts: Facts) -> Verdict:
    service = facts.service
    if service is not None:
        spec = service.spec
        ports = ", ".join(told(port) for port in spec.ports)
        address = spec.clusterIP if facts.has_address else "no address" if spec.type != "ExternalName" else "a name"
        return ok(f"{spec.type} {address}, {ports or 'no ports'}")
    here = [each.metadata.name for each in facts.services if each.metadata.namespace == facts.namespace]
    shown = Evidence(command(facts, "get services"), ", ".join(sorted(here)) or "no Services")
    said = f"there is no Service {facts.name} in namespace {facts.namespace}"
    near = nearmiss.words(facts.name, here)
    if near:
        cause = f"Was {' or '.join(near)} meant?"
        return red("MK-SERVICE", said, cause, command(facts, f"doctor svc/{near[0]}"), shown)
    others = sorted(each.metadata.namespace for each in facts.services if each.metadata.name == facts.name)
    if others:
        cause = f"A Service of that name is in namespace {others[0]}."
        return red("MK-SERVICE", said, cause, f"minik8s doctor -n {others[0]} svc/{facts.name}", shown)
    cause = "Nobody made it, or it was deleted."
    return red("MK-SERVICE", said, cause, f"apply its manifest: {command(facts, 'apply -f FILE')}", shown)


def told(port: ServicePort) -> str:
    """`http 80/TCP → 8080`."""
    name = f"{port.name} " if port.name else ""
    return f"{name}{port.port}/{port.protocol} → {port.targetPort if port.targetPort is not None else port.port}"


# --- 2 Its type makes sense -------------------------------------------------------------------------------------------


def makes_sense(facts: Facts) -> Verdict:
    service = facts.spec
    spec = service.spec
    if spec.type == "ExternalName":
        return ok(f"ExternalName: only another name for {spec.externalName}")
    if spec.selector:
        kind = "headless: the name gives the Pods' addresses" if spec.clusterIP == "None" else "it selects Pods"
        return ok(f"{kind} ({format_labels(spec.selector)})")
    if any(each.endpoints for each in facts.slices):
        return ok("no selector: its endpoints were written by hand")
    return red(
        "MK-NO-SELECTOR",
        "it has no selector, and nobody wrote endpoints for it",
        "Without a selector no controller looks for Pods; then somebody must write an EndpointSlice.",
        f"give it a selector: {command(facts, f'get svc/{facts.name} -o yaml')} > svc.yaml; edit; apply",
        Evidence(command(facts, f"describe svc/{facts.name}"), "Selector: <none>   Endpoints: <none>"),
    )


def by_hand(service: Service) -> bool:
    """No selector: nobody's Pods."""
    return not service.spec.selector


# --- 3 Selector and labels meet ---------------------------------------------------------------------------------------


def selector_meets(facts: Facts) -> Verdict:
    service = facts.spec
    selector = service.spec.selector
    if not selector or service.spec.type == "ExternalName":
        return skipped("it has no selector")
    chosen = facts.selected
    wanted = format_labels(selector)
    if chosen:
        return ok(f"{wanted}: {count(len(chosen), 'Pod')}")
    makers = [one for one in facts.deployments if matches(selector, one.spec.template.metadata.labels)]
    if makers:
        return _none_made(facts, makers[0], wanted)
    every = [pod.metadata.labels for pod in facts.pods]
    near = nearmiss.meant(selector, every)
    ended = [pod for pod in facts.pods if near is None and selector.items() <= pod.metadata.labels.items()]
    cause = nearmiss.selector_hint(selector, every) or f"{count(len(ended), 'Pod')} had it, and ended for good."
    mend = "make Pods with these labels, or change the selector to labels that Pods have"
    if near:
        (key, value), (right_key, right_value), _ = near
        mend = edit(facts, f"{key}: {value}", f"{right_key}: {right_value}")
    return red(
        "MK-SELECTOR",
        f"no Pod has {wanted}",
        cause,
        mend,
        Evidence(command(facts, f"get pods -l {wanted}"), "No resources found"),
        Evidence(command(facts, "get pods --show-labels"), seen_labels(facts.pods)),
    )


def _none_made(facts: Facts, maker: Deployment, wanted: str) -> Verdict:
    """The selector is right, but the Deployment that it means has no Pods."""
    name, replicas = maker.metadata.name, maker.spec.replicas
    cause, mend = f"Deployment {name} is scaled to 0.", command(facts, f"scale deployment/{name} --replicas=1")
    if replicas != 0:
        why, mend, _ = _idle(facts, "replicasets", "makes them")
        cause = f"Deployment {name} wants {1 if replicas is None else replicas}. {why}"
    shown = Evidence(command(facts, f"get deployment/{name}"), f"READY 0/{1 if replicas is None else replicas}")
    return red("MK-NO-PODS", f"no Pod has {wanted}, but Deployment {name} would make some", cause, mend, shown)


def seen_labels(pods: list[Pod]) -> str:
    labels = [{k: v for k, v in pod.metadata.labels.items() if k != podtrouble.TEMPLATE_HASH} for pod in pods]
    found = sorted({format_labels(each) for each in labels if each})
    return "; ".join(found[:4]) + ("; …" if len(found) > 4 else "") if found else "no labels"


def count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


# --- 4 Pods are Ready -------------------------------------------------------------------------------------------------


def pods_ready(facts: Facts) -> Verdict:
    spec = facts.spec.spec
    if by_hand(facts.spec):
        return skipped("it has no Pods of its own")
    ready = facts.ready
    chosen = [pod for pod in facts.selected if not is_terminating(pod)] or facts.selected
    troubled = [pod for pod in chosen if pod not in ready]
    if not ready and not spec.publishNotReadyAddresses:
        # One that only has to wait tells least.
        pod = min(
            _of_newest_template(troubled),
            key=lambda each: (podtrouble.trouble(facts, each)[0] == "starting", each.metadata.name),
        )
        said = f"none of {len(chosen)} Pods is Ready" if len(chosen) > 1 else "the only Pod is not Ready"
        return podtrouble.verdict(facts, pod, said)
    if not troubled:
        return ok(f"all {len(ready)}" if len(ready) > 1 else "the only one")
    first = troubled[0]
    return ok(f"{len(ready)} of {len(chosen)}; {first.metadata.name}: {podtrouble.word(facts, first)}")


def _of_newest_template(pods: list[Pod]) -> list[Pod]:
    """While a Deployment replaces its Pods, the old ones' trouble may be mended already."""
    newest = max(pods, key=lambda each: each.metadata.creationTimestamp or "")
    mark = newest.metadata.labels.get(podtrouble.TEMPLATE_HASH)
    return [each for each in pods if each.metadata.labels.get(podtrouble.TEMPLATE_HASH) == mark]


# --- 5 Endpoints list them --------------------------------------------------------------------------------------------


def endpoints_list(facts: Facts) -> Verdict:
    service = facts.spec
    if service.spec.type == "ExternalName":
        return skipped("an ExternalName has none")
    if not service.spec.ports:
        return ok("a headless Service without ports")
    unknown = {pod.metadata.name: pod for pod in facts.ready}
    for port in service.spec.ports:
        listed = [target for target in targets_of(port, facts.slices) if target.ready]
        if not listed:
            return _none_listed(facts, port)
        for target in listed:
            unknown.pop(target.pod.partition("/")[2], None)
    lost = [] if by_hand(service) else [target for target in facts.targets if _is_gone(facts, target)]
    if lost or (unknown and not by_hand(service)):
        return _out_of_date(facts, sorted(unknown), lost)
    return ok(", ".join(dict.fromkeys(target.name for target in facts.targets)))


def _is_gone(facts: Facts, target: Target) -> bool:
    return bool(target.pod) and target.pod not in {f"{p.metadata.namespace}/{p.metadata.name}" for p in facts.pods}


def _none_listed(facts: Facts, port: ServicePort) -> Verdict:
    named = isinstance(port.targetPort, str)
    if named and facts.ready and not any(port.targetPort in port_names(pod) for pod in facts.ready):
        names = sorted({name for pod in facts.ready for name in port_names(pod)})
        near = nearmiss.words(str(port.targetPort), names) or (names if len(names) == 1 else [])
        target = near[0] if near else "NUMBER"
        return red(
            "MK-NAMED-PORT",
            f"no ready Pod calls a port {port.targetPort!r}, as targetPort says",
            f"The Pods' ports are called {', '.join(names)}." if names else "The Pods' containers name no ports.",
            edit(facts, f"targetPort: {port.targetPort}", f"targetPort: {target}"),
            Evidence(command(facts, f"describe pod/{facts.ready[0].metadata.name}"), f"Ports: {', '.join(names)}"),
        )
    if by_hand(facts.spec):
        return red(
            "MK-ENDPOINTS",
            f"no EndpointSlice has a ready endpoint for port {port.name or port.port}",
            "Its endpoints are written by hand: a slice's port must have the same name and protocol as the Service's.",
            f"see them: {_slices(facts)} -o yaml",
            Evidence(_slices(facts), "no ready endpoint"),
        )
    return _out_of_date(facts, [pod.metadata.name for pod in facts.ready], [])


def port_names(pod: Pod) -> list[str]:
    return [port.name for container in pod.spec.containers for port in container.ports if port.name]


def _slices(facts: Facts) -> str:
    return command(facts, f"get endpointslices -l kubernetes.io/service-name={facts.name}")


def _out_of_date(facts: Facts, lacking: list[str], lost: list[Target]) -> Verdict:
    said = f"ready, but in no slice: {', '.join(lacking)}" if lacking else f"listed, but gone: {lost[0].who}"
    cause, mend, shown = _idle(facts, "endpoints", "writes the slices")
    listed = Evidence(_slices(facts), ", ".join(target.name for target in facts.targets) or "no endpoints")
    return red("MK-ENDPOINTS", said, cause, mend, listed, shown)


def _idle(facts: Facts, controller: str, does: str) -> tuple[str, str, Evidence]:
    """Why a controller does nothing, how that is mended, and what shows it."""
    if facts.controllers_run:
        return (
            f"Controller `{controller}` {does}. The process controllers runs, so this one was left out, or it cannot "
            "write.",
            "minik8s up --without none",
            Evidence("minik8s get lease -n kube-system kube-controller-manager -o yaml", "renewed a moment ago"),
        )
    return (
        f"Controller `{controller}` {does}. The process controllers, of which it is a part, does not run.",
        "minik8s start controllers",
        Evidence("minik8s status", "see the line controllers"),
    )
