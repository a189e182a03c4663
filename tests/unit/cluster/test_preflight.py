"""What is said of which machine: a line for each thing that can be wrong, and nothing about a machine that serves."""

import pytest
from click.testing import CliRunner

from minik8s.cli.preflight import preflight
from minik8s.cluster import probe
from minik8s.cluster.preflight import EngineFacts, Facts, judge, problems

KERNEL = "6.1.0-18-amd64"
GOOD = {
    "kernel": KERNEL,
    "programs": frozenset({"dockerd", "nft", "ip", "conntrack", "busybox", "haproxy"}),
    "tried": {"namespaces": "", "bridge and veth": "", "packet filter": ""},
}
OWN_ENGINE = EngineFacts("unix:///var/run/docker.sock", True, "Debian GNU/Linux 12", KERNEL)
DESKTOP = EngineFacts("unix:///root/.docker/desktop/docker.sock", True, "Docker Desktop", "6.6.12-linuxkit")
REMOTE = EngineFacts("tcp://build:2376", True, "Debian GNU/Linux 12", KERNEL)
OTHER = EngineFacts("unix:///var/run/docker.sock", True, "Ubuntu 24.04", "6.8.0-31-generic")
SILENT = EngineFacts("unix:///nowhere", False)
ROOTLESS = EngineFacts("unix:///run/user/1000/docker.sock", True, "Debian GNU/Linux 12", KERNEL, True)


def said(**facts):
    return [str(problem) for problem in problems(judge(Facts(**{**GOOD, **facts})))]


@pytest.mark.parametrize("engine", [EngineFacts(), OWN_ENGINE])
def test_nothing_is_wrong_with_a_machine_that_serves(engine):
    assert said(engine=engine) == []


@pytest.mark.parametrize(
    ("wrong", "beginning"),
    [
        ({"system": "Darwin"}, "this is Darwin, and nodes are Linux network namespaces: use a Linux virtual machine"),
        ({"root": False}, "not root: run it with sudo"),
        ({"python": (3, 10, 2)}, "Python 3.10 is older than 3.11: use Debian 12"),
        ({"tried": {"namespaces": "Operation not permitted"}}, "no network namespaces can be made (Operation not"),
        ({"tried": {"bridge and veth": "Not supported"}}, "no bridge or cable can be made (Not supported): `modprobe"),
        ({"tried": {"packet filter": "no fib"}}, "the kernel's packet filter (nf_tables) does not serve (no fib): "),
        ({"tried": {"bridge filter": "no"}}, "the kernel's bridge filter (br_netfilter) does not serve (no): "),
        ({"tried": {"overlay": "no"}}, "the kernel's overlay (overlay) does not serve (no): `modprobe overlay`"),
        ({"programs": frozenset({"dockerd", "nft", "ip"})}, "missing: conntrack, busybox: apt install conntrack busy"),
        ({"programs": GOOD["programs"] - {"nft"}, "libnftables": False}, "missing: libnftables: apt install nftables"),
        ({"programs": GOOD["programs"] - {"dockerd"}}, "no Docker Engine runs and none is installed: apt install dock"),
        ({"engine": DESKTOP}, "the Docker Engine is Docker Desktop's, in another kernel than this one: use a Linux vi"),
        ({"engine": REMOTE}, "the Docker Engine at tcp://build:2376 is in another kernel"),
        ({"engine": OTHER}, "the Docker Engine at unix:///var/run/docker.sock is in another kernel (6.8.0-31-generic)"),
        ({"engine": SILENT}, "the Docker Engine at unix:///nowhere does not answer: start it, or unset DOCKER_HOST"),
        ({"engine": ROOTLESS}, "the Docker Engine runs rootless"),
        ({"etcd_trouble": "no etcd was found."}, "no etcd was found: apt install etcd-server"),
        ({"inotify_instances": 64}, "only 64 inotify instances are allowed: sysctl -w fs.inotify.max_user_instances="),
        ({"open_files": 1024}, "only 1024 open files are allowed: ulimit -n 4096"),
        ({"disk_path": "/var", "disk_free": 5 << 20}, "5 MiB are free on the disk of /var: free 2048 MiB, or set MIN"),
        ({"memory_available": 100 << 20}, "100 MiB of memory are available: end something"),
    ],
)
def test_each_fault_is_named_with_its_cure_in_one_line(wrong, beginning):
    (line,) = said(**wrong)
    assert line.startswith(beginning)
    assert "\n" not in line


def test_several_faults_are_all_told_at_once():
    assert len(said(open_files=10, memory_available=0, etcd_trouble="none")) == 3


def test_what_cannot_be_tried_without_root_is_not_judged():
    verdicts = judge(Facts(root=False))
    assert [verdict.check for verdict in verdicts] == ["Linux", "root", "Python"]


NO_IPVS = {**GOOD, "tried": {"IPVS": "Module ip_vs not found"}}


def test_a_kernel_without_ipvs_is_told_so_by_name_where_ipvs_is_asked_for():
    assert said(**NO_IPVS, proxy_mode="ipvs") == [
        "--proxy-mode ipvs: the kernel has no IPVS (module ip_vs: Module ip_vs not found): --proxy-mode nftables, or "
        "a kernel with it (Debian's and Ubuntu's have it)"
    ]
    assert said(**GOOD, proxy_mode="ipvs") == []


@pytest.mark.parametrize("mode", ["", "nftables"])
def test_a_kernel_without_ipvs_is_a_remark_where_nobody_asks_for_ipvs(mode):
    verdicts = judge(Facts(**NO_IPVS, proxy_mode=mode))
    assert not problems(verdicts)
    assert "all but --proxy-mode ipvs works" in verdicts[-1].remark


def test_a_kernel_without_ipv6_is_a_remark_and_stops_nobody():
    verdicts = judge(Facts(**GOOD, ip_families=("IPv4",)))
    assert not problems(verdicts)
    assert [each.remark for each in verdicts if each.check == "IPv6"] == [
        "this kernel has no IPv6: the cluster has IPv4 alone, all else works"
    ]
    assert "IPv6" not in {each.check for each in judge(Facts(**GOOD))}


def test_dockers_forwarding_policy_is_a_remark_and_stops_nobody():
    verdicts = judge(Facts(**GOOD, forward_dropped=True))
    assert not problems(verdicts)
    assert "joins others" in verdicts[-1].remark


@pytest.mark.parametrize(
    ("facts", "code", "line"), [({}, 0, "ok     memory"), ({"root": False}, 1, "wrong  not root: ")]
)
def test_the_command_prints_a_line_for_each_check_and_fails_when_something_is_wrong(monkeypatch, facts, code, line):
    monkeypatch.setattr(probe, "check", lambda: judge(Facts(**{**GOOD, **facts})))
    result = CliRunner().invoke(preflight)
    assert result.exit_code == code
    assert any(each.startswith(line) for each in result.output.splitlines())


def test_without_haproxy_only_ingresses_cannot_be_served():
    verdicts = judge(Facts(**GOOD | {"programs": GOOD["programs"] - {"haproxy"}}))
    assert not problems(verdicts)
    assert [each.remark for each in verdicts if each.remark] == [
        "no haproxy, so `up --ingress` will not work: apt install haproxy"
    ]
