"""Streams on real TLS sockets: the pump, exec from a client through the API server's side to an agent's, and logs."""

import datetime
import hashlib
import ipaddress
import os
import selectors
import socket
import ssl
import threading
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from minik8s.api import codec
from minik8s.api.core import Node
from minik8s.apiserver import errors
from minik8s.apiserver.relaying import carrying, streaming
from minik8s.streams import client, handshake, websocket
from minik8s.streams.link import Link
from minik8s.streams.pump import pump
from minik8s.streams.websocket import CLOSE, ERROR, STDERR, STDIN, STDOUT, Channels, Session

pytestmark = pytest.mark.system
WAIT = 20.0
NODE = codec.from_dict(
    Node, {"metadata": {"name": "n"}, "status": {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}]}}
)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """One self-signed certificate for 127.0.0.1 that is authority, server and client at once."""
    folder = tmp_path_factory.mktemp("pki")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime(2020, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key").write_bytes(key.private_bytes(*pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "crt", folder / "key")
    server.load_verify_locations(folder / "crt")
    server.verify_mode = ssl.CERT_REQUIRED
    dialler = ssl.create_default_context(cafile=str(folder / "crt"))
    dialler.load_cert_chain(folder / "crt", folder / "key")
    return SimpleNamespace(folder=folder, server=server, client=dialler)


class Listener:
    """Serves each TLS connection with `handler` in a thread."""

    def __init__(self, context, handler):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, args=(context, handler))]
        self.threads[0].start()

    def accept(self, context, handler):
        while True:
            try:
                plain, _ = self.sock.accept()
            except OSError:
                return
            sock = context.wrap_socket(plain, server_side=True)
            self.threads.append(threading.Thread(target=handler, args=(sock,)))
            self.threads[-1].start()

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for thread in self.threads:
            thread.join(WAIT)
            assert not thread.is_alive()


@pytest.fixture
def listen(pki):
    made = []

    def start(handler):
        made.append(Listener(pki.server, handler))
        return made[-1]

    yield start
    for listener in reversed(made):
        listener.close()


def head_of(sock):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    return head.decode()


def fields(head):
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)}


def read_all(sock):
    found = b""
    while data := sock.recv(65536):
        found += data
    return found


def dial(pki, port):
    sock = handshake.dial(("127.0.0.1", port), pki.client, 5.0)
    sock.settimeout(WAIT)
    return sock


# --- the pump ----------------------------------------------------------------------------------------------------


def test_twenty_megabytes_cross_the_pump_both_ways_at_once_and_unharmed(pki, listen):
    """The far end sends back what it gets; both of its neighbours speak TLS; nobody waits for ever."""

    def echo(sock):
        with sock:
            while data := sock.recv(65536):
                sock.sendall(data)

    far = listen(echo)
    near = listen(lambda sock: pump(Link(sock), Link(dial(pki, far.port))))
    sock = dial(pki, near.port)
    # Two directions at once need two threads or one that never blocks: here the Link under test.
    payload = os.urandom(1 << 20)
    link, got, sent = Link(sock), hashlib.sha256(), 0

    received = 0
    with selectors.DefaultSelector() as selector:
        while received < 20 << 20:
            if sent < 20 and link.waiting < 1 << 18:
                link.send(payload)
                sent += 1
            selector.register(sock, link.wants(True))
            assert link.ready or selector.select(WAIT), "nothing moves"
            selector.unregister(sock)
            link.flush()
            data = link.receive()
            got.update(data)
            received += len(data)
            assert not link.ended
    link.close()
    assert got.digest() == hashlib.sha256(payload * 20).digest()


def test_everything_sent_before_the_end_arrives_although_the_client_still_talks(pki, listen):
    def answer_and_go(sock):
        with sock:
            sock.recv(1)
            sock.sendall(b"x" * 3_000_000)

    far = listen(answer_and_go)
    near = listen(lambda sock: pump(Link(sock), Link(dial(pki, far.port)), linger=1.0))
    with dial(pki, near.port) as sock:
        sock.sendall(b"go" * 1000)
        assert len(read_all(sock)) == 3_000_000


def test_the_end_of_a_client_reaches_the_far_end_after_all_its_bytes(pki, listen):
    heard = []
    over = threading.Event()

    def hear(sock):
        with sock:
            heard.append(read_all(sock))
            over.set()

    far = listen(hear)
    near = listen(lambda sock: pump(Link(sock), Link(dial(pki, far.port))))
    with dial(pki, near.port) as sock:
        sock.sendall(b"y" * 500_000)
        # Not close(): TLS tickets that nobody read would turn it into a reset, which destroys what is under way.
        socket.socket.shutdown(sock, socket.SHUT_WR)
        assert over.wait(WAIT)
    assert heard == [b"y" * 500_000]


def test_plain_sockets_are_half_closed():
    ours, ours_far = socket.socketpair()
    theirs, theirs_far = socket.socketpair()
    thread = threading.Thread(target=pump, args=(Link(ours_far), Link(theirs)))
    thread.start()
    ours.sendall(b"question")
    ours.shutdown(socket.SHUT_WR)
    assert read_all(theirs_far) == b"question"
    theirs_far.sendall(b"answer")
    theirs_far.close()
    assert read_all(ours) == b"answer"
    ours.close()
    thread.join(WAIT)
    assert not thread.is_alive()


def test_a_client_that_vanishes_frees_the_far_end(pki, listen):
    freed = threading.Event()

    def wait(sock):
        with sock:
            read_all(sock)
            freed.set()

    far = listen(wait)
    near = listen(lambda sock: pump(Link(sock), Link(dial(pki, far.port))))
    sock = dial(pki, near.port)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
    sock.close()
    assert freed.wait(WAIT)


# --- exec, from end to end -------------------------------------------------------------------------------------------


def agent(sock):
    """An agent whose every command is `cat`, with a word on stderr, ending with code 3. `missing` is refused."""

    head = head_of(sock)
    if "/missing" in head:
        sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n\r\nno such")
        sock.close()
        return
    asked = fields(head)
    protocol = websocket.choose(asked["sec-websocket-protocol"])
    sock.sendall(websocket.switching(asked["sec-websocket-key"], protocol))
    session = Session(sock, Channels(server=True, protocol=protocol))
    session.send(STDERR, head.split(" ")[1].encode())
    with selectors.DefaultSelector() as selector:
        done = False
        while not session.ended:
            for channel, data in session.receive():
                if channel == STDIN:
                    session.send(STDOUT, data)
                elif channel == CLOSE and not done:
                    session.send(ERROR, websocket.status(3))
                    session.close()
                    done = True
            if session.ended:
                break
            selector.register(sock, session.wants())
            assert selector.select(WAIT), "nothing moves"
            selector.unregister(sock)
    session.link.close()


def api_server(agents):
    """The API server's side of a request, without gunicorn: read the head, ask the agent, carry."""

    def handle(sock):
        head = head_of(sock)
        method, target, _ = head.split("\r\n")[0].split(" ")
        path, _, query = target.partition("?")
        environ = {"REQUEST_METHOD": method, "QUERY_STRING": query}
        environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in fields(head).items()}
        asked = streaming.upgrade_question(("exec", "default", path.strip("/"), "app"), environ)
        try:
            agents.upgrade(NODE, asked).carry(sock)
        except errors.Failure as failure:
            body = failure.status.message.encode()
            sock.sendall(b"HTTP/1.1 %d no\r\nContent-Length: %d\r\n\r\n%s" % (failure.code, len(body), body))
            sock.close()

    return handle


@pytest.fixture
def agents(pki, listen):
    port = listen(agent).port
    return streaming.Agents(pki.folder / "crt", pki.folder / "crt", pki.folder / "key", port)


def test_exec_carries_ten_megabytes_of_stdin_both_streams_and_the_exit_code(pki, listen, agents):
    near = listen(api_server(agents))
    command = client.connect(dial(pki, near.port), "localhost", "/web-1?command=cat&command=-")
    piece = os.urandom(32 * 1024)

    def feed():
        for _ in range(320):
            command.stdin(piece)
        command.resize(80, 24)
        command.close_stdin()

    feeder = threading.Thread(target=feed)
    feeder.start()
    out, err = hashlib.sha256(), b""
    for channel, data in command:
        if channel == STDOUT:
            out.update(data)
        else:
            err += data
    feeder.join(WAIT)
    assert err == b"/exec/default/web-1/app?command=cat&command=-"
    assert out.digest() == hashlib.sha256(piece * 320).digest()
    assert command.exit_code == 3


def test_a_refusal_of_the_agent_reaches_the_client_as_it_is(pki, listen, agents):
    near = listen(api_server(agents))
    with dial(pki, near.port) as sock, pytest.raises(client.Refused) as caught:
        client.connect(sock, "localhost", "/missing?command=sh")
    assert (caught.value.code, caught.value.body) == (404, b"no such")


def test_hanging_up_ends_the_iteration_and_everybody_is_freed(pki, listen, agents):
    near = listen(api_server(agents))
    command = client.connect(dial(pki, near.port), "localhost", "/web-1?command=sh")
    command.stdin(b"hello")
    for channel, _ in command:
        if channel == STDOUT:
            command.close()
    assert command.exit_code is None


# --- logs ----------------------------------------------------------------------------------------------------------


def test_a_followed_log_comes_line_by_line_and_hanging_up_ends_it_at_the_agent(pki, listen):
    more, ended = threading.Event(), threading.Event()

    def log(sock):
        with sock:
            assert head_of(sock).startswith("GET /containerLogs/default/web/app?follow=true HTTP/1.1")
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n")
            assert more.wait(WAIT)
            sock.sendall(b"4\r\ntwo\n\r\n")
            read_all(sock)
            ended.set()

    agents = streaming.Agents(pki.folder / "crt", pki.folder / "crt", pki.folder / "key", listen(log).port)
    carried = agents.log(NODE, streaming.log_question(("default", "web", "app"), "follow=true"))
    ours, theirs = socket.socketpair()
    carrier = threading.Thread(target=carrying.Carriers().place().of(carried).carry, args=(theirs,))
    carrier.start()
    with ours, ours.makefile("rb") as lines:
        head = list(iter(lines.readline, b"\r\n"))
        assert head[0].startswith(b"HTTP/1.1 200") and b"Transfer-Encoding: chunked\r\n" in head
        assert [lines.readline() for _ in range(3)] == [b"4\r\n", b"one\n", b"\r\n"]
        more.set()
        assert [lines.readline() for _ in range(2)] == [b"4\r\n", b"two\n"]
    assert ended.wait(WAIT)
    carrier.join(WAIT)


def test_an_agent_that_is_not_there_is_a_clear_failure(pki):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        agents = streaming.Agents(pki.folder / "crt", pki.folder / "crt", pki.folder / "key", sock.getsockname()[1])
        with pytest.raises(errors.Failure) as caught:
            agents.log(NODE, streaming.log_question(("default", "web", "app"), ""))
    assert caught.value.code == 503 and 'node "n"' in caught.value.status.message
