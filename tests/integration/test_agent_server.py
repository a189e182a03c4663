"""The agent's server on real Docker: logs and exec over TLS, for the API server alone."""

import ssl

import pytest
from support.agentbed import Bed, pod, toolbox
from support.apiserver import Certificates

from minik8s.agent.pages import Pages
from minik8s.agent.server import AgentServer, tls
from minik8s.streams import client, handshake
from minik8s.streams.websocket import STDERR, STDOUT

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    bed = Bed(tmp_path_factory.mktemp("agent"))
    script = "echo one; echo two; trap 'exit 0' TERM; while :; do sleep 0.1; done"
    bed.add(pod("web", toolbox(script)))
    bed.running("default/web")
    bed.add(pod("done", toolbox("echo done; sleep 5"), restartPolicy="Never"))
    bed.settle("default/done", lambda p: p.status.phase == "Running")
    yield bed
    bed.close()


@pytest.fixture(scope="module")
def place(bed, tmp_path_factory):
    certificates = Certificates(tmp_path_factory.mktemp("pki"))
    certificates.serving("node-1", "127.0.0.1")
    server = AgentServer(("127.0.0.1", 0), tls(certificates.folder, "node-1"), Pages(bed.engine, bed.api))
    server.start()
    yield certificates, server.server_address[1]
    server.shutdown()
    server.server_close()


def dial(place, pair):
    certificates, port = place
    context = ssl.create_default_context(cafile=certificates.ca)
    if pair:
        context.load_cert_chain(*pair)
    return handshake.dial(("127.0.0.1", port), context, 5.0)


def get(place, target, pair=None):
    sock = dial(place, pair or place[0].agents_client)
    with sock:
        sock.sendall(handshake.request("GET", target, {"Host": "x"}))
        answer = handshake.read_answer(sock)
        return answer.code, b"".join(handshake.body(sock, answer))


def run(place, target, stdin=None):
    running = client.connect(dial(place, place[0].agents_client), "x", target)
    if stdin is not None:
        running.stdin(stdin)
        running.close_stdin()
    output = {STDOUT: b"", STDERR: b""}
    for stream, data in running:
        output[stream] += data
    return running.exit_code, output[STDOUT], output[STDERR]


LOGS, EXEC = "/containerLogs/default/web/main", "/exec/default/web/main?stdout=true&stderr=true"


def test_logs_are_read_whole_or_from_the_end(place):
    assert get(place, LOGS) == (200, b"one\ntwo\n")
    assert get(place, f"{LOGS}?tailLines=1") == (200, b"two\n")
    assert get(place, f"{LOGS}?limitBytes=2") == (200, b"on")
    code, stamped = get(place, f"{LOGS}?timestamps=true&tailLines=1")
    assert code == 200 and stamped.endswith(b"Z two\n")


def test_a_followed_log_ends_with_its_container(place):
    assert get(place, "/containerLogs/default/done/main?follow=true") == (200, b"done\n")


def test_what_is_not_there_is_said(place):
    assert get(place, f"{LOGS}?previous=true")[0] == 400
    assert get(place, "/containerLogs/default/none/main")[0] == 404
    assert get(place, "/nonsense")[0] == 404
    assert get(place, "/debug/nonsense/x")[0] == 404


def test_the_pods_of_the_node_are_listed(place):
    code, body = get(place, "/pods")
    assert code == 200 and b'"PodList"' in body and b'"web"' in body


def test_a_command_gets_its_input_and_its_exit_code_comes_back(place):
    shell = "&command=sh&command=-c&command="
    assert run(place, f"{EXEC}{shell}echo+out%3B+echo+err+%3E%262%3B+exit+3") == (3, b"out\n", b"err\n")
    big = b"x" * 3_000_000
    assert run(place, f"{EXEC}&stdin=true&command=cat", big) == (0, big, b"")


def test_a_command_with_a_terminal_has_one(place):
    code, out, _ = run(place, f"{EXEC}&tty=true&command=tty")
    assert code == 0 and b"/dev/pts/" in out


def test_a_command_that_is_not_there_is_an_exit_code(place):
    code, *_ = run(place, f"{EXEC}&command=nonsense")
    assert code in (126, 127)


def test_nobody_but_the_api_server_is_served(place):
    certificates, _ = place
    assert get(place, "/pods", certificates.client("system:node:node-2", "system:nodes"))[0] == 403
    with pytest.raises((ssl.SSLError, ConnectionError)), dial(place, None) as sock:
        sock.sendall(handshake.request("GET", "/pods", {"Host": "x"}))
        handshake.read_answer(sock)
