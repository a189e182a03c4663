"""The network of whole clusters, with a sleeping process in place of each node's sandbox container."""

import itertools
import os
import signal
from contextlib import contextmanager

import pytest
from support import residue

from minik8s.cluster import fabric, preflight, probe
from minik8s.host import namespaces, netlink, processes, sysctl

pytestmark = pytest.mark.system

ONE, TWO = f"test{os.getpid()}x", f"test{os.getpid()}y"


@contextmanager
def sandboxes(cluster, count=2):
    """Processes in namespaces of their own, as Docker would start them: {"node-1": pid, …}."""
    started = {}
    for number in range(1, count + 1):
        name = f"mk8s-{cluster}-box{number}"
        namespaces.create(name)
        started[f"node-{number}"] = processes.spawn(["sleep", "120"], ns=name)
        namespaces.delete(name)
    try:
        yield {node: process.pid for node, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
            process.wait()


@pytest.fixture
def one():
    with sandboxes(ONE) as pids:
        fabric.build(ONE, pids)
        yield pids
        fabric.tear_down(ONE)


def pings(space, address):
    """Is one answered?"""
    argv = ["busybox", "ping", "-6" if ":" in address else "-4", "-c1", "-W1", address]
    return processes.run(argv, ns=space, check=False).code == 0


def reaches(space, address):
    """Is one of many answered? The bridge opens a port when the kernel has told it of the carrier: up to a second."""
    return any(pings(space, address) for _ in range(30))


def test_everyone_on_the_lan_reaches_everyone(one):
    for member in ("lan", "control", "node-1", "node-2"):
        for number in (1, 10, 11, 12):
            for address in (f"192.168.56.{number}", f"fd00:56::{number}"):
                assert reaches(f"mk8s-{ONE}-{member}", address), (member, address)
        assert reaches(f"mk8s-{ONE}-{member}", "127.0.0.1") and reaches(f"mk8s-{ONE}-{member}", "::1")


@pytest.mark.parametrize(
    ("member", "address"),
    [
        ("node-1", "203.0.113.1"),
        ("node-1", "2001:db8::1"),
        ("control", "10.244.1.2"),  # Pods: the control plane reaches nodes alone
        ("control", "fd00:244:0:1::2"),
    ],
)
def test_there_is_no_way_out_of_the_lan(one, member, address):
    done = processes.run(["ip", "route", "get", address], ns=f"mk8s-{ONE}-{member}", check=False)
    assert done.code and "No route to host" in done.stderr


def test_no_address_waits_to_see_whether_somebody_else_has_it(one):
    for member in ("lan", "control", "node-1"):
        said = processes.run(["ip", "-6", "addr", "show", "scope", "global", "tentative"], ns=f"mk8s-{ONE}-{member}")
        assert not said.stdout


def test_a_sandbox_that_docker_forbade_ipv6_gets_it_all_the_same():
    with sandboxes(ONE, 1) as pids:
        inside = f"/proc/{pids['node-1']}/ns/net"
        namespaces.in_ns(inside, lambda: sysctl.write("net.ipv6.conf.all.disable_ipv6", 1))
        fabric.build(ONE, pids)
        assert reaches(f"mk8s-{ONE}-lan", "fd00:56::11") and reaches(f"mk8s-{ONE}-node-1", "::1")
        fabric.tear_down(ONE)


def test_a_machine_is_judged_without_leaving_a_trace():
    before = residue.snapshot()
    verdicts = probe.check()
    assert not preflight.problems(verdicts)
    assert len(verdicts) >= 15
    assert not [line for line in residue.diff(before, residue.snapshot()) if ": mk8s-" in line or "rules" in line]


def test_the_hosts_own_namespace_gets_nothing():
    before = (netlink.links(), netlink.routes(), netlink.addresses())
    with sandboxes(ONE) as pids:
        fabric.build(ONE, pids)
        during = (netlink.links(), netlink.routes(), netlink.addresses())
        fabric.tear_down(ONE)
    assert before == during == (netlink.links(), netlink.routes(), netlink.addresses())
    assert not fabric.members(ONE)


def test_building_again_changes_nothing(one):
    def picture():
        return {
            name: namespaces.in_ns(space, lambda: (netlink.links(), netlink.routes(), netlink.addresses()))
            for name, space in fabric.members(ONE).items()
        }

    for number in (10, 11, 12):  # until every link is open, and has the addresses that the kernel gives it
        assert reaches(f"mk8s-{ONE}-lan", f"fd00:56::{number}")
    before = picture()
    fabric.build(ONE, one)
    assert picture() == before


def test_a_node_can_be_cut_off_and_healed(one):
    node = f"mk8s-{ONE}-node-1"
    fabric.cut(ONE, "node-1")
    assert fabric.is_cut(ONE, "node-1") and not fabric.is_cut(ONE, "node-2")
    assert not pings(f"mk8s-{ONE}-control", "192.168.56.11")
    assert pings(node, "127.0.0.1")
    fabric.build(ONE, one)
    assert fabric.is_cut(ONE, "node-1"), "building again must not heal what was cut on purpose"
    fabric.heal(ONE, "node-1")
    assert reaches(f"mk8s-{ONE}-control", "192.168.56.11")
    assert reaches(f"mk8s-{ONE}-control", "fd00:56::11")


def test_a_node_whose_sandbox_died_is_plugged_in_again(one):
    with sandboxes(ONE, 1) as fresh:
        fabric.build(ONE, {**one, **fresh})
        assert namespaces.identity(f"mk8s-{ONE}-node-1") == namespaces.identity(f"/proc/{fresh['node-1']}/ns/net")
        assert reaches(f"mk8s-{ONE}-control", "192.168.56.11")


def test_two_clusters_with_the_same_addresses_do_not_see_each_other(one):
    with sandboxes(TWO, 3) as pids:
        fabric.build(TWO, pids)
        try:
            assert reaches(f"mk8s-{TWO}-lan", "192.168.56.13")
            assert not pings(f"mk8s-{ONE}-lan", "192.168.56.13")
        finally:
            fabric.tear_down(TWO)
    assert reaches(f"mk8s-{ONE}-lan", "192.168.56.12")


def test_commands_run_where_they_are_sent(one, capfd):
    assert fabric.outside(ONE, ["ip", "-4", "-o", "addr", "show", "lan"]) == 0
    assert "192.168.56.1/24" in capfd.readouterr().out
    assert fabric.node_exec(ONE, "node-2", ["ip", "-4", "-o", "addr", "show", "eth0"]) == 0
    assert "192.168.56.12/24" in capfd.readouterr().out
    assert fabric.node_exec(ONE, "node-1", ["sh", "-c", "exit 7"]) == 7


def test_an_unknown_node_or_cluster_is_named(one):
    with pytest.raises(LookupError, match="no node node-9; it has node-1, node-2"):
        fabric.node_exec(ONE, "node-9", ["true"])
    with pytest.raises(LookupError, match="is not up"):
        fabric.outside(TWO, ["true"])


def test_processes_in_a_cluster_are_found(one):
    assert fabric.inhabitants(ONE)["node-1"] == [one["node-1"]]


def die_at(step, cluster, pids):
    """Build in a child that is killed when it is about to touch the kernel for the `step`-th time; True if it was."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    left = itertools.count(step, -1)

    def fatal(fn):
        def instead(*args, **kwargs):
            if next(left) <= 1:
                os.kill(os.getpid(), signal.SIGKILL)
            return fn(*args, **kwargs)

        return instead

    for module, names in (
        (namespaces, ("_mount", "_check")),
        (netlink, ("set_up", "add_bridge", "set_mac", "add_address", "add_veth", "replace_route")),
    ):
        for name in names:
            setattr(module, name, fatal(getattr(module, name)))
    try:
        fabric.build(cluster, pids)
    finally:
        os._exit(0)


def test_a_builder_killed_at_any_step_leaves_nothing_that_cannot_be_finished_or_removed():
    with sandboxes(ONE) as pids:
        before = residue.snapshot()
        for step in itertools.count(1):
            killed = die_at(step, ONE, pids)
            if step % 2:
                fabric.build(ONE, pids)
                assert reaches(f"mk8s-{ONE}-node-1", "192.168.56.12"), f"killed at step {step}"
            fabric.tear_down(ONE)
            if not killed:
                break
        assert step > 20
        assert not residue.left(before, [ONE])


def test_tearing_down_twice_or_half_built_is_quiet():
    namespaces.create(f"mk8s-{ONE}-control")
    fabric.tear_down(ONE)
    fabric.tear_down(ONE)
    assert not fabric.members(ONE)
