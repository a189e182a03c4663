"""The agent on real Docker and real links: what `kubectl` would see of Pods, with an API in memory."""

import os
import signal

import pytest
from support.agentbed import ADDRESSES, Bed, pod, toolbox

from minik8s.agent.environment import Sources
from minik8s.agent.world import exec
from minik8s.agent.world.docker import EngineError
from minik8s.api import codec, times
from minik8s.api.core import ConfigMap, Service
from minik8s.api.pods import Pod
from minik8s.client.rest import Unreachable
from minik8s.host import clock, netlink
from minik8s.host.namespaces import in_ns

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    bed = Bed(tmp_path_factory.mktemp("agent"))
    yield bed
    bed.close()


@pytest.fixture(autouse=True)
def empty(bed):
    yield
    for name in list(bed.api.pods):
        end(bed, name, grace=0)
    bed.api.events.clear()


def end(bed: Bed, name: str, grace: int = 1) -> None:
    found = bed.api.pods.get(name)
    if found is not None:
        found.metadata.deletionTimestamp = times.rfc3339(clock.wall() + grace, micro=True)
        found.metadata.deletionGracePeriodSeconds = grace
        bed.settle(name, lambda p: p is None)


def run(bed: Bed, name: str, *command: str, container: str = "main") -> str:
    """What a command in a Pod's container says."""
    seen = next(iter(bed.engine.observe(name).values()))
    code, output = exec.ask(bed.engine, seen.latest(container).id, command, 5.0)
    assert code == 0, output
    return output


def main_process(bed: Bed, name: str) -> int:
    namespace, _, pod_name = name.partition("/")
    return bed.docker.main_process(bed.cluster, namespace, pod_name)


def test_a_pod_gets_addresses_of_both_families_that_other_pods_reach(bed):
    bed.add(pod("web", toolbox("cd /tmp; echo hello > index.html; exec python3 -m http.server --bind :: 8080")))
    bed.add(pod("client"))
    web, client = bed.running("default/web"), bed.running("default/client")
    assert not {each.ip for each in web.status.podIPs} & {each.ip for each in client.status.podIPs}
    four, six = (each.ip for each in web.status.podIPs)
    assert four == web.status.podIP and four.startswith("10.244.1.")
    assert six == f"fd00:244:0:1::{four.rpartition('.')[2]}"
    for host in (four, f"[{six}]"):
        ask = ("curl", "-sS", "-m", "2", "--retry", "20", "--retry-connrefused", f"http://{host}:8080/")
        assert run(bed, "default/client", *ask) == "hello\n"
    wires = in_ns(bed.namespace, lambda: [link.name for link in netlink.links() if link.kind == "veth"])
    assert len([name for name in wires if name.startswith("veth")]) == 2


def test_nobody_joins_a_container_that_has_ended(bed):
    """It may end after somebody looked whether it runs; Docker would let him wait for ever."""
    bed.add(pod("brief", toolbox("echo said"), restartPolicy="Never"))
    bed.settle("default/brief", lambda p: p.status.phase == "Succeeded")
    seen = next(iter(bed.engine.observe("default/brief").values()))
    with pytest.raises(EngineError, match="has ended"):
        exec.attach(bed.engine, seen.latest("main").id)


def test_names_and_variables_stand_where_programs_look_for_them(bed):
    service = codec.from_dict(
        Service,
        {
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"clusterIP": "10.96.1.2", "ports": [{"name": "http", "port": 80}]},
        },
    )
    settings = codec.from_dict(ConfigMap, {"metadata": {"name": "settings"}, "data": {"COLOUR": "green"}})
    bed.sources = Sources(services=(service,), configmaps={"settings": settings})
    spec = toolbox(
        env=[{"name": "URL", "value": "http://$(WEB_SERVICE_HOST)/"}],
        envFrom=[{"configMapRef": {"name": "settings"}}],
        volumeMounts=[{"name": "files", "mountPath": "/etc/settings"}],
    )
    bed.add(
        pod(
            "front",
            spec,
            volumes=[{"name": "files", "configMap": {"name": "settings"}}],
            hostAliases=[{"ip": "10.1.2.3", "hostnames": ["far"]}],
        )
    )
    own = [each.ip for each in bed.running("default/front").status.podIPs]
    assert "URL=http://10.96.1.2/" in run(bed, "default/front", "env")
    assert "WEB_PORT_80_TCP_ADDR=10.96.1.2" in run(bed, "default/front", "env")
    assert "COLOUR=green" in run(bed, "default/front", "env")
    assert run(bed, "default/front", "cat", "/etc/settings/COLOUR") == "green"
    assert run(bed, "default/front", "hostname") == "front\n"
    hosts = run(bed, "default/front", "cat", "/etc/hosts")
    assert len(own) == 2 and all(f"{address}\tfront" in hosts for address in own)
    assert "10.1.2.3\tfar" in hosts
    resolv = run(bed, "default/front", "cat", "/etc/resolv.conf")
    assert "nameserver 10.96.0.10" in resolv and "ndots:5" in resolv
    assert "search default.svc.cluster.local svc.cluster.local cluster.local" in resolv


def test_a_killed_process_is_started_again_in_the_same_pod_with_the_same_address(bed):
    bed.add(pod("web"))
    before = bed.running("default/web")
    os.kill(main_process(bed, "default/web"), signal.SIGKILL)
    after = bed.settle(
        "default/web", lambda p: p.status.containerStatuses[0].restartCount == 1 and p.status.containerStatuses[0].ready
    )
    assert after.status.podIP == before.status.podIP
    last = after.status.containerStatuses[0].lastState.terminated
    assert (last.exitCode, last.reason) == (137, "Error")


def test_without_an_api_server_what_dies_is_started_again_all_the_same(bed):
    bed.add(pod("web"))
    bed.running("default/web")
    process = main_process(bed, "default/web")
    os.kill(process, signal.SIGKILL)
    bed.api.away = True
    with pytest.raises(Unreachable):
        bed.settle("default/web", lambda _: False)  # Docker may take a moment to notice the death
    bed.api.away = False
    assert main_process(bed, "default/web") != process
    bed.settle("default/web", lambda p: p.status.containerStatuses[0].restartCount == 1)


def test_a_container_that_keeps_failing_waits_longer_each_time(bed):
    bed.add(pod("bad", toolbox("exit 3")))
    bad = bed.settle("default/bad", lambda p: _waiting(p) == "CrashLoopBackOff")
    assert bad.status.containerStatuses[0].restartCount == 1
    assert bad.status.containerStatuses[0].lastState.terminated.exitCode == 3
    assert bad.status.phase == "Running"


def test_a_dead_sandbox_means_a_new_sandbox_with_a_new_address(bed):
    bed.add(pod("web"))
    before = bed.running("default/web")
    seen = bed.engine.observe("default/web")[before.metadata.uid]
    os.kill(seen.sandbox.pid, signal.SIGKILL)
    after = bed.settle(
        "default/web", lambda p: p.status.podIP != before.status.podIP and p.status.containerStatuses[0].ready
    )
    assert after.status.containerStatuses[0].restartCount == 1


def test_a_restarted_agent_adopts_what_runs_and_disturbs_nothing(bed):
    bed.add(pod("web", toolbox(readinessProbe={"exec": {"command": ["true"]}, "periodSeconds": 1})))
    bed.running("default/web")
    process, told = main_process(bed, "default/web"), codec.encode(bed.api.get("default/web"))
    bed.prober.stop()
    bed.restart()
    bed.settle("default/web")
    assert main_process(bed, "default/web") == process
    assert codec.encode(bed.api.get("default/web")) == told


def test_pods_deleted_while_the_agent_was_away_are_ended(bed):
    bed.add(pod("web"))
    bed.running("default/web")
    bed.restart()
    bed.api.pods.clear()
    assert bed.engine.leftovers()
    bed.settle("default/web", lambda p: not bed.engine.leftovers())


def test_a_deleted_pod_is_asked_to_end_and_then_leaves_nothing(bed):
    bed.add(pod("web", toolbox("trap 'sleep 0.3; exit 0' TERM; while :; do sleep 0.1; done")))
    bed.running("default/web")
    before = clock.monotonic()
    end(bed, "default/web", grace=10)
    assert clock.monotonic() - before < 5, "it ended by itself, nobody had to insist"
    assert not bed.engine.leftovers()


def test_a_pod_that_ignores_the_signal_is_killed_when_its_time_is_up(bed):
    bed.add(pod("deaf", toolbox("trap '' TERM; while :; do sleep 0.1; done")))
    bed.running("default/deaf")
    end(bed, "default/deaf", grace=1)
    assert not bed.engine.leftovers()


def test_readiness_follows_the_probe(bed):
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    bed.add(pod("web", toolbox(readinessProbe=probe)))
    unready = bed.settle("default/web", lambda p: p.status.phase == "Running")
    assert not unready.status.containerStatuses[0].ready
    run(bed, "default/web", "touch", "/tmp/ready")
    bed.running("default/web")
    run(bed, "default/web", "rm", "/tmp/ready")
    bed.settle("default/web", lambda p: not p.status.containerStatuses[0].ready)


def test_a_container_that_fails_its_liveness_probe_is_restarted(bed):
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    bed.add(pod("dead", toolbox(livenessProbe=probe), terminationGracePeriodSeconds=1))
    bed.settle("default/dead", lambda p: p.status.containerStatuses and p.status.containerStatuses[0].restartCount)
    assert any(reason == "Unhealthy" for reason, _ in bed.api.events)


def test_an_image_that_cannot_be_had_is_told_with_those_that_can(bed):
    bed.add(pod("none", {"name": "main", "image": "127.0.0.1:9/none:1"}))
    waiting = bed.settle("default/none", lambda p: _waiting(p) == "ErrImagePull")
    assert "minik8s/toolbox:1" in waiting.status.containerStatuses[0].state.waiting.message
    bed.settle("default/none", lambda p: _waiting(p) == "ImagePullBackOff")


def test_a_pod_on_the_nodes_network_has_the_nodes_address(bed):
    bed.add(pod("host", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet"))
    host = bed.running("default/host")
    assert host.status.podIP == host.status.hostIP
    assert [each.ip for each in host.status.podIPs] == [each.ip for each in host.status.hostIPs] == list(ADDRESSES)
    assert "10.96.0.10" in run(bed, "default/host", "cat", "/etc/resolv.conf")


def test_a_job_that_is_done_gives_its_address_back_and_keeps_its_log(bed):
    bed.add(pod("job", toolbox("echo done"), restartPolicy="Never"))
    job = bed.settle("default/job", lambda p: p.status.phase == "Succeeded" and not bed.engine.addresses())
    seen = bed.engine.observe("default/job")[job.metadata.uid]
    assert b"".join(bed.engine.logs(seen.latest("main").id, {"follow": False})) == b"done\n"


def test_init_containers_run_one_after_the_other_before_the_rest(bed):
    inits = [
        {**toolbox(f"echo {name} >> /work/log"), "name": name, "volumeMounts": [{"name": "work", "mountPath": "/work"}]}
        for name in ("one", "two")
    ]
    main = toolbox(volumeMounts=[{"name": "work", "mountPath": "/work"}])
    bed.add(pod("web", main, initContainers=inits, volumes=[{"name": "work", "emptyDir": {}}]))
    bed.running("default/web")
    assert run(bed, "default/web", "cat", "/work/log") == "one\ntwo\n"


def test_limits_reach_the_kernel(bed):
    bed.add(pod("small", toolbox(resources={"limits": {"memory": "32Mi", "cpu": "500m"}})))
    bed.running("default/small")
    seen = next(iter(bed.engine.observe("default/small").values()))
    config = bed.engine.api.inspect_container(seen.latest("main").id)["HostConfig"]
    assert (config["Memory"], config["CpuQuota"]) == (32 << 20, 50_000)


def _waiting(found: Pod) -> str:
    statuses = found.status.containerStatuses
    return statuses[0].state.waiting.reason if statuses and statuses[0].state.waiting else ""
