"""The doctor's judgements, as a table of worlds: what is spoilt, which rung breaks, which code."""

import pytest
from doctor_worlds import IP, PODS, client, climb, dial, healthy, node, pod, service, slice_of

from minik8s.api import codec, times
from minik8s.api.apps import Deployment
from minik8s.api.meta import OwnerReference
from minik8s.explain import faults
from minik8s.explain.doctor import tell
from minik8s.explain.doctor.facts import Facts, Listener, Lookup, OnNode
from minik8s.explain.doctor.verdict import OK, UNASKED
from minik8s.explain.kernelview import Difference

REFUSED = "proxy does not answer: [Errno 111] Connection refused"


def given(**changes):
    """Facts with other values."""

    def spoil(facts: Facts) -> None:
        for name, value in changes.items():
            setattr(facts, name, value)

    return spoil


def waiting(reason: str, message: str = "", **more) -> dict:
    return {"name": "main", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}, **more}


def pods(*found):
    return given(pods=[*found, client()])


def both(**status):
    return pods(pod("web-a", ready=False, **status), pod("web-b", ready=False, **status))


def unplaced():
    found = pod("web-a", ready=False, containerStatuses=[])
    found.spec.nodeName = ""
    found.status.conditions[0].status, found.status.conditions[0].message = "False", "0/2 nodes are available"
    return found


def maker(replicas: int) -> Deployment:
    template = {"metadata": {"labels": {"app": "web"}}}
    return codec.from_dict(
        Deployment, {"metadata": {"name": "web"}, "spec": {"replicas": replicas, "template": template}}
    )


def ending():
    found = pod("web-a")
    found.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
    return found


def listening(*found: Listener):
    return given(listeners={"default/web-a": found, "default/web-b": found})


def asked(rcode: str, *addresses: str, nameserver: str = "10.96.0.10"):
    return given(lookup=Lookup("web", (nameserver,), (("web.default.svc.cluster.local", rcode, addresses),)))


def also(*spoils):
    def spoil(facts: Facts) -> None:
        for each in spoils:
            each(facts)

    return spoil


REFUSED_ADDRESS = given(addresses=[dial(f"{IP}:80", "node-2", outcome="refused")])
DOWN = given(on_nodes=[OnNode("node-1"), OnNode("node-2", proxy=REFUSED)])
WRONG = given(on_nodes=[OnNode("node-1"), OnNode("node-2", differences=(Difference("chain services", "jump x"),))])
STALE = given(on_nodes=[OnNode("node-1"), OnNode("node-2", stale=("endpointslices/default/web-x",))])
DNS_DOWN = given(on_nodes=[OnNode("node-1", dns="dns does not answer: [Errno 111] Connection refused")])
TIMED_OUT = asked("timed out")

WORLDS = [
    # 1 to 3: objects
    ("no such Service", given(services=[]), "service", "MK-SERVICE"),
    ("no selector, no endpoints", given(services=[service(selector=None)], slices=[]), "type", "MK-NO-SELECTOR"),
    ("a selector misspelt", given(services=[service(selector={"app": "wbe"})]), "selector", "MK-SELECTOR"),
    ("no Pods at all", given(pods=[]), "selector", "MK-SELECTOR"),
    ("a Deployment scaled to 0", given(pods=[], deployments=[maker(0)]), "selector", "MK-NO-PODS"),
    ("a Deployment nobody acts on", given(pods=[], deployments=[maker(3)]), "selector", "MK-NO-PODS"),
    # 4: Pods
    ("nowhere to run", pods(unplaced()), "ready", "MK-POD-PENDING"),
    ("no such image", both(containerStatuses=[waiting("ImagePullBackOff", "no")]), "ready", "MK-IMAGE"),
    ("no such ConfigMap", both(containerStatuses=[waiting("CreateContainerConfigError")]), "ready", "MK-CONFIG"),
    (
        "it crashes",
        both(
            containerStatuses=[
                waiting("CrashLoopBackOff", restartCount=3, lastState={"terminated": {"exitCode": 1}}),
            ]
        ),
        "ready",
        "MK-CRASH",
    ),
    ("the probe fails", both(), "ready", "MK-PROBE"),
    ("it starts", both(containerStatuses=[waiting("ContainerCreating")]), "ready", "MK-STARTING"),
    ("it ends", pods(ending()), "ready", "MK-POD-ENDING"),
    ("its node is lost", also(both(), given(nodes=[node(1, False), node(2, False)])), "ready", "MK-NODE"),
    # 5: endpoints
    ("a Pod that no slice lists", given(slices=[slice_of("web-a")]), "endpoints", "MK-ENDPOINTS"),
    ("no slice", given(slices=[]), "endpoints", "MK-ENDPOINTS"),
    ("a slice lists a Pod that is gone", pods(pod("web-a")), "endpoints", "MK-ENDPOINTS"),
    (
        "a port's name that no Pod has",
        given(services=[service(ports=[{"name": "http", "port": 80, "targetPort": "htpp"}])], slices=[]),
        "endpoints",
        "MK-NAMED-PORT",
    ),
    # 6 and 7: inside the Pods
    ("the agent is silent", given(listeners={"default/web-a": "the agent does not answer"}), "pod", "MK-AGENT"),
    ("the node is cut off", given(listeners={"default/web-a": "the agent does not answer: timed out"}), "pod",
     "MK-NODE"),
    ("nobody listens at all", listening(), "pod", "MK-SILENT"),
    ("another port", listening(Listener("tcp", "::", 9090)), "target-port", "MK-TARGET-PORT"),
    ("another protocol", listening(Listener("udp", "0.0.0.0", 8080)), "target-port", "MK-TARGET-PORT"),
    ("only for itself", listening(Listener("tcp", "127.0.0.1", 8080)), "target-port", "MK-LOOPBACK"),
    ("a wire is broken", given(beside=[dial("10.244.1.2:8080", outcome="timed out")]), "target-port", "MK-POD-NETWORK"),
    # 8: names
    ("another resolver", asked("NOERROR", IP, nameserver="8.8.8.8"), "name", "MK-RESOLV-CONF"),
    ("unknown to DNS", asked("NXDOMAIN"), "name", "MK-DNS-NAME"),
    ("an old address", asked("NOERROR", "10.96.9.9"), "name", "MK-DNS-NAME"),
    ("DNS dead, others help", DNS_DOWN, "name", "MK-DNS"),
    ("DNS dead, nobody helps", also(TIMED_OUT, DNS_DOWN), "name", "MK-DNS"),
    ("no answer, proxy dead", also(TIMED_OUT, given(on_nodes=[OnNode("node-1", proxy=REFUSED)])), "name", "MK-PROXY"),
    ("no answer, no reason", TIMED_OUT, "name", "MK-DNS-PATH"),
    # 9: the ClusterIP
    ("no answer, its proxy is dead", also(REFUSED_ADDRESS, DOWN), "cluster-ip", "MK-PROXY"),
    ("no answer, the rules were changed", also(REFUSED_ADDRESS, WRONG), "cluster-ip", "MK-RULES"),
    ("no answer, the rules are old", also(REFUSED_ADDRESS, STALE), "cluster-ip", "MK-STALE"),
    ("no answer, no reason in the rules", REFUSED_ADDRESS, "cluster-ip", "MK-CLUSTER-IP"),
    (
        "only local endpoints, and none here",
        given(services=[service(internalTrafficPolicy="Local")], slices=[slice_of("web-b")], pods=[pod("web-b")]),
        "cluster-ip",
        "MK-LOCAL",
    ),
    # 10 and 11
    ("a node port is shut", given(node_ports=[dial("192.168.56.12:30080", outcome="refused")]), "node-port",
     "MK-NODE-PORT"),
    ("all answers, a proxy is dead", DOWN, "rules", "MK-PROXY"),
    ("all answers, a rule was changed", WRONG, "rules", "MK-RULES"),
    ("all answers, the proxy is behind", STALE, "rules", "MK-STALE"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "rung", "code"), [row[1:] for row in WORLDS], ids=[row[0] for row in WORLDS])
def test_the_first_rung_that_breaks_names_the_cause(spoil, rung, code):
    findings, broken, found = climb(spoil)
    assert (broken, found) == (rung, code), findings[-1].verdict.said
    verdict = findings[-1].verdict
    assert verdict.said and verdict.cause and verdict.mend and verdict.evidence


def test_a_healthy_service_is_green_on_every_rung():
    findings, broken, _ = climb()
    assert not broken
    assert [each.verdict.state for each in findings] == [OK] * 11


WELL = [
    ("headless", given(services=[service(type="ClusterIP", clusterIP="None", ports=[{"name": "http", "port": 80}])],
                       lookup=Lookup("web", ("10.96.0.10",), (("web", "NOERROR", ("10.244.1.2", "10.244.2.2")),)))),
    ("one Pod of two is ready", also(pods(pod("web-a"), pod("web-b", ready=False)),
                                     given(slices=[slice_of("web-a")]))),
    ("no Pod to ask from", given(source=None, lookup=None)),
    ("policy Local shuts the other node", also(
        given(services=[service(externalTrafficPolicy="Local")], slices=[slice_of("web-a")], pods=[pod("web-a")]),
        given(node_ports=[dial("192.168.56.11:30080"), dial("192.168.56.12:30080", outcome="timed out")]))),
    ("written by hand", given(services=[service(selector=None)])),
    ("another kubelet has no such pages", given(listeners={"default/web-a": "404 page not found"}, inside=[])),
]  # fmt: skip


@pytest.mark.parametrize("spoil", [row[1] for row in WELL], ids=[row[0] for row in WELL])
def test_what_is_no_fault_is_not_called_one(spoil):
    findings, broken, code = climb(spoil)
    assert not broken, (broken, code, findings[-1].verdict.said)


def test_the_climb_ends_at_the_first_red_rung():
    findings, _, _ = climb(also(given(services=[service(selector={"app": "wbe"})]), DOWN))
    assert [each.rung.name for each in findings] == ["service", "type", "selector"]


def test_near_misses_are_named_with_the_command_that_mends_them():
    wrong = climb(given(services=[service(selector={"app": "wbe"})]))[0][-1].verdict
    assert wrong.cause == "No Pod has app=wbe. 2 Pods have app=web."
    assert wrong.mend == "minik8s get svc/web -o yaml | sed 's/app: wbe/app: web/' | minik8s apply -f -"
    near = healthy()
    near.name = "wbe"
    assert tell.values(near, climb(given(name="wbe"))[0])["rungs"][0]["cause"] == "Was web meant?"


def test_a_service_that_stands_elsewhere_is_found():
    other = service()
    other.metadata.namespace = "shop"
    assert climb(given(services=[other]))[0][-1].verdict.mend == "minik8s doctor -n shop svc/web"


def test_a_probe_that_asks_a_port_nobody_names_is_mended_by_a_command():
    found = pod("web-a", ready=False)
    found.spec.containers[0].readinessProbe.httpGet.port = 8081
    verdict = climb(also(pods(found), given(warnings={"web-a": ["Readiness probe failed: connection refused"]})))[0][-1]
    assert "connection refused. It asks port 8081 for /ready" in verdict.verdict.cause
    assert "sed 's/port: 8081/port: 8080/'" in verdict.verdict.mend
    assert "deployment/web " in verdict.verdict.mend


def test_a_probe_that_was_mended_is_not_blamed_while_the_new_pods_start():
    old = pod("web-a", ready=False)
    new = pod("web-b", ready=False, containerStatuses=[waiting("ContainerCreating")])
    old.metadata.creationTimestamp, new.metadata.creationTimestamp = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
    new.metadata.labels["pod-template-hash"] = "7c4"
    assert climb(pods(old, new))[0][-1].verdict.code == "MK-STARTING"
    new.metadata.labels["pod-template-hash"] = "5d9"
    assert climb(pods(old, new))[0][-1].verdict.code == "MK-PROBE", "of one template the more telling one counts"


@pytest.mark.parametrize(("age", "code"), [(1.0, "MK-STARTING"), (6.0, "MK-PROBE"), (-60.0, "MK-PROBE")])
def test_a_probe_is_blamed_only_when_the_program_had_time_to_start(age, code):
    """Whose clock is behind ours says nothing about its age."""
    began = "2026-01-01T00:00:00Z"
    young = pod("web-a", ready=False)
    young.status.containerStatuses[0].state.running.startedAt = began
    assert climb(also(pods(young), given(now=times.parse(began) + age)))[0][-1].verdict.code == code


@pytest.mark.parametrize(("run", "mend"), [(True, "minik8s up --without none"), (False, "minik8s start controllers")])
def test_missing_slices_are_mended_by_whether_the_controllers_run(run, mend):
    assert climb(given(slices=[], controllers_run=run))[0][-1].verdict.mend == mend
    assert climb(given(pods=[], deployments=[maker(3)], controllers_run=run))[0][-1].verdict.mend == mend


def test_a_client_of_another_namespace_is_named_with_it():
    facts = healthy()
    facts.source.metadata.namespace = "shop"
    assert tell.head(facts).endswith("asked from Pod shop/client on node-1")


def test_what_could_not_be_asked_is_said():
    findings, _, _ = climb(given(source=None, source_why="no Pod runs to ask from", lookup=None))
    assert [each.rung.name for each in findings if each.verdict.state == UNASKED] == ["name"]
    assert tell.end(findings)[-1] == "Nothing wrong was found. Could not be asked: the name resolves."


@pytest.mark.parametrize("spoil", [row[1] for row in WORLDS], ids=[row[0] for row in WORLDS])
def test_what_is_told_fits_eighty_columns(spoil):
    facts = healthy()
    findings = climb(spoil)[0]
    lines = [line for each in findings for line in tell.line(each)] + tell.end(findings)
    assert not [line for line in [tell.head(facts), *lines] if len(line) > 79 and " " in line.strip()[11:]]


def test_a_long_command_can_still_be_copied():
    text = "minik8s get svc/web -o yaml | sed 's/targetPort: 8081/targetPort: 8080/' | minik8s apply -f -"
    lines = tell.command(text, "mend   $ ", "       ")
    assert " ".join(" ".join(lines).removeprefix("mend   $ ").split()) == text


# --- Faults -----------------------------------------------------------------------------------------------------------


def deployment() -> dict:
    template = {"spec": {"containers": [codec.to_dict(pod("web-a").spec.containers[0])]}}
    return {"metadata": {"namespace": "default", "name": "web"}, "spec": {"template": template}}


def scene() -> faults.Scene:
    old = {"metadata": {"namespace": "default", "name": "web-5d9"}}
    return faults.Scene(healthy(), deployment(), (old,))


def deeds(number: int) -> faults.Plan:
    return faults.FAULTS[number - 1].make(scene())


def test_the_five_faults_and_what_undoes_them():
    assert deeds(1).deeds[0].patch == {"spec": {"selector": {"app": "wbe"}}}
    assert deeds(1).undo[0].patch == {"spec": {"selector": {"app": "web"}}}
    assert deeds(2).deeds[0].patch["spec"]["ports"][0]["targetPort"] == 8081
    assert deeds(2).undo[0].patch["spec"]["ports"][0]["targetPort"] == "http"
    broken = deeds(3).deeds[0].patch["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    assert broken["httpGet"] == {"path": "/ready", "port": 8081}
    assert deeds(3).deeds[1] == faults.Deed("patch", "replicasets/default/web-5d9", {"spec": {"replicas": 0}})
    assert deeds(3).undo[0].patch["spec"]["template"] == deployment()["spec"]["template"]
    assert [(each.do, each.what) for each in deeds(4).deeds] == [
        ("stop", "proxy@node-1"),
        ("delete", "pods/default/web-a"),
        ("delete", "pods/default/web-b"),
    ]
    assert deeds(5).deeds + deeds(5).undo == (faults.Deed("stop", "dns@node-1"), faults.Deed("start", "dns@node-1"))


def test_a_fault_is_written_down_and_read_back():
    for fault in faults.FAULTS:
        record = faults.record(fault, scene(), fault.make(scene()))
        assert faults.from_values(faults.to_values(record)) == record


def test_a_pod_that_nobody_replaces_is_not_deleted():
    alone = scene()
    for each in alone.facts.pods:
        each.metadata.ownerReferences = []
    assert [each.do for each in faults.proxy_stopped(alone).deeds] == ["stop"]
    alone.facts.pods[0].metadata.ownerReferences = [OwnerReference(apiVersion="v1", kind="X", name="x", uid="u")]
    assert [each.do for each in faults.proxy_stopped(alone).deeds] == ["stop"], "an owner that is no controller"


@pytest.mark.parametrize(
    ("word", "spelt"), [("web", "wbe"), ("a", "ax"), ("aa", "aax"), ("back-end", "back-edn"), ("v1.2", "1v.2")]
)
def test_a_word_is_misspelt_as_fingers_do_it(word, spelt):
    assert faults.misspelt(word) == spelt


def unprobed(facts: Facts) -> None:
    for each in facts.pods:
        each.spec.containers[0].readinessProbe = None


MENDS = [
    ("as before", given(), ""),
    ("the target port as a number", given(services=[service(ports=[
        {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080}])]), ""),
    ("the Service deleted", given(services=[]), "Service web is gone"),
    ("another address", given(services=[service(clusterIP="10.96.7.7")]), "had the address 10.96.5.6"),
    ("another type", given(services=[service(type="ClusterIP")]), "type was NodePort"),
    ("another port", given(services=[service(ports=[{"port": 8080, "nodePort": 30080}])]), "ports are others"),
    ("no selector", given(services=[service(selector=None)]), "selects other Pods"),
    ("a selector for others", given(services=[service(selector={"app": "client"})]), "selects other Pods"),
    ("unready Pods published", given(services=[service(publishNotReadyAddresses=True)]), "publishNotReadyAddresses"),
    ("the probe removed", unprobed, "had a readinessProbe"),
    ("fewer Pods", pods(pod("web-a")), "2 Pods served before"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), [row[1:] for row in MENDS], ids=[row[0] for row in MENDS])
def test_a_mend_must_bring_back_what_clients_rely_on(spoil, said):
    record = faults.record(faults.FAULTS[0], scene(), deeds(1))
    facts = healthy()
    spoil(facts)
    found = "; ".join(faults.complaints(record, facts))
    assert said in found if said else not found


def test_the_worlds_name_pods_that_exist():
    assert set(PODS) == {each.metadata.name for each in healthy().selected}
