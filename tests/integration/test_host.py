"""The machine itself: namespaces, links and routes in the real kernel."""

import os
import sys
import threading
from pathlib import Path

import pytest
from support import residue

from minik8s.host import namespaces, netlink, processes, sysctl

pytestmark = pytest.mark.system

A, B = f"mk8s-test{os.getpid()}-a", f"mk8s-test{os.getpid()}-b"


@pytest.fixture
def pair():
    namespaces.create(A)
    namespaces.create(B)
    yield
    namespaces.delete(A)
    namespaces.delete(B)


@pytest.fixture
def cable(pair):
    """a: bridge br0 10.99.0.1/24 with v-b; b: eth0 10.99.0.2/24."""

    def lay():
        netlink.add_bridge("br0")
        netlink.add_address("br0", "10.99.0.1/24")
        netlink.set_up("br0")
        descriptor = os.open(namespaces.path(B), os.O_RDONLY)
        netlink.add_veth("v-b", "eth0", peer_ns_fd=descriptor, bridge="br0")
        os.close(descriptor)

    def furnish():
        netlink.add_address("eth0", "10.99.0.2/24")
        netlink.set_up("eth0")

    namespaces.in_ns(A, lay)
    namespaces.in_ns(B, furnish)


def test_a_thread_comes_back_to_where_it_was(pair):
    before = namespaces.identity("/proc/thread-self/ns/net")
    inside = namespaces.in_ns(A, lambda: namespaces.identity("/proc/thread-self/ns/net"))
    assert inside == namespaces.identity(A) != before
    assert namespaces.identity("/proc/thread-self/ns/net") == before


def test_a_visitor_goes_in_and_comes_home_in_the_same_thread(pair):
    def visit():
        visitor, there = namespaces.Visitor(), os.open(namespaces.path(A), os.O_RDONLY)
        here = namespaces.identity("/proc/thread-self/ns/net")
        try:
            inside = visitor.call(there, lambda: namespaces.identity("/proc/thread-self/ns/net"))
            with pytest.raises(ZeroDivisionError):
                visitor.call(there, lambda: 1 / 0)
        finally:
            os.close(there)
            visitor.close()
        return here, inside, namespaces.identity("/proc/thread-self/ns/net")

    assert namespaces.in_ns(B, visit) == (namespaces.identity(B), namespaces.identity(A), namespaces.identity(B))


def test_where_a_cable_ends_is_known_by_the_process_there(cable):
    children = [processes.pipe(["sleep", "60"], ns=space) for space in (B, B)]
    try:
        assert processes.eldest_in_each_ns()[namespaces.identity(B)] == children[0].pid
        assert namespaces.in_ns(A, lambda: netlink.knows_namespace_of(children[0].pid))
        assert not netlink.knows_namespace_of(children[0].pid), "no cable leads there from here"
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_an_error_inside_a_namespace_comes_out(pair):
    with pytest.raises(ZeroDivisionError):
        namespaces.in_ns(A, lambda: 1 / 0)
    with pytest.raises(FileNotFoundError):
        namespaces.in_ns("mk8s-nowhere", lambda: None)
    assert not namespaces.exists("mk8s-nowhere")


def test_a_namespace_for_a_trial_is_gone_afterwards():
    def trial():
        netlink.add_bridge("br0")
        return namespaces.identity("/proc/thread-self/ns/net"), netlink.link("br0").name

    identity, name = namespaces.in_fresh_ns(trial)
    assert name == "br0" and identity != namespaces.identity("/proc/self/ns/net")
    assert netlink.link("br0") is None


def test_what_is_left_behind_is_seen():
    before = residue.snapshot()
    namespaces.create(A)
    daemon = processes.spawn(["sleep", "60"], ns=A)
    left = residue.diff(before, residue.snapshot())
    namespaces.delete(A)
    daemon.kill()
    daemon.wait()
    assert f"+ namespaces: {A}" in left
    assert f"+ mounts: /run/netns/{A} nsfs nsfs" in left
    assert [line for line in left if line.startswith(f"+ processes: {daemon.pid} ")]
    assert not [line for line in residue.diff(before, residue.snapshot()) if A in line]


def test_creating_twice_keeps_the_namespace_and_deleting_twice_is_quiet(pair):
    first = namespaces.identity(A)
    namespaces.create(A)
    assert namespaces.identity(A) == first
    namespaces.delete(A)
    namespaces.delete(A)
    assert A not in namespaces.names()


def test_a_half_made_name_is_no_namespace_and_is_made_whole(pair):
    namespaces.delete(A)
    open(namespaces.path(A), "w").close()
    assert not namespaces.exists(A)
    assert A in namespaces.names("mk8s-")
    namespaces.create(A)
    assert namespaces.exists(A)


def test_a_process_with_threads_does_not_move():
    with pytest.raises(RuntimeError, match="threads are running"):
        stop = threading.Event()
        threading.Thread(target=stop.wait).start()
        try:
            namespaces.enter("/proc/self/ns/net")
        finally:
            stop.set()


def test_a_whole_process_enters_a_namespace(pair):
    code = f"from minik8s.host import namespaces as n; n.enter({A!r}); print(n.identity('/proc/self/ns/net'))"
    assert int(processes.run([sys.executable, "-c", code]).stdout) == namespaces.identity(A)


def test_a_name_follows_the_process_it_is_bound_to(pair):
    name = f"mk8s-test{os.getpid()}-bound"
    first, second = processes.spawn(["sleep", "60"], ns=A), processes.spawn(["sleep", "60"], ns=B)
    try:
        assert processes.pids_in_ns(A) == [first.pid]
        namespaces.bind(first.pid, name)
        namespaces.bind(first.pid, name)
        assert namespaces.identity(name) == namespaces.identity(A)
        namespaces.bind(second.pid, name)
        assert namespaces.identity(name) == namespaces.identity(B)
    finally:
        namespaces.delete(name)
        for process in (first, second):
            process.kill()
            process.wait()


def test_our_own_namespace_is_never_given_a_clusters_name():
    with pytest.raises(ValueError, match="our own namespace"):
        namespaces.bind(os.getpid(), "mk8s-test-own")
    assert "mk8s-test-own" not in namespaces.names()


def test_packets_cross_a_cable(cable):
    assert processes.run(["busybox", "ping", "-c1", "-W2", "10.99.0.2"], ns=A).code == 0


def test_a_bridge_keeps_its_address_when_ports_come(cable):
    before = namespaces.in_ns(A, lambda: netlink.link("br0").mac)
    namespaces.in_ns(A, lambda: netlink.delete_link("v-b"))
    assert namespaces.in_ns(A, lambda: netlink.link("br0").mac) == before


def test_links_tell_what_they_are(cable):
    found = {link.name: link for link in namespaces.in_ns(A, netlink.links)}
    assert (found["br0"].kind, found["v-b"].kind) == ("bridge", "veth")
    assert found["v-b"].master == found["br0"].index
    assert found["v-b"].up and not found["lo"].up
    namespaces.in_ns(A, lambda: netlink.set_down("v-b"))
    assert not namespaces.in_ns(A, lambda: netlink.link("v-b")).up


def test_a_link_is_found_by_its_full_name(cable):
    full = "v-a-name-longer-than-the-kernel-allows"
    for _ in range(2):
        namespaces.in_ns(A, lambda: netlink.add_alt_name("v-b", full))
    assert namespaces.in_ns(A, lambda: netlink.link(full)).name == "v-b"
    namespaces.in_ns(A, lambda: netlink.set_hairpin(full))
    assert "hairpin on" in processes.run(["bridge", "-d", "link", "show", "dev", "v-b"], ns=A).stdout


def test_deleting_what_is_gone_is_quiet(cable):
    for _ in range(2):
        namespaces.in_ns(A, lambda: netlink.delete_link("v-b"))
    assert namespaces.in_ns(B, lambda: netlink.link("eth0")) is None


def test_addresses_may_be_added_twice_and_are_listed(cable):
    namespaces.in_ns(B, lambda: netlink.add_address("eth0", "10.99.0.2/24"))
    assert "10.99.0.2/24" in namespaces.in_ns(B, lambda: netlink.addresses("eth0"))
    for _ in range(2):
        namespaces.in_ns(B, lambda: netlink.delete_address("eth0", "10.99.0.2/24"))
    assert "10.99.0.2/24" not in namespaces.in_ns(B, netlink.addresses)


def test_our_routes_are_known_by_their_protocol_number(cable):
    def work():
        for _ in range(2):
            netlink.replace_route("10.98.0.0/16", via="10.99.0.1", proto=88)
            netlink.replace_route("10.97.0.0/16", dev="eth0", proto=88)
            netlink.replace_route("fd00:98::/64", dev="eth0", proto=88)
            netlink.replace_route("default", proto=88, unreachable=True)
        return [(r.dst, r.via, r.dev, r.unreachable) for r in netlink.routes(88)]

    assert namespaces.in_ns(B, work) == [
        ("10.97.0.0/16", "", "eth0", False),
        ("10.98.0.0/16", "10.99.0.1", "eth0", False),
        ("default", "", "", True),
        ("fd00:98::/64", "", "eth0", False),
    ]


def test_only_our_own_routes_are_deleted(cable):
    def work():
        netlink.replace_route("10.98.0.0/16", via="10.99.0.1", proto=88)
        netlink.replace_route("default", proto=88, unreachable=True)
        for dst in ("10.98.0.0/16", "10.98.0.0/16", "default", "10.99.0.0/24"):
            netlink.delete_route(dst, 88)
        return [route.dst for route in netlink.routes() if ":" not in route.dst]

    assert namespaces.in_ns(B, work) == ["10.99.0.0/24"]


def test_kernel_settings_belong_to_a_namespace(pair):
    namespaces.in_ns(A, lambda: sysctl.write("net.ipv4.ip_forward", 1))
    namespaces.in_ns(B, lambda: sysctl.write("net.ipv4.ip_forward", 0))
    assert [namespaces.in_ns(space, lambda: sysctl.read("net.ipv4.ip_forward")) for space in (A, B)] == ["1", "0"]


def test_many_visits_leave_no_descriptor_open(cable):
    def visit():
        namespaces.in_ns(B, netlink.links)

    visit()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        visit()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
