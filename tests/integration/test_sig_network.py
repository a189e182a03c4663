"""What upstream's end-to-end suite demands of Services, played on a whole cluster, under upstream's own names.

`tests/sig_network.yaml` lists each behaviour of sig-network with the test that shows it here, or why there is none;
`tests/unit/test_sig_network_table.py` holds the list against the tests. Everything is asked for real, from a Pod, a
node and outside.

Source: test/e2e/network of Kubernetes 1.33.
"""

import contextlib
from collections.abc import Iterator

import pytest
from support import stage as stages
from support.cluster import Cluster, until
from support.stage import PLACES, Stage, each_node, url

from minik8s.api.core import Endpoints, Service
from minik8s.api.discovery import SERVICE_NAME, EndpointSlice
from minik8s.api.pods import Pod, is_ready
from minik8s.client.errors import ApiError, NotFound, Unreachable
from minik8s.cluster import topology

pytestmark = pytest.mark.system
NODES = ("node-1", "node-2", "node-3")


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    yield from stages.up(cluster, "sig")


@pytest.fixture(autouse=True)
def tidy(stage: Stage) -> Iterator[None]:
    """Services and further Pods of a test go with it."""
    yield
    for each in stage.space.client.list(Service, "sig").items:
        stage.delete(Service, each.metadata.name, wait=False)
    for pod in stage.space.client.list(Pod, "sig", labels="stage=more").items:
        with contextlib.suppress(NotFound):  # the test has let it go, and it went just now
            stage.delete(Pod, pod.metadata.name, wait=False)


def refuse_creation(stage: Stage, name: str, **spec: object) -> str:
    with pytest.raises(ApiError) as refused:
        stage.service(name, **spec)
    return str(refused.value)


# --- Endpoints -------------------------------------------------------------------------------------------------------


def test_should_serve_a_basic_endpoint_from_pods(stage: Stage) -> None:
    service = stage.service("basic")
    found = stage.space.wait(Endpoints, lambda seen: len(addresses(seen.get("basic"))) == 3)
    assert addresses(found["basic"]) == {pod.status.podIP for pod in stage.pods.values()}
    stage.everybody("pod", url(service), stage.names)


def addresses(found: Endpoints | None) -> set[str]:
    return {each.ip for subset in (found.subsets if found else []) for each in subset.addresses}


def test_should_serve_multiport_endpoints_from_pods(stage: Stage) -> None:
    ports = [
        {"name": "one", "port": 80, "targetPort": 8080},
        {"name": "two", "port": 81, "targetPort": 8081},
    ]
    service = stage.service("multiport", ports)
    for port, target in ((80, "8080"), (81, "8081")):
        stage.everybody("pod", url(service, port), stage.names)
        assert stage.ask("pod", url(service, port))["server"].endswith(f":{target}")


def test_should_serve_endpoints_on_same_port_and_different_protocols(stage: Stage) -> None:
    ports = [
        {"name": "tcp", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "udp", "port": 80, "targetPort": 8081, "protocol": "UDP"},
    ]
    service = stage.service("protocols", ports)
    for place in ("pod", "node"):
        stage.answers(place, url(service))
        stage.answers(place, f"udp://{service.spec.clusterIP}:80")


def test_should_be_updated_after_adding_or_deleting_ports(stage: Stage) -> None:
    first = {"name": "one", "port": 80, "targetPort": 8080}
    service = stage.service("ports", [first])
    stage.answers("pod", url(service))
    stage.change("ports", {"spec": {"ports": [first, {"name": "two", "port": 81, "targetPort": 8081}]}})
    stage.answers("pod", url(service, 81))
    stage.change("ports", {"spec": {"ports": [{"name": "two", "port": 81, "targetPort": 8081}]}})
    stage.refuses("pod", url(service, 80))
    stage.answers("pod", url(service, 81))


def test_named_target_ports_lead_to_a_different_port_in_each_pod(stage: Stage) -> None:
    for number, port in ((1, 9001), (2, 9002)):
        labels = "{stage: more, named: 'yes'}"
        stage.backend(f"named-{number}", f"node-{number}", labels=labels, ports=str(port))
    stage.ready("named-1", "named-2")
    service = stage.service("named", [{"port": 80, "targetPort": "http"}], selector={"named": "yes"})
    stage.everybody("pod", url(service), {"named-1", "named-2"})


@pytest.mark.parametrize("published", [True, False])
def test_unready_endpoints_are_reached_if_publish_not_ready_addresses_is_true_and_only_then(
    stage: Stage, published: bool
) -> None:
    name = f"unready-{str(published).lower()}"
    pod = stage.backend(name, "node-2", labels=f"{{stage: more, unready: {name}}}", ready='["false"]')
    found = stage.space.wait(Pod, lambda seen: seen[name].status.phase == "Running")
    assert not is_ready(found[name])
    service = stage.service(name, selector={"unready": name}, publishNotReadyAddresses=published)
    if published:
        stage.everybody("pod", url(service), {pod.metadata.name})
    else:
        stage.refuses("pod", url(service))


# --- Paths -----------------------------------------------------------------------------------------------------------


def test_should_preserve_source_pod_ip_for_traffic_through_service_cluster_ip(stage: Stage) -> None:
    service = stage.service("source")
    stage.everybody("pod", url(service), stage.names)
    seen = {said["client"].rpartition(":")[0] for said in stage.ask_often("pod", url(service), 6)}
    assert seen == {stage.client.pod.status.podIP}


def test_should_allow_pods_to_hairpin_back_to_themselves_through_services(stage: Stage) -> None:
    me = stage.pods["node-2"]
    service = stage.service("hairpin", selector={"stage": "web", "number": "2"})
    stage.answers("node-2", url(service))
    said = stage.space("exec", me.metadata.name, "--", "curl", "-s", "--max-time", "3", url(service)).stdout
    assert f'"pod": "{me.metadata.name}"' in said


@pytest.mark.parametrize("protocol", ["http", "udp"])
@pytest.mark.parametrize("place", ["pod", "node"])
def test_granular_checks_pods_and_services_answer_pods_and_nodes(stage: Stage, place: str, protocol: str) -> None:
    for pod in stage.pods.values():
        assert stage.ask(place, f"{protocol}://{pod.status.podIP}:8080")["pod"] == pod.metadata.name
    kind = "UDP" if protocol == "udp" else "TCP"
    service = stage.service("granular", [{"port": 80, "targetPort": 8080, "protocol": kind}])
    stage.everybody(place, f"{protocol}://{service.spec.clusterIP}:80", stage.names)


def test_should_be_able_to_create_a_functioning_nodeport_service(stage: Stage) -> None:
    port = stage.service("nodeport", type="NodePort").spec.ports[0].nodePort
    each_node(stage.cluster, lambda node: stage.everybody("outside", f"http://{node}:{port}", stage.names))
    stage.answers("pod", f"http://{topology.node_address('node-3')}:{port}")
    stage.answers("node", f"http://{topology.node_address('node-1')}:{port}")
    assert not stage.ask("node", f"http://127.0.0.1:{port}"), "a node port is not on loopback"


def test_should_be_possible_to_connect_to_a_service_via_external_ip_when_the_external_ip_is_not_assigned_to_a_node(
    stage: Stage,
) -> None:
    service = stage.service("external", externalIPs=["203.0.113.250"])
    stage.everybody("pod", "http://203.0.113.250:80", stage.names)
    stage.answers("pod", url(service))


def test_host_network_pods_are_endpoints_like_others(stage: Stage) -> None:
    stage.backend("host", "node-2", labels="{stage: more, host: 'yes'}", host="true", ports="18080")
    pod = stage.ready("host")[0]
    assert pod.status.podIP == topology.node_address("node-2")
    service = stage.service("host", [{"port": 80, "targetPort": 18080}], selector={"host": "yes"})
    for place in ("pod", "node", "node-2"):
        stage.answers(place, url(service))


# --- Up and down -----------------------------------------------------------------------------------------------------


def test_should_be_able_to_up_and_down_services(stage: Stage) -> None:
    one, two = stage.service("up-1"), stage.service("up-2")
    stage.everybody("pod", url(one), stage.names)
    stage.everybody("pod", url(two), stage.names)
    stage.delete(Service, "up-1")
    until(lambda: not stage.ask("pod", url(one), 1.0), "a Service that is gone answers nobody")
    stage.everybody("pod", url(two), stage.names)
    three = stage.service("up-3")
    stage.everybody("pod", url(three), stage.names)
    assert three.spec.clusterIP != two.spec.clusterIP


def test_should_work_after_the_service_has_been_recreated(stage: Stage) -> None:
    address = stage.service("again").spec.clusterIP
    stage.delete(Service, "again")
    service = stage.service("again", clusterIP=address)
    assert service.spec.clusterIP == address
    stage.everybody("pod", url(service), stage.names)


def test_should_work_after_restarting_kube_proxy(stage: Stage) -> None:
    before = stage.service("before-proxy")
    stage.everybody("pod", url(before), stage.names)
    for node in NODES:
        stage.cluster.kill(f"proxy@{node}")
    assert stage.ask("pod", url(before)), "the rules stay while no proxy runs"
    after = stage.service("after-proxy")
    stage.everybody("pod", url(after), stage.names)
    stage.everybody("pod", url(before), stage.names)


def test_should_work_after_restarting_apiserver(stage: Stage) -> None:
    before = stage.service("before-api")
    stage.everybody("pod", url(before), stage.names)
    stage.cluster.kill("apiserver")
    assert stage.ask("pod", url(before)), "the rules need no API server"
    after = until(lambda: quietly(stage, "after-api"), "the API server takes writes again")
    stage.everybody("pod", url(after), stage.names)
    stage.everybody("pod", url(before), stage.names)


def quietly(stage: Stage, name: str) -> Service | None:
    """The Service, made or found: of a write that was under way when the server died nobody knows what became."""
    for attempt in (lambda: stage.service(name), lambda: stage.space.get(Service, name)):
        with contextlib.suppress(ApiError, Unreachable):
            return attempt()
    return None


# --- Nobody there ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_should_be_rejected_when_no_endpoints_exist(stage: Stage, place: str) -> None:
    service = stage.service("nobody", type="NodePort", selector={"stage": "nobody"})
    stage.refuses(place, f"http://{topology.node_address('node-1')}:{service.spec.ports[0].nodePort}")
    if place != "outside":
        stage.refuses(place, url(service))


def test_should_implement_service_proxy_name(stage: Stage) -> None:
    service = stage.service("other", labels={"service.kubernetes.io/service-proxy-name": "somebody-else"})
    shown = stage.service("mine")
    stage.answers("pod", url(shown))  # the proxy has seen both by now
    assert not stage.ask("pod", url(service), 1.0)
    stage.change("other", {"metadata": {"labels": {"service.kubernetes.io/service-proxy-name": None}}})
    stage.everybody("pod", url(service), stage.names)


def test_should_implement_headless(stage: Stage) -> None:
    service = stage.service("label", labels={"service.kubernetes.io/headless": ""})
    shown = stage.service("beside")
    stage.answers("pod", url(shown))
    assert not stage.ask("pod", url(service), 1.0), "a Service with the label is nobody's to proxy"
    stage.change("label", {"metadata": {"labels": {"service.kubernetes.io/headless": None}}})
    stage.everybody("pod", url(service), stage.names)


# --- Types -----------------------------------------------------------------------------------------------------------


def test_should_be_able_to_change_the_type_from_external_name_to_cluster_ip(stage: Stage) -> None:
    stage.service("name-1", [{"port": 80}], type="ExternalName", externalName="example.com", selector={})
    change = {"type": "ClusterIP", "externalName": None, "selector": {"stage": "web"}}
    service = stage.change("name-1", {"spec": change | {"ports": [{"port": 80, "targetPort": 8080}]}})
    stage.everybody("pod", url(service), stage.names)


def test_should_be_able_to_change_the_type_from_external_name_to_nodeport(stage: Stage) -> None:
    stage.service("name-2", [{"port": 80}], type="ExternalName", externalName="example.com", selector={})
    change = {"type": "NodePort", "externalName": None, "selector": {"stage": "web"}}
    service = stage.change("name-2", {"spec": change | {"ports": [{"port": 80, "targetPort": 8080}]}})
    port = service.spec.ports[0].nodePort
    stage.everybody("outside", f"http://{topology.node_address('node-2')}:{port}", stage.names)


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_should_be_able_to_change_the_type_to_external_name(stage: Stage, kind: str) -> None:
    service = stage.service("to-name", type=kind)
    stage.answers("pod", url(service))
    changed = stage.change("to-name", {"spec": {"type": "ExternalName", "externalName": "web.sig.svc.cluster.local"}})
    assert (changed.spec.clusterIP, changed.spec.ports[0].nodePort) == ("", 0)
    until(lambda: not stage.ask("pod", url(service), 1.0), "its address is nobody's any more")
    again = stage.service("took-it", clusterIP=service.spec.clusterIP)
    stage.everybody("pod", url(again), stage.names)


def test_should_prevent_nodeport_collisions_and_release_node_ports_on_delete(stage: Stage) -> None:
    port = stage.service("first", type="NodePort").spec.ports[0].nodePort
    ports = [{"port": 80, "targetPort": 8080, "nodePort": port}]
    assert "provided port is already allocated" in refuse_creation(stage, "second", ports=ports, type="NodePort")
    stage.delete(Service, "first")
    assert stage.service("second", ports, type="NodePort").spec.ports[0].nodePort == port
    stage.answers("outside", f"http://{topology.node_address('node-1')}:{port}")


def test_should_check_nodeport_out_of_range(stage: Stage) -> None:
    ports = [{"port": 80, "targetPort": 8080, "nodePort": 20000}]
    assert "spec.ports[0].nodePort" in refuse_creation(stage, "range", ports=ports, type="NodePort")
    stage.service("range", type="NodePort")
    with pytest.raises(ApiError, match=r"spec\.ports\[0\]\.nodePort"):
        stage.change("range", {"spec": {"ports": ports}})


def test_should_be_able_to_update_to_nodeport_listening_on_same_port_number_but_different_protocols(
    stage: Stage,
) -> None:
    stage.service("both", type="ClusterIP")
    ports = [
        {"name": "tcp", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "udp", "port": 80, "targetPort": 8080, "protocol": "UDP"},
    ]
    service = stage.change("both", {"spec": {"type": "NodePort", "ports": ports}})
    numbers = {port.nodePort for port in service.spec.ports}
    assert len(numbers) == 1 and 0 not in numbers
    node = topology.node_address("node-2")
    stage.answers("outside", f"http://{node}:{min(numbers)}")
    stage.answers("outside", f"udp://{node}:{min(numbers)}")


# --- Session affinity -------------------------------------------------------------------------------------------------


def affine(stage: Stage, place: str, where: str) -> bool:
    seen = [said["pod"] for said in stage.ask_often(place, where, 12)]
    return len(seen) == 12 and len(set(seen)) == 1


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_should_have_session_affinity_work_and_be_able_to_switch_it(stage: Stage, kind: str) -> None:
    service = stage.service("sticky", type=kind, sessionAffinity="ClientIP")
    place, where = "pod", url(service)
    if kind == "NodePort":
        place, where = "outside", f"http://{topology.node_address('node-2')}:{service.spec.ports[0].nodePort}"
    stage.answers(place, where)
    until(lambda: affine(stage, place, where), "the client stays with one endpoint")
    stage.change("sticky", {"spec": {"sessionAffinity": "None", "sessionAffinityConfig": None}})
    stage.everybody(place, where, stage.names)
    stage.change("sticky", {"spec": {"sessionAffinity": "ClientIP"}})
    until(lambda: affine(stage, place, where), "and again")


def test_should_have_session_affinity_timeout_work(stage: Stage) -> None:
    config = {"clientIP": {"timeoutSeconds": 1}}
    service = stage.service("timeout", sessionAffinity="ClientIP", sessionAffinityConfig=config)
    stage.answers("pod", url(service))
    # Asked without a pause it stays, because each connection renews the second; after a pause chance decides again.
    until(lambda: affine(stage, "pod", url(service)), "twelve quick questions reach one endpoint")
    first = stage.ask("pod", url(service))["pod"]
    stage.client.run("sleep", "1.2")
    until(lambda: paused(stage, url(service)) != first, "forgotten after the time-out", 30.0)


def paused(stage: Stage, where: str) -> str:
    """Who answers a client that was silent for longer than it is remembered."""
    stage.client.run("sleep", "1.2")
    return stage.ask("pod", where)["pod"]


# --- Traffic policies -------------------------------------------------------------------------------------------------


def test_should_respect_internal_traffic_policy_local(stage: Stage) -> None:
    service = stage.service("internal", internalTrafficPolicy="Local")
    stage.everybody("pod", url(service), {stage.pods["node-1"].metadata.name})
    stage.everybody("node-2", url(service), {stage.pods["node-2"].metadata.name})
    only = stage.service("internal-2", internalTrafficPolicy="Local", selector={"stage": "web", "number": "2"})
    stage.answers("node-2", url(only))
    assert not stage.ask("pod", url(only), 1.0), "no endpoint on node-1, and none elsewhere may be used"


def test_external_traffic_policy_local_only_targets_nodes_with_endpoints_and_keeps_the_source(stage: Stage) -> None:
    spec = {"type": "NodePort", "externalTrafficPolicy": "Local", "selector": {"stage": "web", "number": "2"}}
    port = stage.service("local", **spec).spec.ports[0].nodePort
    with_endpoint = f"http://{topology.node_address('node-2')}:{port}"
    stage.answers("outside", with_endpoint)
    assert stage.ask("outside", with_endpoint)["client"].startswith("192.168.56.1:")
    assert not stage.ask("outside", f"http://{topology.node_address('node-3')}:{port}", 1.0)
    stage.answers("pod", f"http://{topology.node_address('node-1')}:{port}")  # a Pod of the asked node may use all
    stage.change("local", {"spec": {"externalTrafficPolicy": "Cluster"}})
    stage.answers("outside", f"http://{topology.node_address('node-3')}:{port}")
    until(
        lambda: (said := stage.ask("outside", with_endpoint)) and not said["client"].startswith("192.168.56.1:"),
        "node-2 sends on under its own name too",
    )


@pytest.mark.parametrize("policy", ["Cluster", "Local"])
def test_should_fall_back_to_terminating_endpoints_when_there_are_no_ready_endpoints(stage: Stage, policy: str) -> None:
    name = f"ending-{policy.lower()}"
    stage.backend(name, "node-1", labels=f"{{stage: more, ending: {policy}}}", linger=8, grace=10)
    stage.ready(name)
    service = stage.service(
        name, selector={"ending": policy}, type="NodePort", internalTrafficPolicy=policy, externalTrafficPolicy=policy
    )
    node_port = f"http://{topology.node_address('node-1')}:{service.spec.ports[0].nodePort}"
    stage.answers("pod", url(service))
    stage.delete(Pod, name, wait=False)
    until(lambda: terminating(stage, name), "its slice says that it is terminating")
    assert stage.ask("pod", url(service))["pod"] == name
    assert stage.ask("outside", node_port)["pod"] == name


def terminating(stage: Stage, service: str) -> bool:
    slices = stage.space.client.list(EndpointSlice, stage.space.name, labels=f"{SERVICE_NAME}={service}").items
    return any(each.conditions.terminating for one in slices for each in one.endpoints)


# --- UDP and what the kernel remembers --------------------------------------------------------------------------------

STEADY = """
import json, socket, sys, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("", 40404))
    sock.settimeout(0.2)
    end = time.monotonic() + float(sys.argv[4])
    while time.monotonic() < end:
        sock.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
        try:
            if json.loads(sock.recv(65535))["pod"] == sys.argv[3]:
                sys.exit(0)
        except (OSError, ValueError):
            pass
sys.exit(1)
"""


def reached(stage: Stage, place: str, where: tuple[str, int], pod: str) -> bool:
    """Does a client that always uses the same source port come to this Pod? It is what DNS resolvers do."""
    return stage.run(place, "python3", "-c", STEADY, where[0], str(where[1]), pod, "10").code == 0


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_should_be_able_to_preserve_udp_traffic_when_server_pod_cycles(stage: Stage, kind: str) -> None:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "UDP"}]
    service = stage.service("cycle", ports, selector={"cycle": kind}, type=kind)
    place, where = "pod", (service.spec.clusterIP, 80)
    if kind == "NodePort":
        place, where = "outside", (topology.node_address("node-1"), service.spec.ports[0].nodePort)
    for name, node in ((f"cycle-1-{kind.lower()}", "node-1"), (f"cycle-2-{kind.lower()}", "node-2")):
        stage.backend(name, node, labels=f"{{stage: more, cycle: {kind}}}")
        stage.ready(name)
        assert reached(stage, place, where, name), f"{name} has taken over the client's flow"
        stage.delete(Pod, name, wait=False)


def test_should_be_able_to_preserve_udp_traffic_when_initial_unready_endpoints_get_ready(stage: Stage) -> None:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "UDP"}]
    service = stage.service("late", ports, selector={"late": "yes"})
    until(lambda: not stage.ask("pod", f"udp://{service.spec.clusterIP}:80", 0.2), "nobody serves it yet")
    stage.run("pod", "python3", "-c", STEADY, service.spec.clusterIP, "80", "nobody", "0.5")
    stage.backend("late", "node-3", labels="{stage: more, late: 'yes'}")
    stage.ready("late")
    assert reached(stage, "pod", (service.spec.clusterIP, 80), "late")


def test_should_be_able_to_cleanup_conntrack_entries_when_udp_service_target_port_changes(stage: Stage) -> None:
    ports = [{"port": 80, "targetPort": 8080, "protocol": "UDP"}]
    service = stage.service("target", ports, selector={"stage": "web", "number": "2"}, type="NodePort")
    where = (topology.node_address("node-1"), service.spec.ports[0].nodePort)
    name = stage.pods["node-2"].metadata.name
    assert reached(stage, "outside", where, name)
    number = where[1]
    stage.change(
        "target", {"spec": {"ports": [{"port": 80, "targetPort": 8081, "protocol": "UDP", "nodePort": number}]}}
    )
    moved = lambda: ":8081" in tracked(stage, number)  # noqa: E731
    until(lambda: reached(stage, "outside", where, name) and moved(), "the flow leads to the new port")


def tracked(stage: Stage, node_port: int) -> str:
    """Where node-1 sends what the steady client says to this port, as connection tracking has it."""
    listed = stage.run("node-1", "conntrack", "-L", "-p", "udp", "--orig-port-dst", str(node_port)).stdout
    return " ".join(f":{word.removeprefix('sport=')}" for word in listed.split() if word.startswith("sport="))


# --- The API ----------------------------------------------------------------------------------------------------------


def test_should_provide_secure_master_service_with_endpoints_pointing_to_the_api_server(stage: Stage) -> None:
    client = stage.space.client
    service = client.get(Service, "kubernetes", "default")
    assert [(port.name, port.port, port.protocol) for port in service.spec.ports] == [("https", 443, "TCP")]
    assert addresses(client.get(Endpoints, "kubernetes", "default"))
    assert client.list(EndpointSlice, "default", labels=f"{SERVICE_NAME}=kubernetes").items
    done = stage.run("pod", "curl", "-sk", "--max-time", "5", f"https://{service.spec.clusterIP}/version")
    assert '"gitVersion"' in done.stdout


def test_should_find_a_service_from_listing_all_namespaces(stage: Stage) -> None:
    stage.service("everywhere")
    assert ("sig", "everywhere") in {
        (s.metadata.namespace, s.metadata.name) for s in stage.space.client.list(Service).items
    }


def test_should_complete_a_service_status_lifecycle(stage: Stage) -> None:
    stage.service("status", type="LoadBalancer", loadBalancerClass="example.com/nobody")
    client = stage.space.client
    status = {"status": {"conditions": [{"type": "Seen", "status": "True", "reason": "Test", "message": "by hand"}]}}
    client.patch(Service, "status", "sig", status, subresource="status")
    found = client.get(Service, "status", "sig")
    assert [each.type for each in found.status.conditions] == ["Seen"]
    client.patch(Service, "status", "sig", {"status": {"conditions": None}}, subresource="status")
    assert not client.get(Service, "status", "sig").status.conditions


def test_should_delete_a_collection_of_services(stage: Stage) -> None:
    for number in range(3):
        stage.service(f"many-{number}", labels={"many": "yes"})
    stage.service("kept")
    stage.space.client.request("DELETE", "/api/v1/namespaces/sig/services?labelSelector=many%3Dyes")
    left = {each.metadata.name for each in stage.space.client.list(Service, "sig").items}
    assert left == {"kept"}
