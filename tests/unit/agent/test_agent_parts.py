"""The smaller parts of the agent: addresses, probes' verdicts, the node's own status, files."""

import struct
from types import SimpleNamespace

import pytest
from agent_worlds import a_container, a_pod
from hypothesis import given
from hypothesis import strategies as st

from minik8s.agent import addresses, heartbeat, nodeinfo, pages, probing, restarts, server
from minik8s.agent.environment import ConfigError, Sources, environment
from minik8s.agent.memory import newer
from minik8s.agent.probing import LIVENESS, READINESS, STARTUP, History
from minik8s.agent.world import inspect
from minik8s.agent.world.exec import Frames
from minik8s.agent.world.volumes import Volumes
from minik8s.api import codec
from minik8s.api.core import ConfigMap, Node
from minik8s.api.meta import ObjectMeta
from minik8s.api.pods import Probe, condition

CIDR = "10.244.1.0/24"

# --- Addresses ---


@pytest.mark.parametrize(
    ("in_use", "last", "expected"),
    [
        ([], "", "10.244.1.2"),
        (["10.244.1.2"], "10.244.1.2", "10.244.1.3"),
        ([], "10.244.1.7", "10.244.1.8"),
        ([], "10.244.1.254", "10.244.1.2"),
        (["10.244.1.8", "10.244.1.9"], "10.244.1.7", "10.244.1.10"),
    ],
)
def test_addresses_go_round(in_use, last, expected):
    assert addresses.next_address(CIDR, in_use, last) == expected


@given(st.sets(st.integers(2, 254)), st.integers(2, 254))
def test_an_address_is_never_given_twice(taken, last):
    in_use = {f"10.244.1.{n}" for n in taken}
    if len(taken) == 253:
        with pytest.raises(addresses.NoAddressLeft):
            addresses.next_address(CIDR, in_use, f"10.244.1.{last}")
    else:
        assert addresses.next_address(CIDR, in_use, f"10.244.1.{last}") not in in_use


def test_a_pods_second_address_has_the_digits_of_the_first():
    cidrs = (CIDR, "fd00:244:0:1::/64")
    assert addresses.next_addresses(cidrs, [], "10.244.1.22") == ("10.244.1.23", "fd00:244:0:1::23")
    assert addresses.next_addresses(cidrs[:1], [], "") == ("10.244.1.2",)
    assert addresses.next_addresses(cidrs[1:], [], "") == ("fd00:244:0:1::2",)
    assert addresses.next_addresses(cidrs[::-1], ["fd00:244:0:1::2"], "") == ("fd00:244:0:1::3", "10.244.1.3")
    with pytest.raises(addresses.NoAddressLeft, match="too small for an address number 16"):
        addresses.next_addresses((CIDR, "fd00::/124"), [], "10.244.1.15")


def test_counting_goes_on_at_the_highest_of_its_own_family():
    assert addresses.highest(CIDR, ["10.244.1.9", "fd00:244:0:1::9", "10.244.1.10"]) == "10.244.1.10"
    assert addresses.highest(CIDR, ["fd00:244:0:1::9"]) == ""


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((), "agent needs --node-ip"),
        (("node-1",), "--node-ip: 'node-1' does not appear to be an IPv4 or IPv6 address"),
        (("1.1.1.1", "1.1.1.2"), "at most one address of each family"),
    ],
)
def test_a_node_is_told_an_address_or_one_of_each_family(given, says):
    with pytest.raises(ValueError, match=says):
        addresses.check_node_ips(given)
    addresses.check_node_ips(("fd00::1", "1.1.1.1"))


def a_node(name, cidrs, *ips):
    status = {"addresses": [{"type": "InternalIP", "address": ip} for ip in ips]}
    spec = {"podCIDR": cidrs[0], "podCIDRs": cidrs} if cidrs else {}
    return codec.from_dict(Node, {"metadata": {"name": name}, "spec": spec, "status": status})


NEIGHBOURS = [
    a_node("a", [CIDR, "fd00:244:0:1::/64"], "1.1.1.1", "fd00::1"),
    a_node("b", ["10.244.2.0/24", "fd00:244:0:2::/64"], "1.1.1.2", "fd00::2"),
    a_node("c", [], "1.1.1.3", "fd00::3"),
    a_node("d", ["10.244.4.0/24"]),
    a_node("e", ["10.244.5.0/24", "fd00:244:0:5::/64"], "1.1.1.5"),
]


def test_routes_lead_to_every_other_node_that_has_a_range_and_an_address_of_its_family():
    four = {"10.244.2.0/24": "1.1.1.2", "10.244.5.0/24": "1.1.1.5"}
    assert addresses.routes("a", NEIGHBOURS, ("IPv4", "IPv6")) == four | {"fd00:244:0:2::/64": "fd00::2"}
    assert addresses.routes("a", NEIGHBOURS, ("IPv4",)) == four


def test_a_node_takes_only_the_ranges_its_kernel_can_speak():
    only = codec.from_dict(Node, {"spec": {"podCIDR": CIDR}})
    assert addresses.pod_cidrs(NEIGHBOURS[0], ("IPv4", "IPv6")) == (CIDR, "fd00:244:0:1::/64")
    assert addresses.pod_cidrs(NEIGHBOURS[0], ("IPv4",)) == addresses.pod_cidrs(only, ("IPv4", "IPv6")) == (CIDR,)
    assert addresses.pod_cidrs(NEIGHBOURS[2], ("IPv4", "IPv6")) == ()


def test_a_hardware_address_follows_from_the_address():
    assert addresses.mac("10.244.1.5") == "0a:58:0a:f4:01:05"


# --- Probes ---


def answers(text, **probe):
    """A history after answers written as + and -."""
    history = probing.begin(READINESS, None)
    for sign in text:
        history = probing.advance(history, sign == "+", sign, Probe(**probe))
    return history.passed


@pytest.mark.parametrize(
    ("text", "thresholds", "ready"),
    [
        ("", {}, False),
        ("+", {}, True),
        ("+--", {}, True),
        ("+---", {}, False),
        ("+--+--", {}, True),
        ("+-", {"failureThreshold": 1}, False),
        ("+", {"successThreshold": 2}, False),
        ("++", {"successThreshold": 2}, True),
        ("+-+", {"successThreshold": 2}, False),
    ],
)
def test_readiness_changes_after_as_many_equal_answers_as_its_threshold_says(text, thresholds, ready):
    assert answers(text, **thresholds) is ready


PROBES = {"exec": {"command": ["x"]}}


def test_nothing_else_is_asked_until_a_container_has_started_up():
    spec = a_pod({"startupProbe": PROBES, "livenessProbe": PROBES, "readinessProbe": PROBES}).spec.containers[0]
    histories = {kind: probing.begin(kind, None) for kind in probing.probes(spec)}
    assert probing.wanted(spec, histories) == (STARTUP,)
    assert not probing.verdict(spec, histories).started
    histories[STARTUP] = History(passed=True)
    assert probing.wanted(spec, histories) == (LIVENESS, READINESS)


def test_a_container_is_condemned_by_liveness_and_by_a_startup_that_failed():
    spec = a_pod({"livenessProbe": PROBES}).spec.containers[0]
    assert probing.verdict(spec, {LIVENESS: History(passed=False)}).condemned
    assert not probing.verdict(spec, {LIVENESS: History(passed=True)}).condemned
    spec = a_pod({"startupProbe": PROBES}).spec.containers[0]
    assert probing.verdict(spec, {STARTUP: History(passed=False)}).condemned


def test_an_adopted_container_stays_as_ready_as_it_was():
    status = {"containerStatuses": [{"name": "web", "ready": True, "started": True, "restartCount": 0}]}
    told = a_pod(status=status).status.containerStatuses[0]
    assert probing.begin(READINESS, told).passed and probing.begin(STARTUP, told).passed
    assert probing.begin(READINESS, None).passed is False


def test_the_first_question_comes_after_the_initial_delay_and_then_every_period():
    probe = Probe(initialDelaySeconds=5, periodSeconds=2)
    assert probing.due(probe, 100.0, None) == 105.0
    assert probing.due(probe, 100.0, 105.0) == 107.0
    assert probing.due(Probe(), 100.0, 100.0) == 110.0


@pytest.mark.parametrize(("streak", "seconds"), [(0, 0), (1, 0), (2, 10), (3, 20), (7, 300), (50, 300)])
def test_each_restart_waits_twice_as_long_up_to_five_minutes(streak, seconds):
    assert restarts.delay(streak) == seconds


def test_a_heartbeat_names_the_node_it_beats_for():
    told = []
    client = SimpleNamespace(patch=lambda *_, why: told.append(why))
    node = Node(metadata=ObjectMeta(name="node-1"))
    heartbeat.Heart(client, SimpleNamespace(name="node-1"), None).beat(node)
    assert [(why.because, list(why.seen)) for why in told] == [("heartbeat", [node])]


# --- Docker's answers ---


def test_docker_frames_are_taken_apart_however_they_come():
    data = struct.pack(">BxxxL", 1, 3) + b"abc" + struct.pack(">BxxxL", 2, 2) + b"de"
    frames, found = Frames(False), []
    for byte in data:
        found += frames.feed(bytes([byte]))
    assert found == [(1, b"abc"), (2, b"de")]
    assert Frames(False).feed(data) == found
    assert Frames(True).feed(b"raw") == [(1, b"raw")]


@pytest.mark.parametrize(
    ("image", "registry", "split"),
    [
        ("minik8s/toolbox:1", False, ("minik8s/toolbox", "1")),
        ("nginx", False, ("nginx", "latest")),
        ("127.0.0.1:9/none:1", True, ("127.0.0.1:9/none", "1")),
        ("localhost/x", True, ("localhost/x", "latest")),
        ("quay.io/a/b@sha256:ff", True, ("quay.io/a/b", "sha256:ff")),
    ],
)
def test_an_images_name_says_whether_it_can_be_fetched(image, registry, split):
    assert inspect.has_registry(image) is registry
    assert inspect.split_image(image) == split


def test_dockers_times_are_read():
    assert inspect.moment("1970-01-01T00:01:00.5Z") == 60.5
    assert inspect.moment("0001-01-01T00:00:00Z") == 0.0
    assert inspect.moment("1970-01-01T00:00:01Z") == 1.0


# --- The node ---


MACHINE = nodeinfo.Machine(
    name="node-1",
    addresses=("1.1.1.1", "fd00::1"),
    cpus=2,
    memory_kib=1024,
    architecture="amd64",
    kernel="6",
    os_image="Debian",
    machine_id="m",
    boot_id="b",
    runtime="docker://20",
)


def test_a_node_without_a_pod_network_is_not_ready_and_says_why():
    status = nodeinfo.status(MACHINE, Node(), [], ("no podCIDR yet", 100.0))
    ready = condition(status.conditions, "Ready")
    assert (ready.status, ready.reason, ready.message) == ("False", "KubeletNotReady", "no podCIDR yet")


def test_a_later_report_of_the_same_is_no_change():
    node = Node(status=nodeinfo.status(MACHINE, Node(), [], ("", 100.0)))
    later = nodeinfo.status(MACHINE, node, [], ("", 200.0))
    assert nodeinfo.same_but_heartbeat(node.status, later)
    assert condition(later.conditions, "Ready").lastTransitionTime == "1970-01-01T00:01:40Z"
    assert not nodeinfo.same_but_heartbeat(node.status, nodeinfo.status(MACHINE, node, [], ("bad", 200.0)))


def test_a_node_tells_an_address_of_each_family_and_its_name():
    told = nodeinfo.status(MACHINE, Node(), [], ("", 100.0)).addresses
    assert [(each.type, each.address) for each in told] == [
        ("InternalIP", "1.1.1.1"),
        ("InternalIP", "fd00::1"),
        ("Hostname", "node-1"),
    ]


# --- Files, pages, memory ---


def volume_pod(mount, **volume):
    return a_pod({"volumeMounts": [{"name": "v", "mountPath": "/v", **mount}]}, volumes=[{"name": "v", **volume}])


def test_a_configmap_becomes_files(tmp_path):
    sources = Sources(configmaps={"cm": codec.from_dict(ConfigMap, {"data": {"a": "1", "b": "2"}})})
    pod = volume_pod({}, configMap={"name": "cm", "items": [{"key": "a", "path": "sub/x"}]})
    (bind,) = Volumes(tmp_path).binds(pod, pod.spec.containers[0], sources)
    path = tmp_path / "u1" / "volume-v"
    assert bind == f"{path}:/v:rw"
    assert (path / "sub" / "x").read_text() == "1" and not (path / "b").exists()
    assert Volumes(tmp_path).uids() == {"u1"}
    Volumes(tmp_path).remove("u1")
    assert Volumes(tmp_path).uids() == set()


@pytest.mark.parametrize(
    ("mount", "volume"),
    [
        ({}, {"configMap": {"name": "no"}}),
        ({}, {"secret": {"secretName": "no"}}),
        ({"subPath": "../../etc"}, {"emptyDir": {}}),
        ({}, {}),
    ],
)
def test_a_volume_that_cannot_be_is_refused(tmp_path, mount, volume):
    pod = volume_pod(mount, **volume)
    with pytest.raises(ConfigError):
        Volumes(tmp_path).binds(pod, pod.spec.containers[0], Sources())


def test_a_path_of_the_node_is_mounted_as_it_is_or_made_if_it_may(tmp_path):
    for kind, path in (("", "there"), ("Directory", "there"), ("DirectoryOrCreate", "new/deep"), ("FileOrCreate", "f")):
        (tmp_path / "there").mkdir(exist_ok=True)
        pod = volume_pod({}, hostPath={"path": str(tmp_path / path), "type": kind})
        (bind,) = Volumes(tmp_path / "state").binds(pod, pod.spec.containers[0], Sources())
        assert bind == f"{tmp_path / path}:/v:rw"
    assert (tmp_path / "new" / "deep").is_dir() and (tmp_path / "f").is_file()


@pytest.mark.parametrize("kind", ["Directory", "File"])
def test_a_path_of_the_node_that_is_not_what_it_should_be_is_refused(tmp_path, kind):
    pod = volume_pod({}, hostPath={"path": str(tmp_path / "none"), "type": kind})
    with pytest.raises(ConfigError, match=kind.lower()):
        Volumes(tmp_path / "state").binds(pod, pod.spec.containers[0], Sources())


def test_log_options_are_translated():
    query = {"tailLines": ["5"], "follow": ["true"], "sinceSeconds": ["10"]}
    assert pages.log_options(query, 100.0) == {"follow": True, "timestamps": False, "tail": 5, "since": 90}
    with pytest.raises(pages.Refused):
        pages.log_options({"tailLines": ["x"]}, 0.0)


def test_a_client_speaks_for_the_groups_of_its_certificate():
    subject = ((("organizationName", "system:masters"),), (("commonName", "x"),))
    assert server.groups({"subject": subject}) == ["system:masters"]
    assert server.groups(None) == []


def test_our_own_last_write_is_preferred_while_the_informer_is_behind():
    cached, written = a_pod(), a_pod()
    written.metadata.resourceVersion = "8"
    assert newer(cached, written) is written
    cached.metadata.resourceVersion = "9"
    assert newer(cached, written) is cached
    written.metadata.uid = "other"
    assert newer(cached, written) is cached
    assert newer(None, written) is None


def test_a_container_that_ran_long_is_forgiven():
    assert restarts.next_streak(a_container("exited", streak=5, started_at=0.0, finished_at=700.0)) == 0
    assert restarts.next_streak(a_container("exited", streak=5, started_at=0.0, finished_at=7.0)) == 6


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"resource": "limits.memory"}, str(64 << 20)),
        ({"resource": "limits.memory", "divisor": "1Mi"}, "64"),
        ({"resource": "limits.cpu"}, "1"),  # rounded up
        ({"resource": "limits.cpu", "divisor": "1m"}, "250"),
        ({"resource": "requests.cpu", "divisor": "0"}, "0"),
    ],
)
def test_a_container_is_told_its_limits_in_the_unit_that_it_wants(wanted, expected):
    variable = {"name": "A", "valueFrom": {"resourceFieldRef": wanted}}
    pod = a_pod({"env": [variable], "resources": {"limits": {"memory": "64Mi", "cpu": "250m"}}})
    assert environment(pod, pod.spec.containers[0], Sources())["A"] == expected


def test_the_limits_of_a_container_that_is_not_there_cannot_be_told():
    variable = {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "containerName": "none"}}}
    pod = a_pod({"env": [variable]})
    with pytest.raises(ConfigError, match="none"):
        environment(pod, pod.spec.containers[0], Sources())
