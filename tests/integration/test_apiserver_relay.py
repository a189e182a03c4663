"""Logs, exec and the node proxy through a real API server, to an agent that a test plays; a server that is killed."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.apiserver import Server, pod

from minik8s import params

pytestmark = pytest.mark.system
ADDRESS = "127.0.0.77"
NODE = "played-node"


class Agent(BaseHTTPRequestHandler):
    """Says what it was asked; takes any upgrade, and then sends back what it gets."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade"):
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            self.wfile.write(f"Sec-WebSocket-Protocol: {self.headers['Sec-WebSocket-Protocol']}\r\n\r\n".encode())
            self.wfile.write(self.path.encode() + b"\n")
            while data := self.connection.recv(65536):
                self.wfile.write(data)
            self.close_connection = True
            return
        user = self.connection.getpeercert()["subject"][-1][0][1]
        body = f"{self.path} for {user}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def agent(api):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*api.certificates.serving(NODE, ADDRESS))
    context.load_verify_locations(api.certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server = ThreadingHTTPServer((ADDRESS, params.KUBELET_PORT), Agent)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    addresses = [{"type": "InternalIP", "address": ADDRESS}]
    api.admin.post("/api/v1/nodes", {"metadata": {"name": NODE}, "status": {"addresses": addresses}})
    yield
    api.admin.delete(f"/api/v1/nodes/{NODE}")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def web(api, agent, namespace):
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.admin.post(path, pod("web", spec={"nodeName": NODE}))
    api.admin.post(path, pod("nowhere"))
    return path


def test_a_log_comes_from_the_agent_of_the_pods_node(api, web, namespace):
    answer = api.admin.ask("GET", f"{web}/web/log?tailLines=5")
    said = f"/containerLogs/{namespace}/web/main?tailLines=5 for kube-apiserver-kubelet-client\n"
    assert (answer.status, answer.data.decode()) == (200, said)
    assert "does not have a host assigned" in api.admin.get(f"{web}/nowhere/log", 400)["message"]
    assert "container other is not valid" in api.admin.get(f"{web}/web/log?container=other", 400)["message"]
    api.admin.get(f"{web}/missing/log", 404)


def test_the_pages_of_a_node_are_read_through_the_server(api, agent):
    answer = api.admin.ask("GET", f"/api/v1/nodes/{NODE}/proxy/debug/proxy/journal?since=5")
    assert answer.data.decode().startswith("/debug/proxy/journal?since=5 for")
    api.user("system:node:other", "system:nodes").get(f"/api/v1/nodes/{NODE}/proxy/pods", 403)


def test_an_agent_that_is_not_there_is_a_503(api, namespace):
    addresses = [{"type": "InternalIP", "address": "127.0.0.78"}]
    api.admin.post("/api/v1/nodes", {"metadata": {"name": "silent"}, "status": {"addresses": addresses}})
    assert "does not answer" in api.admin.get("/api/v1/nodes/silent/proxy/pods", 503)["message"]
    api.admin.delete("/api/v1/nodes/silent")


def test_exec_becomes_a_stream_of_bytes_to_the_agent_and_back(api, web, namespace):
    context = ssl.create_default_context(cafile=api.certificates.ca)
    context.load_cert_chain(*api.certificates.client("kubernetes-admin", "system:masters"))
    with context.wrap_socket(
        socket.create_connection(("127.0.0.1", api.server.port)), server_hostname="127.0.0.1"
    ) as s:
        s.settimeout(10)
        head = [
            f"GET {web}/web/exec?command=sh&command=-c&stdin=true HTTP/1.1",
            "Host: x",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol: v5.channel.k8s.io",
        ]
        s.sendall("\r\n".join([*head, "", ""]).encode())
        stream = s.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.1 101")
        headers = iter(stream.readline, b"\r\n")
        assert b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n" in list(headers)
        assert stream.readline().decode() == f"/exec/{namespace}/web/main?command=sh&command=-c&stdin=true\n"
        sent = bytes(range(256)) * 2000
        s.sendall(sent)
        assert stream.read(len(sent)) == sent
    assert api.admin.ask("GET", "/healthz").status == 200
    assert "Traceback" not in api.server.log()


def test_an_exec_that_cannot_be_is_refused_before_the_upgrade(api, web):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    answer = api.admin.json("GET", f"{web}/missing/exec?command=sh", code=404, **upgrade)
    assert answer["reason"] == "NotFound"


def test_a_killed_server_takes_its_worker_along_and_comes_back_on_its_socket(api, tmp_path):
    """As under a parent process that holds the listening socket: connections queue while nobody accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(tmp_path, api.etcd, api.certificates, "three", listener)
        (worker,) = server.workers()
        server.kill()
        server.wait_gone(worker)
        waiting = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        server.start()
        context = ssl.create_default_context(cafile=api.certificates.ca)
        with context.wrap_socket(waiting, server_hostname="127.0.0.1") as sock:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
        server.close()
