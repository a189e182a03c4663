"""Names as programs in Pods see them: the stub resolvers of glibc and of musl, and the commands that explain.

musl is asked through a small static program, built on the spot (Debian's musl-tools, which only this test needs) and
put into the Pod's own files. musl shows every mistake of a server: it stops at NODATA where glibc goes on.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import packages
from support.cluster import CLIENT, Cluster, Space, until

from minik8s.api.core import Service
from minik8s.api.pods import Pod
from minik8s.host import processes

pytestmark = pytest.mark.system

MUSL = r"""
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = 0;
        char text[64];
        int error = getaddrinfo(argv[i], 0, &hints, &found);
        printf("%s", argv[i]);
        if (error) printf(" -");
        for (; found; found = found->ai_next)
            if (found->ai_family == AF_INET)
                printf(" %s", inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, text, 64));
        printf("\n");
    }
}
"""
GLIBC = """
import socket, sys
for name in sys.argv[1:]:
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        print(name, "-")
    else:
        print(name, *[each[4][0] for each in found])
"""
OBJECTS = """
{kind: Service, apiVersion: v1, metadata: {name: web}, spec: {selector: {app: tester}, ports: [{name: http, port: 80}]}}
---
{kind: Service, apiVersion: v1, metadata: {name: db}, spec: {clusterIP: None, selector: {app: tester}}}
---
{kind: Service, apiVersion: v1, metadata: {name: none}, spec: {clusterIP: None, selector: {app: nobody}}}
---
{kind: Service, apiVersion: v1, metadata: {name: other}, spec: {type: ExternalName, externalName: TARGET}}
---
apiVersion: v1
kind: Pod
metadata: {name: named, labels: {app: tester}}
spec:
  nodeName: node-2
  hostname: first
  subdomain: db
  setHostnameAsFQDN: true
  terminationGracePeriodSeconds: 0
  hostAliases: [{ip: 192.0.2.7, hostnames: [seven, seven.example.com]}]
  dnsConfig: {searches: [SEARCHES], options: [{name: ndots, value: "3"}]}
  containers: [{name: main, image: "minik8s/toolbox:1", command: [sleep, infinity]}]
"""
DOMAINS = [f"number-{n}.with-a-rather-long-name.example.com" for n in range(8)]


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Space]:
    space = Space(cluster, "names")
    space.apply(CLIENT.format(node="node-1"))
    space.apply(OBJECTS.replace("TARGET", "web.names.svc.cluster.local").replace("SEARCHES", ", ".join(DOMAINS)))
    space.wait_ready("tester", 2)
    until(lambda: "-" not in resolve(space, "glibc", "db", "web")["db"], "the Service is answered")
    yield space
    space.close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The static program."""
    if not shutil.which("musl-gcc"):
        packages.install("musl-tools")
    folder = tmp_path_factory.mktemp("musl")
    (folder / "ask.c").write_text(MUSL)
    processes.run(["musl-gcc", "-static", "-Os", "-s", "-o", str(folder / "ask"), str(folder / "ask.c")])
    return folder / "ask"


def resolve(space: Space, libc: str, *names: str) -> dict[str, list[str]]:
    """Each name with the addresses that the Pod `tester` finds."""
    program = ["python3", "-c", GLIBC] if libc == "glibc" else ["/tmp/ask"]
    lines = space("exec", "tester", "--", *program, *names).stdout.splitlines()
    return {name: sorted(found) for name, *found in map(str.split, lines)}


@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_a_stub_resolver_finds_what_there_is_and_nothing_else(pods: Space, program: Path, libc: str) -> None:
    inside = Path(f"/proc/{pods.cluster.main_process(pods.get(Pod, 'tester'))}/root/tmp/ask")
    shutil.copy(program, inside)
    web = pods.get(Service, "web").spec.clusterIP
    both = sorted(pods.get(Pod, name).status.podIP for name in ("tester", "named"))
    expected = {
        "web": [web],
        "web.names": [web],
        "web.names.svc": [web],
        "web.names.svc.cluster.local": [web],
        "web.names.svc.cluster.local.": [web],
        "kubernetes.default": ["10.96.0.1"],
        "db": both,
        "db.names.svc.cluster.local": both,
        "first.db": [pods.get(Pod, "named").status.podIP],
        "other": [web],
        "none": ["-"],
        "missing": ["-"],
        "web.default": ["-"],
        "www.example.com": ["-"],
    }
    assert resolve(pods, libc, *expected) == expected


# What a resolver asks, in this order, until it is answered. Fewer dots than ndots: the search list comes first.
SEARCHED = {
    "web": ["web.names.svc.cluster.local."],
    "kubernetes.default": ["kubernetes.default.names.svc.cluster.local.", "kubernetes.default.svc.cluster.local."],
    "web.names.svc": [
        "web.names.svc.names.svc.cluster.local.",
        "web.names.svc.svc.cluster.local.",
        "web.names.svc.cluster.local.",
    ],
    # Four dots are fewer than five: even the whole name walks the list first.
    "web.names.svc.cluster.local": [
        "web.names.svc.cluster.local.names.svc.cluster.local.",
        "web.names.svc.cluster.local.svc.cluster.local.",
        "web.names.svc.cluster.local.cluster.local.",
        "web.names.svc.cluster.local.",
    ],
    "web.names.svc.cluster.local.": ["web.names.svc.cluster.local."],
    "first.db.names.svc.cluster.local": ["first.db.names.svc.cluster.local."],
    "www.example.com": [
        "www.example.com.names.svc.cluster.local.",
        "www.example.com.svc.cluster.local.",
        "www.example.com.cluster.local.",
        "www.example.com.",
    ],
    "www.example.com.": ["www.example.com."],
}


@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_a_stub_resolver_asks_along_its_search_list(pods: Space, program: Path, libc: str) -> None:
    shutil.copy(program, Path(f"/proc/{pods.cluster.main_process(pods.get(Pod, 'tester'))}/root/tmp/ask"))
    tester = pods.get(Pod, "tester").status.podIP

    def questions(since: int) -> dict:
        page = f"/api/v1/nodes/node-1/proxy/debug/dns/debug/questions?since={since}"
        return json.loads(pods("get", "--raw", page).stdout)

    for name, expected in SEARCHED.items():
        before = questions(0)["last"]
        resolve(pods, libc, name)
        seen = [each for each in questions(before)["questions"] if each["client"] == tester and each["type"] == "A"]
        assert [each["name"] for each in seen] == expected, name


def test_a_pods_own_files_say_who_it_is_and_whom_to_ask(pods: Space) -> None:
    def cat(file: str) -> list[list[str]]:
        return [line.split() for line in pods("exec", "named", "--", "cat", file).stdout.splitlines() if line.strip()]

    conf = {words[0]: words[1:] for words in cat("/etc/resolv.conf")}
    assert conf["nameserver"] == ["10.96.0.10"] and conf["options"] == ["ndots:3"]
    assert conf["search"] == ["names.svc.cluster.local", "svc.cluster.local", "cluster.local", *DOMAINS]
    address, hosts = pods.get(Pod, "named").status.podIP, cat("/etc/hosts")
    assert [address, "first.db.names.svc.cluster.local", "first"] in hosts
    assert ["192.0.2.7", "seven", "seven.example.com"] in hosts
    assert pods("exec", "named", "--", "hostname").stdout.strip() == "first.db.names.svc.cluster.local"


def query(space: Space, *words: str, check: bool = True) -> processes.Completed:
    return space.cluster("dns", "query", "-n", space.name, *words, check=check)


def test_dns_query_shows_each_question_and_where_its_answer_comes_from(pods: Space) -> None:
    web = pods.get(Service, "web")
    said = query(pods, "tester", "web.names").stdout
    assert "ndots 5" in said and "1. web.names.names.svc.cluster.local. A: NXDOMAIN" in said
    assert "2. web.names.svc.cluster.local. A: NOERROR" in said
    assert f"web.names.svc.cluster.local. 5 A {web.spec.clusterIP}" in said
    assert f"from services/names/web@{web.metadata.resourceVersion}" in said
    assert "first.db.names.svc.cluster.local." not in said
    said = query(pods, "tester", "_http._tcp.web", "SRV").stdout
    assert "SRV 0 100 80 web.names.svc.cluster.local." in said
    missing = query(pods, "tester", "missing", check=False)
    assert missing.code == 1 and missing.stdout.count("NXDOMAIN") == 4
    assert missing.stderr.strip() == "error: Pod tester finds no A record of missing"
    assert "no record type NONSENSE" in query(pods, "tester", "web", "NONSENSE", check=False).stderr


def test_dns_log_shows_what_is_asked_while_it_is_looked_at(pods: Space) -> None:
    said: list[str] = []
    watching = threading.Thread(target=lambda: said.append(pods.cluster("dns", "log", "--seconds", "6").stdout))
    watching.start()
    while watching.is_alive():
        resolve(pods, "glibc", "other")
    watching.join()
    web = pods.get(Service, "web").spec.clusterIP
    wanted = f"other.names.svc.cluster.local. A: NOERROR CNAME web.names.svc.cluster.local. A {web}"
    (line, *_) = [line for line in said[0].splitlines() if wanted in line]
    assert " node-1 " in line and pods.get(Pod, "tester").status.podIP in line


def test_the_numbers_have_corednss_names(pods: Space) -> None:
    page = pods("get", "--raw", "/api/v1/nodes/node-1/proxy/debug/dns/metrics").stdout
    for name in (
        "dns_requests_total{",
        "dns_responses_total{",
        "dns_request_duration_seconds_bucket{",
        "cache_hits_total",
    ):
        assert f"coredns_{name}" in page
    assert json.loads(pods("get", "--raw", "/api/v1/nodes/node-1/proxy/debug/dns/debug/questions").stdout)
