"""Hostile input over the wire: everything is answered or cut off, nobody else waits, and the server goes on.

The server here has short deadlines, so that what is cut off is cut off while we look.
"""

import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.apiserver import Http, Server, config, wait_until

from minik8s import params
from minik8s.host import clock

pytestmark = pytest.mark.system

CONFIGS = "/api/v1/namespaces/default/configmaps"
SHORT_S = 1.5
SEATS, _ = params.PRIORITY_LEVELS["workload"]
CROWD = 3 * params.SERVER_THREADS
SPARE_THREADS = 4  # that may have been started meanwhile for other reasons


class Target:
    def __init__(self, api) -> None:
        limits = {"HANDSHAKE_TIMEOUT_S": SHORT_S, "REQUEST_TIMEOUT_S": SHORT_S}
        self.server = Server(api.folder, api.etcd, api.certificates, "hostile", None, **limits)
        self.admin = Http(self.server, "kubernetes-admin", "system:masters")
        self.anonymous = Http(self.server)

    def open(self) -> socket.socket:
        """A connection on which nothing was said yet."""
        return socket.create_connection(("127.0.0.1", self.server.port), 10)

    def threads(self) -> int:
        (worker,) = self.server.workers()
        return len(list(Path(f"/proc/{worker}/task").iterdir()))

    def files(self) -> int:
        (worker,) = self.server.workers()
        return len(list(Path(f"/proc/{worker}/fd").iterdir()))

    def said(self, data: bytes) -> bytes:
        """Everything that is answered to these bytes until the server closes."""
        with self.admin.raw() as sock:
            try:
                sock.sendall(data)
            except OSError:
                pass  # refused before we were done
            return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    parts = []
    try:
        while data := sock.recv(65536):
            parts.append(data)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.fixture(scope="module")
def target(api):
    made = Target(api)
    (pid,) = made.server.workers()
    yield made
    assert made.server.workers() == [pid], "the worker was replaced: it has died"
    assert "Traceback" not in made.server.log()
    made.server.close()


def served(target) -> None:
    """Others are served: by kept and by new connections, and health."""
    assert target.admin.get("/api/v1/namespaces/default")["metadata"]["name"] == "default"
    with target.admin.raw() as sock:
        sock.sendall(request("GET", CONFIGS))
        assert b" 200 OK" in read_all(sock)
    assert Http(target.server).ready()


def crowd(stack: ExitStack, say, count: int = CROWD) -> list[socket.socket]:
    with ThreadPoolExecutor(8) as pool:
        return [stack.enter_context(sock) for sock in pool.map(lambda _: say(), range(count))]


def test_a_crowd_that_says_nothing_or_half_a_word_starves_nobody_and_is_cut_off(target):
    files = target.files()
    hello = bytes.fromhex("16030102000100")  # the beginning of a TLS handshake

    def silent():
        return target.open()

    def half():
        sock = target.open()
        sock.sendall(hello)
        return sock

    def shaken():
        return target.admin.raw()

    def slow_head():
        sock = target.admin.raw()
        sock.sendall(b"GET /api/v1/pods HTTP/1.1\r\nHost:")
        return sock

    def slow_body():
        sock = target.admin.raw()
        sock.sendall(f"POST {CONFIGS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
        return sock

    with ExitStack() as stack:
        crowds = [crowd(stack, say) for say in (silent, half, shaken, slow_head, slow_body)]
        served(target)
        for crowded in crowds:
            last = crowded[-1]
            data = read_all(last)  # ends only when the server closes
            assert not data or b" 408 " in data.split(b"\r\n")[0]
        assert target.threads() <= params.SERVER_THREADS + SPARE_THREADS
    wait_until(lambda: target.files() <= files + 2, 10, "every socket is closed")


def test_who_does_not_read_an_answer_keeps_no_thread(target):
    for number in range(20):
        target.admin.post(CONFIGS, config(f"large-{number}", text="x" * 400_000))
    with ExitStack() as stack:
        # More than there are seats for them, and more bytes than the server keeps for all.
        for sock in crowd(stack, target.admin.raw, 40):
            sock.sendall(f"GET {CONFIGS} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        served(target)
    for number in range(20):
        target.admin.delete(f"{CONFIGS}/large-{number}")


BODY = b'{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"smuggled"}}'


def request(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *lines))
    return head.encode("latin-1") + b"\r\n" + body


def kept(path: str) -> bytes:
    """A request after whose answer the connection goes on."""
    return request("GET", path).replace(b"Connection: close\r\n", b"")


JSON = "Content-Type: application/json"
SHAPES = {
    "two ways to say the length": request(
        "POST", CONFIGS, JSON, f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + BODY
    ),
    "two lengths": request("POST", CONFIGS, JSON, "Content-Length: 5", f"Content-Length: {len(BODY)}", body=BODY),
    "a coding in disguise": request("POST", CONFIGS, JSON, "Transfer-Encoding: xchunked", body=BODY),
    "a space before the colon": request("POST", CONFIGS, JSON, f"Content-Length : {len(BODY)}", body=BODY),
    "a folded header": request("GET", CONFIGS, "X-Folded: a\r\n b"),
    "a NUL in a header": request("GET", CONFIGS, "X-Nul: a\0b"),
    "a line feed alone": b"GET / HTTP/1.1\nHost: x\n\n",
    "a carriage return alone": request("GET", CONFIGS, "X-Return: a\rb"),
    "no version": b"GET /\r\n\r\n",
    "a version of its own": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a method in disguise": request("GE\tT", CONFIGS),
    "a method without end": b"A" * 9000,
    "an endless address": request("GET", "/" + "a" * 9000),
    "an endless header": request("GET", CONFIGS, "X-Long: " + "a" * 9000),
    "too many headers": request("GET", CONFIGS, *(f"X-{number}: a" for number in range(200))),
    "a head without end": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * params.MAX_HEAD_BYTES,
    "a huge body announced": request("POST", CONFIGS, JSON, "Content-Length: 99999999999"),
    "a huge chunk announced": request("POST", CONFIGS, JSON, "Transfer-Encoding: chunked", body=b"7fffffff\r\n"),
    "a script name": request("GET", CONFIGS, "SCRIPT_NAME: /api", "SCRIPT-NAME: /elsewhere"),
    "an address with a server": request("GET", "http://elsewhere/api/v1/pods"),
    "an address that is a star": request("OPTIONS", "*"),
    "a tunnel": request("CONNECT", "example.org:443"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_that_is_out_of_shape_is_refused_or_cut_off(target, shape):
    answer = target.said(SHAPES[shape])
    codes = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert len(codes) <= 1, answer
    if codes:
        body = answer.partition(b"\r\n\r\n")[2]
        ok = shape in ("a script name", "an address with a server")
        assert (200 if ok else 400) <= codes[0] < (300 if ok else 500), answer
        assert ok or json.loads(body)["kind"] == "Status"
    assert target.admin.json("GET", f"{CONFIGS}/smuggled")["code"] == 404


PATHS = (
    "//api/v1/namespaces",  # of which there are some, so that an empty list would show
    "/api//v1/pods",
    "/api/v1/namespaces//pods",
    "/api/v1/namespaces/%00/pods",
    "/api/v1/namespaces/default/pods/%00",
    "/api/v1/namespaces/default/configmaps/..%2f..%2fkube-system",
    "/api/v1/namespaces/%2e%2e/pods",
    "/api/v1/namespaces/default/../../../secrets",
    "/api/v1/namespaces/default%2fconfigmaps/x/y",
    "/api/v1/namespaces/default/pods/%ff%fe",
    "/api/v1/namespaces/default/pods/%c3%28",
    "/api/v1/namespaces/default/pods/" + "a" * 4000,
    "/api/v1/pods?limit=999999999999999999999999",
    "/api/v1/pods?limit=many",
    "/api/v1/pods?resourceVersion=-1",
    "/api/v1/pods?resourceVersion=1e9",
    "/api/v1/pods?labelSelector=%00",
    "/api/v1/pods?labelSelector=((((",
    "/api/v1/pods?fieldSelector=" + "metadata.name%3Da," * 400,
    "/api/v1/pods?continue=%ff%ff",
    "/api/v1/pods?watch=true&timeoutSeconds=soon",
    "/api/v1/pods?watch=true&resourceVersion=%d9%a3",
    "/apis/%2e%2e/v1/pods",
    "/version/%2e%2e/%2e%2e/etc/passwd",
    "/minik8s/audit?since=%d9%a3",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_with_a_trick_in_it_leads_nowhere_else(target, path):
    data = target.said(request("GET", path))
    head, _, body = data.partition(b"\r\n\r\n")
    code, answer = int(head[9:12]), json.loads(body)
    # A namespace that cannot exist is an empty one, as upstream has it.
    assert (400 <= code < 500 and answer["kind"] == "Status") or (code == 200 and answer["items"] == []), data[:500]


DEEP = b"[" * 100_000 + b"]" * 100_000
NAMED = b'{"metadata":{"name":"hostile"},%s}'
BODIES = {
    "nothing": b"",
    "no JSON": b"\xff\xfe\x00",
    "deep nesting": NAMED % (b'"data":' + DEEP),
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a huge number": NAMED % (b'"immutable":' + b"9" * 5000),
    "a huge exponent": NAMED % b'"immutable":1e999999',
    "NUL in a name": b'{"metadata":{"name":"a\\u0000b"}}',
    "half a surrogate": NAMED % b'"data":{"a":"\\ud800"}',
    "invalid UTF-8": NAMED % b'"data":{"a":"\xff\xfe"}',
    "a list": b"[1,2,3]",
    "a word": b'"ConfigMap"',
    "null": b"null",
    "NaN": NAMED % b'"immutable":NaN',
    "a name of a path": b'{"metadata":{"name":"../../kube-system/x"}}',
    "a name without end": b'{"metadata":{"name":"%s"}}' % (b"a" * 100_000),
    "another namespace": b'{"metadata":{"name":"hostile","namespace":"kube-system"}}',
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_of_any_content_is_answered_with_a_status(target, case):
    answer = target.admin.ask("POST", CONFIGS, BODIES[case])
    assert 400 <= answer.status < 500, (answer.status, answer.data[:300])
    status = json.loads(answer.data)
    assert (status["kind"], status["code"]) == ("Status", answer.status)
    assert target.admin.json("GET", f"{CONFIGS}/hostile")["code"] == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=utf-16", "x", "a/b/c"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_of_another_type_is_refused(target, method, kind):
    path = CONFIGS if method == "POST" else f"{CONFIGS}/kube-root-ca.crt"
    answer = target.admin.ask(method, path, b"<a/>", Content_Type=kind)
    assert 400 <= answer.status < 500 and json.loads(answer.data)["kind"] == "Status"


def test_a_client_that_has_closed_its_half_is_answered_and_plain_http_is_told_so(target):
    with target.open() as sock:
        sock.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"400" in read_all(sock).split(b"\r\n")[0]
    with target.admin.raw() as sock:
        sock.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        socket.socket.shutdown(sock, socket.SHUT_WR)
        assert b" 200 OK" in read_all(sock)


def test_requests_sent_without_waiting_are_answered_in_their_order(target):
    with target.admin.raw() as sock:
        sock.sendall(kept("/version") * 5 + request("GET", "/nowhere"))
        codes = [part[:3] for part in read_all(sock).split(b"HTTP/1.1 ")[1:]]
    assert codes == [b"200"] * 5 + [b"404"]


def test_a_request_out_of_shape_behind_good_ones_is_refused_in_its_place(target):
    """Behind an answer the next request is read by the thread that gave it, and refused by another."""
    good = kept("/api/v1/namespaces/default")
    bad = request("POST", CONFIGS, JSON, "Content-Length: 5", "Transfer-Encoding: chunked", body=BODY)
    with target.admin.raw() as sock:
        sock.sendall(good * 3 + bad)
        codes = [part[:3] for part in read_all(sock).split(b"HTTP/1.1 ")[1:]]
    assert codes == [b"200"] * 3 + [b"400"]


def test_who_never_stops_asking_keeps_nobody_out(target):
    """As many as there are seats, and each asks again at once: who comes later is answered before any of them ends."""
    asked = kept("/api/v1/namespaces/default") * 300

    def ask_on(sock) -> float:
        sock.sendall(asked + request("GET", "/api"))
        assert read_all(sock).count(b"HTTP/1.1 200 OK") == 301
        return clock.monotonic()

    with ExitStack() as stack, ThreadPoolExecutor(SEATS) as pool:
        socks = crowd(stack, target.admin.raw, SEATS)
        ended = [pool.submit(ask_on, sock) for sock in socks]
        served(target)
        came = clock.monotonic()
        assert came < min(each.result() for each in ended)


def test_who_waits_for_a_word_before_its_body_gets_it(target):
    with target.admin.raw() as sock:
        sock.sendall(request("POST", CONFIGS, JSON, "Expect: 100-continue", "Content-Length: 2"))
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"{}")
        assert read_all(sock).startswith(b"HTTP/1.1 4")


def test_a_shutdown_in_the_middle_of_a_handshake_is_no_failure(target):
    for _ in range(20):
        context = ssl.create_default_context()
        with target.open() as sock, pytest.raises(OSError):
            context.wrap_socket(sock, server_hostname="localhost")  # it does not trust the server, and says so
    served(target)
