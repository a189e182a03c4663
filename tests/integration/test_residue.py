"""Nothing is left behind: a whole cluster is killed without warning, `down` cleans up, and the machine is as it was.

The Engine is minik8s' own, in the test's directory, where no other one runs; so it can be killed as well.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from support import residue

from minik8s import params
from minik8s.api import codec
from minik8s.api.core import Pod, Service
from minik8s.client.rest import Client, Why
from minik8s.cluster import engine, fabric
from minik8s.host import processes

pytestmark = pytest.mark.system

NAME = f"left{os.getpid()}"
MINIK8S = str(Path(sys.executable).with_name("minik8s"))
POD = {
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": params.TOOLBOX_IMAGE, "command": ["sleep", "3600"]}]},
}
SERVICE = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


@pytest.fixture
def home():
    if engine.running_host():
        pytest.skip("a Docker Engine runs on this machine, and this test kills the one it uses")
    # Not pytest's own: the path of a socket may have 108 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="mk8s-"))
    yield folder
    minik8s(folder, "down", "--name", NAME, check=False)
    shutil.rmtree(folder)


def minik8s(home, *words, check=True):
    argv = ["env", f"MINIK8S_HOME={home}", f"MINIK8S_CLUSTER={NAME}", MINIK8S, *words]
    return processes.run(argv, check=check, timeout=100)


def connect(home):
    return Client.from_kubeconfig(home / NAME / "kubeconfig", user_agent="test")


def wait_running(client, name):
    listing = client.list(Pod, "default")
    seen = [pod.status.phase for pod in listing.items if pod.metadata.name == name]
    if seen != ["Running"]:
        events = client.watch(Pod, "default", resourceVersion=listing.resourceVersion)
        next(event for event in events if event.object.status and event.object.status.phase == "Running")


def parent(pid):
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(text[text.rindex(")") + 2 :].split()[1])


def ours(home):
    """Every process of this cluster and its Engine: by the directory they were started with, and all their children."""
    everybody = {pid: parent(pid) for pid in processes.pids()}
    lines = {pid: processes.command_line(pid) for pid in everybody}
    found = {pid for pid, line in lines.items() if str(home) in line or line.endswith(f"zygote of {NAME}")}
    found |= {pid for pids in fabric.inhabitants(NAME).values() for pid in pids}
    found -= {os.getpid()}
    while more := {pid for pid, above in everybody.items() if above in found} - found:
        found |= more
    return found


def program(pid):
    return Path(processes.command_line(pid).partition(" ")[0]).name


def bring_up(home):
    minik8s(home, "up", "--nodes", "2", "--name", NAME)
    client = connect(home)
    why = Why("the test wants it")
    client.create(codec.from_dict(Pod, POD), why=why)
    client.create(codec.from_dict(Service, SERVICE), why=why)
    wait_running(client, "web")


def kill(pids):
    """All at once: nobody is left to clean up after the others."""
    for pid in pids:
        processes.kill(pid, signal.SIGSTOP)
    for pid in pids:
        processes.kill(pid, signal.SIGKILL)
    for pid in pids:
        assert processes.wait_gone(pid, 10) or not processes.alive(pid)


def test_a_cluster_changes_nothing_that_belongs_to_the_machine(home):
    before = residue.snapshot()
    bring_up(home)
    during = residue.diff(before, residue.snapshot())
    assert not [line for line in during if line[2:].partition(":")[0] in residue.MACHINE]
    pids = ours(home)
    minik8s(home, "down", "--name", NAME)
    assert not residue.left(before, [NAME, str(home)], pids)


@pytest.mark.parametrize("with_engine", [False, True], ids=["all but the Engine", "the Engine too"])
def test_after_everything_was_killed_down_leaves_the_machine_as_it_was(home, with_engine):
    before = residue.snapshot()
    bring_up(home)
    pids = ours(home)
    spared = set() if with_engine else {pid for pid in pids if program(pid) in ("dockerd", "containerd")}
    assert with_engine or len(spared) == 2
    kill(pids - spared)
    minik8s(home, "down", "--name", NAME)
    assert not residue.left(before, [NAME, str(home)], pids)


def test_a_cluster_that_was_killed_comes_up_again_with_its_objects(home):
    bring_up(home)
    kill(ours(home))
    minik8s(home, "up", "--name", NAME)
    client = connect(home)
    wait_running(client, "web")
    assert client.get(Service, "web", "default").spec.clusterIP
    assert params.LAN_GATEWAY in minik8s(home, "outside", "ip", "-4", "addr", "show", "lan").stdout
