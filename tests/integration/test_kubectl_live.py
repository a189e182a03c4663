"""What kubectl does for as long as it runs, in every version of this machine: watches, streams, forwards, a terminal.

Each version has a thread of its own; all share the cluster, and each has its own namespace with a Pod `sleeper`.
"""

import contextlib
import fcntl
import json
import os
import pty
import queue
import re
import struct
import subprocess
import termios
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.cluster import Cluster
from support.kubectl import FOLDER, OLDEST, Terminal, installed

pytestmark = pytest.mark.system

PATIENCE_S = 40.0
Scenario = Callable[[Terminal], None]


@pytest.fixture(scope="module")
def terminals(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Terminal]]:
    folder = tmp_path_factory.mktemp("live")
    versions = [each for each in installed() if each.minor >= OLDEST]
    found = [Terminal(cluster, each, folder / f"1.{each.minor}") for each in versions]
    both(found, _prepare)
    yield found
    for each in found:
        each.close()


def _prepare(terminal: Terminal) -> None:
    say(terminal, "kubectl apply --validate=false -f talker.yaml")
    say(terminal, "kubectl wait pod/talker --for=condition=Ready --timeout=60s")


def both(terminals: list[Terminal], scenario: Scenario) -> None:
    """One scenario in all versions at once; the first failure says whose it is."""

    def play(terminal: Terminal) -> str:
        try:
            scenario(terminal)
        except AssertionError as error:
            return f"1.{terminal.kubectl.minor}: {error}"
        return ""

    with ThreadPoolExecutor(len(terminals)) as pool:
        wrong = [said for said in pool.map(play, terminals) if said]
    assert not wrong, "\n".join(wrong)


def say(terminal: Terminal, command: str) -> str:
    code, printed = terminal.type(command)
    assert code == 0, f"{command}: exit {code}: {printed}"
    return printed


class Running:
    """A command that goes on; its lines can be waited for."""

    def __init__(self, terminal: Terminal, command: str) -> None:
        self.child = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=FOLDER / "files",
            env=terminal.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.seen: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.child.stdout or ():
            self._lines.put(line.rstrip("\n"))
        self._lines.put("(end)")

    def wait(self, pattern: str) -> re.Match[str]:
        """The first line from here on that has this pattern."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"waited for {pattern!r}; it said {self.seen}") from None
            self.seen.append(line)
            if found := re.search(pattern, line):
                return found
            assert line != "(end)", f"it ended before {pattern!r}; it said {self.seen}"

    def close(self) -> int:
        self.child.terminate()
        return self.child.wait(10)


@contextlib.contextmanager
def running(terminal: Terminal, command: str) -> Iterator[Running]:
    found = Running(terminal, command)
    try:
        yield found
    finally:
        found.close()


def fetch(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.loads(answer.read())


# --- watches ---------------------------------------------------------------------------------------------------------


def test_a_watch_shows_each_change_in_the_columns_of_the_list(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        with running(terminal, "kubectl get configmaps -w --output-watch-events") as seen:
            seen.wait(r"^EVENT\s+NAME\s+DATA\s+AGE$")
            seen.wait(r"^ADDED\s+kube-root-ca.crt\s+1")
            say(terminal, "kubectl apply --validate=false -f settings.yaml")
            seen.wait(r"^ADDED\s+settings\s+1\s+\d+s$")
            say(terminal, "kubectl delete configmap settings")
            seen.wait(r"^DELETED\s+settings\s+1")

    both(terminals, scenario)


def test_a_watch_of_one_object_begins_with_what_it_is(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        with running(terminal, "kubectl get pod talker -w -o name") as seen:
            seen.wait("^pod/talker$")
            say(terminal, "kubectl label pod talker seen=yes --overwrite")
            seen.wait("^pod/talker$")

    both(terminals, scenario)


def test_wait_sees_what_is_deleted_while_it_waits(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        say(terminal, "kubectl create -f settings.yaml")
        with running(terminal, "kubectl wait configmap/settings --for=delete --timeout=30s -v=6") as seen:
            seen.wait("watch=true.*200 OK")
            say(terminal, "kubectl delete configmap settings --wait=false")
            seen.wait("configmap/settings condition met")

    both(terminals, scenario)


# --- streams ---------------------------------------------------------------------------------------------------------


def test_logs_are_followed_until_the_container_ends(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        say(terminal, "kubectl apply --validate=false -f counter.yaml")
        say(terminal, "kubectl wait pod/counter --for=condition=Ready --timeout=60s")
        with running(terminal, "kubectl logs -f counter") as seen:
            for number in (1, 2, 3):
                seen.wait(f"^line {number}$")
                terminal.type(
                    f"kubectl exec counter -- sh -c 'echo on > /go{number}'"
                )  # the last one ends with the Pod
            seen.wait(r"^\(end\)$")

    both(terminals, scenario)


def test_a_port_of_a_pod_and_of_a_service_is_forwarded(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        for what in ("pod/talker :8080", "service/talker :80"):
            with running(terminal, f"kubectl port-forward {what}") as forward:
                port = forward.wait(r"Forwarding from 127\.0\.0\.1:(\d+) -> 8080")[1]
                for _ in range(2):
                    assert fetch(f"http://127.0.0.1:{port}/ready") == {"ready": True}

    both(terminals, scenario)


def test_the_proxy_leads_to_objects_and_into_pods_and_services(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        with running(terminal, "kubectl proxy --port=0") as proxy:
            port = proxy.wait(r"Starting to serve on 127\.0\.0\.1:(\d+)")[1]
            here = f"http://127.0.0.1:{port}/api/v1/namespaces/{terminal.namespace}"
            assert fetch(f"{here}/pods/talker")["kind"] == "Pod"
            for what in ("pods/talker:8080", "services/talker:80", "services/talker"):
                answer = fetch(f"{here}/{what}/proxy/some/path?q=1")
                assert (answer["pod"], answer["path"]) == ("talker", "/some/path?q=1"), what

    both(terminals, scenario)


def test_a_terminal_is_as_large_as_ours_and_its_program_ends_as_it_ends(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
        # The size arrives when the program runs already; it may see none at first.
        sized = 'until [ "$(stty size)" = "33 99" ]; do sleep 0.1; done'
        script = f"{sized}; echo as large; read name; echo hello $name; exit 7"
        words = ["kubectl", "exec", "-it", "talker", "--", "sh", "-c", script]
        child = subprocess.Popen(words, env=terminal.environment, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # a terminal whose other end is closed says EIO
            while block := os.read(ours, 4096):
                said += block
                if b"as large" in said and b"you" not in said:
                    os.write(ours, b"you\n")
        os.close(ours)
        assert child.wait(20) == 7, said
        assert b"hello you" in said, said

    both(terminals, scenario)


def test_attach_speaks_with_the_program_itself(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        say(
            terminal,
            "kubectl run echoer --image=minik8s/toolbox:1 --restart=Never --stdin --attach=false --command -- cat",
        )
        say(terminal, "kubectl wait pod/echoer --for=condition=Ready --timeout=60s")
        with running(terminal, "kubectl attach -i echoer") as attached:
            assert attached.child.stdin
            attached.child.stdin.write("anybody there?\n")
            attached.child.stdin.flush()
            attached.wait("^anybody there[?]$")

    both(terminals, scenario)


def test_a_debugging_container_joins_a_running_pod(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        words = "--image=minik8s/toolbox:1 --target=backend -c looker"
        say(terminal, f"kubectl debug talker {words} -- sh -c 'echo I see; curl -s http://127.0.0.1:8080/ready'")
        say(
            terminal,
            # When it is named there, it may not have been started yet.
            "kubectl wait pod/talker --timeout=20s"
            " --for=jsonpath='{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}'=0",
        )
        with running(terminal, "kubectl logs -f talker -c looker") as logs:
            logs.wait("^I see$")
            logs.wait('"ready": true')

    both(terminals, scenario)


def test_drain_waits_for_a_disruption_budget(terminals: list[Terminal]) -> None:
    """One after another, for they share the node."""
    for terminal in terminals[-1:]:
        say(terminal, "kubectl label pod talker app=kept --overwrite")
        say(terminal, "kubectl create poddisruptionbudget keep --selector=app=kept --min-available=1")
        node = say(terminal, "kubectl get pod talker -o jsonpath='{.spec.nodeName}'")
        chosen = f"{node} --force --ignore-daemonsets --pod-selector=app=kept --timeout=60s"
        try:
            with running(terminal, f"kubectl drain {chosen}") as drain:
                drain.wait("Cannot evict pod as it would violate the pod's disruption budget")
                say(terminal, "kubectl delete poddisruptionbudget keep")
                drain.wait(f"node/{node} drained")
        finally:
            say(terminal, f"kubectl uncordon {node}")


def test_top_shows_what_nodes_and_pods_use(terminals: list[Terminal]) -> None:
    def scenario(terminal: Terminal) -> None:
        assert re.search(r"^node-1\s+\d+m\s+\d+%\s+\d+Mi\s+\d+%", say(terminal, "kubectl top nodes"), re.M)
        assert re.search(r"^kube-|^[a-z].*\s\d+m\s+\d+Mi", say(terminal, "kubectl top pods -A"), re.M)

    both(terminals, scenario)
