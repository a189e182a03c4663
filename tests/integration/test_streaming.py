"""Streams through a whole cluster, from a client's socket into a container: what the clients of each dialect do by
themselves, and what no command shows (who holds a thread, what is refused before an upgrade).
"""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from support.cluster import WHY, Cluster, Space, wait
from support.spdyclient import Client as Spdy
from support.spdyclient import control, data

from minik8s import params
from minik8s.api.pods import Pod, is_ready
from minik8s.streams import handshake, websocket

pytestmark = pytest.mark.system

SAYS = """
import http.server as h, json, socketserver, threading
class Handler(h.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        said = {"method": self.command, "path": self.path, "body": self.rfile.read(length).decode()}
        said["secret"] = self.headers.get("Authorization")
        body, kind = json.dumps(said).encode(), "application/json"
        if self.path == "/page":
            body, kind = b'<a href="/there">there</a>', "text/html"
        self.send_response(302 if self.path == "/go" else 200)
        self.send_header("Location", "/there")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
socketserver.ThreadingTCPServer.allow_reuse_address = True
inside = socketserver.ThreadingTCPServer(("127.0.0.1", 7007), Echo)
threading.Thread(target=inside.serve_forever, daemon=True).start()
print("ready", flush=True)
h.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def pods(cluster: Cluster) -> Iterator[Space]:
    """`says`, which answers HTTP on its address and echoes on its loopback, behind a Service of the same name."""
    space = Space(cluster, "streaming")
    meta = {"name": "says", "labels": {"app": "says"}}
    main = {"name": "main", "image": params.TOOLBOX_IMAGE, "command": ["python3", "-c", SAYS]}
    probe = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [{**main, "readinessProbe": probe}]}
    ports = [{"name": "http", "port": 80, "targetPort": 8000}]
    for kind, body in (("Pod", {"spec": spec}), ("Service", {"spec": {"selector": {"app": "says"}, "ports": ports}})):
        space.apply(json.dumps({"apiVersion": "v1", "kind": kind, "metadata": meta, **body}))
    idle = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "idle"}, "spec": {"ports": ports}}
    space.apply(json.dumps(idle))
    space.wait(Pod, lambda found: "says" in found and is_ready(found["says"]))
    yield space
    space.close()


class Line:
    """A connection of its own to the API server."""

    def __init__(self, space: Space, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        self.sock, host = space.client.open_socket()
        self.sock.settimeout(20)
        sent = {"Host": host, **space.client.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        target = f"/api/v1/namespaces/{space.name}/{path}"
        if body:
            sent["Content-Length"] = str(len(body))
        self.sock.sendall(handshake.request(method, target, sent) + body)
        self.answer = handshake.read_answer(self.sock)
        self.early = self.answer.early

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def read(self) -> bytes:
        early, self.early = self.early, b""
        return early or self.sock.recv(65536)

    def body(self) -> bytes:
        return handshake.whole_body(self.sock, self.answer)


def ask(space: Space, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    with Line(space, method, path, body, **headers) as line:
        return line.answer.code, line.answer.headers, b"" if method == "HEAD" else line.body()


UPGRADE = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
SHELL = [("container", "main"), ("command", "sh"), ("command", "-c")]


def test_a_command_over_spdy_takes_megabytes_in_and_gives_them_back_and_its_exit_code(pods: Space) -> None:
    """As kubectl before 1.30: a stream for each channel, all of them before anything is sent."""
    query = urlencode(
        [
            *SHELL,
            ("command", "cat > /tmp/in; cat /tmp/in; exit 3"),
            ("stdin", "true"),
            ("stdout", "true"),
            ("stderr", "true"),
        ]
    )
    client, streams, given = Spdy(), {}, bytes(range(256)) * 8192
    protocols = "v5.channel.k8s.io, v4.channel.k8s.io"
    with Line(pods, "POST", f"pods/says/exec?{query}", **UPGRADE, X_Stream_Protocol_Version=protocols) as line:
        assert line.answer.code == 101
        assert line.answer.headers["x-stream-protocol-version"] == "v4.channel.k8s.io"
        for name in ("error", "stdin", "stdout", "stderr"):
            streams[name], begin = client.open(streamtype=name)
            line.sock.sendall(begin)
        found = dict.fromkeys(streams.values(), b"")
        ended: set[int] = set()
        for at in range(0, len(given), 1 << 16):
            line.sock.sendall(data(streams["stdin"], given[at : at + (1 << 16)]))
            if at == 0:
                line.sock.sendall(control(6, b"\0\0\0\1"))
        line.sock.sendall(data(streams["stdin"], b"", fin=True))
        while not ended >= {streams["stdout"], streams["error"]}:
            for kind, number, piece in client.read(line.read()):
                found[number] = found.get(number, b"") + (piece if kind == "DATA" else b"")
                ended |= {number} if kind == "FIN" else set()
    assert found[streams["stdout"]] == given
    status = json.loads(found[streams["error"]])
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]


def test_what_cannot_be_streamed_is_said_before_the_upgrade_as_a_status(pods: Space) -> None:
    asked = {
        "pods/says/exec?stdout=true": (400, "at least 1 command"),
        "pods/says/exec?command=sh": (400, "at least 1 of stdin, stdout, stderr"),
        "pods/says/exec?command=sh&container=x&stdout=true": (400, "container x is not valid for pod says"),
        "pods/nobody/attach?stdout=true": (404, 'pods "nobody" not found'),
        "pods/says/portforward": (400, "unable to negotiate"),
    }
    for path, (code, because) in asked.items():
        answer = ask(pods, "POST", path, **UPGRADE, X_Stream_Protocol_Version="v4.channel.k8s.io")
        status = json.loads(answer[2])
        assert (answer[0], status["code"], status["kind"]) == (code, code, "Status"), path
        assert because in status["message"], path


def test_ports_on_the_loopback_of_a_pod_are_forwarded_to_clients_that_speak_channels(pods: Space) -> None:
    """As the Python clients: each port of the query is one connection from the beginning."""
    key = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "eA=="}
    with Line(pods, "GET", "pods/says/portforward?ports=7007&ports=9", **key) as line:
        assert line.answer.code == 101 and "sec-websocket-protocol" not in line.answer.headers
        channels, found = websocket.Channels(server=False, whole=()), dict.fromkeys(range(4), b"")
        line.sock.sendall(channels.message(0, b"hello"))
        while len(found[0]) < 7 or len(found[3]) < 10:
            for channel, piece in channels.feed(line.read())[0]:
                found[channel] += piece
    assert found[0] == (7007).to_bytes(2, "little") + b"hello"
    assert b"localhost:9" in found[3] and b"connection refused" in found[3]


@pytest.mark.parametrize("who", ["pods/says:8000", "services/says:80", "services/http:says:http"])
def test_the_proxy_of_pods_and_services_passes_every_method_on_and_no_credentials(pods: Space, who: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        body = b"" if method in ("GET", "OPTIONS") else b"some"
        code, _, text = ask(pods, method, f"{who}/proxy/a%2Fb//c?d=e", body, Authorization="Bearer x")
        said = json.loads(text)
        expected = {"method": method, "path": "/a%2Fb//c?d=e", "body": body.decode(), "secret": None}
        assert (code, said) == (200, expected)
    code, headers, _ = ask(pods, "HEAD", f"{who}/proxy/")
    assert code == 200 and int(headers["content-length"]) > 0


def test_redirects_and_links_behind_the_proxy_lead_through_it_again(pods: Space) -> None:
    prefix = f"/api/v1/namespaces/{pods.name}/services/says:80/proxy"
    code, headers, _ = ask(pods, "GET", "services/says:80/proxy?a=b")
    assert (code, headers["location"]) == (301, f"{prefix}/?a=b")
    code, headers, _ = ask(pods, "GET", "services/says:80/proxy/go")
    assert (code, headers["location"]) == (302, f"{prefix}/there")
    assert ask(pods, "GET", "services/says:80/proxy/page")[2].decode() == f'<a href="{prefix}/there">there</a>'


@pytest.mark.parametrize(
    "who, because",
    [
        ("services/idle:80", 'no endpoints available for service "idle"'),
        ("services/says:81", 'no service port "81" found for service "says"'),
        ("pods/says:9", "connection refused"),
        ("pods/https:says:8000", "TLS"),
    ],
)
def test_nobody_behind_the_proxy_is_a_503_that_says_why(pods: Space, who: str, because: str) -> None:
    code, _, text = ask(pods, "GET", f"{who}/proxy/")
    assert (code, json.loads(text)["reason"]) == (503, "ServiceUnavailable")
    assert because in json.loads(text)["message"]


def test_followed_logs_hold_no_thread_that_answers_requests(pods: Space) -> None:
    """More of them than there are such threads, each with a line; then the server answers as ever."""
    lines = [Line(pods, "GET", "pods/says/log?follow=true") for _ in range(params.SERVER_THREADS + 8)]
    try:
        assert all(next(handshake.body(line.sock, line.answer)).startswith(b"ready") for line in lines)
        assert ask(pods, "GET", "pods/says")[0] == 200
    finally:
        for line in lines:
            line.sock.close()


def test_a_container_added_to_a_running_pod_sees_its_target_and_is_started_once(pods: Space) -> None:
    guest = {"name": "guest", "image": params.TOOLBOX_IMAGE, "command": ["sh", "-c", "cat /proc/1/cmdline; exit 4"]}
    body = {"spec": {"ephemeralContainers": [{**guest, "targetContainerName": "main"}]}}
    path = f"/api/v1/namespaces/{pods.name}/pods/says/ephemeralcontainers"
    headers = {"Content-Type": "application/strategic-merge-patch+json", **WHY.headers()}
    pods.client.request("PATCH", path, body, headers=headers)

    def ended(found: dict[str, Pod]) -> bool:
        return any(status.state.terminated for status in found["says"].status.ephemeralContainerStatuses)

    pod = wait(pods.client, (Pod, pods.name), ended, 40)["says"]
    (status,) = pod.status.ephemeralContainerStatuses
    assert (status.name, status.state.terminated.exitCode, status.restartCount) == ("guest", 4, 0)
    assert is_ready(pod) and pod.status.phase == "Running"
    assert ask(pods, "GET", "pods/says/log?container=guest")[2].startswith(b"python3\0-c\0")
