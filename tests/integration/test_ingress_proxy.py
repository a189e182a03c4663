"""The ingress's HAProxy, for real, in a namespace of the test: where requests go, certificates, changes under load, and
what becomes of it all when something is killed.
"""

import datetime
import signal
import stat
import threading
from collections.abc import Iterator
from http.client import HTTPException

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.cluster import until
from support.ingressbed import NODE, NODE6, POD6, Bed, bed, get, pod, secrets, services
from support.ingresscases import INGRESSES, SERVICES, ingress, requests

from minik8s.api.discovery import Endpoint
from minik8s.host import clock, namespaces, processes
from minik8s.host.journal import Journal
from minik8s.ingress.rules import match
from minik8s.ingress.sync import Syncer
from minik8s.ingress.world import Refused, World

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def made() -> Iterator[Bed]:
    with bed() as found:
        for number in range(1, 8):
            found.serve(pod(number))
        yield found


def pair(name: str, curve: ec.EllipticCurve | None = None) -> tuple[str, str]:
    """A self-signed certificate and its key, in PEM."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.fromtimestamp(clock.wall(), datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - day, now + day)
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    text = key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
    return builder.sign(key, hashes.SHA256()).public_bytes(encoding).decode(), text


def shown(made: Bed, name: str) -> str:
    """The common name of the certificate that this server name is shown."""
    sock, der = made.tls(name)
    sock.close()
    return str(x509.load_der_x509_certificate(der).subject.rfc4514_string().removeprefix("CN="))


# --- Where requests go ------------------------------------------------------------------------------------------------


def test_haproxy_sends_every_request_where_the_model_says(made: Bed) -> None:
    by_pod = {pod(number): name for number, name in enumerate(SERVICES, 1)}
    made.apply(ingresses=INGRESSES, **services(**{name: [number] for number, name in enumerate(SERVICES, 1)}))
    assert made.syncer.wanted is not None
    table = made.syncer.wanted.config.rules
    for host, path, service in requests():
        rule = match(table, host.partition(":")[0], path.partition("?")[0])
        status, told = made.ask(host, path)
        assert (status, by_pod.get(told.get("pod", ""))) == (200, service), f"{host}{path}"
        assert rule is not None and rule.target.service == service
        assert (told["path"], told["Host"]) == (path, host), "the request itself is left as it is"
        assert (told["X-Forwarded-For"], told["X-Forwarded-Proto"]) == (NODE, "http")


def test_nobody_and_nothing_have_codes_of_their_own(made: Bed) -> None:
    made.apply(ingresses=[ingress("a", "a.test Prefix / web", "b.test Prefix / gone")], **services(web=[]))
    assert made.ask("a.test")[0] == 503, "a Service without endpoints"
    assert made.ask("b.test")[0] == 503, "a Service that is not there"
    assert made.ask("c.test")[0] == 404, "no rule"
    assert made.ask("a.test/x")[0] == 400, "a host with a slash would be taken for a path"


def test_both_families_are_served_and_sent_to(made: Bed) -> None:
    made.serve(POD6)
    given = services(web=[])
    (piece,) = given["slices"]
    piece.addressType, piece.endpoints = "IPv6", [Endpoint(addresses=[POD6])]
    made.apply(ingresses=[ingress("a", "a.test Prefix / web")], **given)
    for address in (NODE, NODE6):
        assert made.ask("a.test", sock=made.connect(node=address)) == (
            200,
            {"pod": POD6, "path": "/", "Host": "a.test", "X-Forwarded-For": address, "X-Forwarded-Proto": "http"},
        )
    before = len(made.syncer.journal.entries())
    made.apply()
    assert len(made.syncer.journal.entries()) == before, "HAProxy's own word for the address is ours"


# --- TLS --------------------------------------------------------------------------------------------------------------


def test_each_name_is_shown_its_own_certificate(made: Bed) -> None:
    tls = [{"hosts": ["a.test"], "secretName": "one"}, {"hosts": ["*.b.test"], "secretName": "two"}]
    one = ingress("a", "a.test Prefix / web", "*.b.test Prefix / web", tls=tls)
    made.apply(ingresses=[one], **services(web=[1]), **secrets(one=pair("one"), two=pair("two")))
    assert [shown(made, name) for name in ("a.test", "x.b.test")] == ["one", "two"]
    assert "no certificate" in shown(made, "c.test") and "no certificate" in shown(made, "x.y.b.test")
    sock, _ = made.tls("a.test")
    status, told = made.ask("a.test", "/", sock)
    assert (status, told["X-Forwarded-Proto"]) == (200, "https")
    assert made.ask("a.test")[1]["X-Forwarded-Proto"] == "http", "plain HTTP goes on"
    assert made.ask("c.test", "/", made.tls("c.test")[0])[0] == 404
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in made.root.rglob("*.pem")}
    assert len(modes) == 3 and set(modes.values()) == {0o600} and stat.S_IMODE(made.root.stat().st_mode) == 0o700


def test_a_secret_without_hosts_is_for_every_name_that_has_no_other(made: Bed) -> None:
    tls = [{"hosts": ["a.test"], "secretName": "one"}]
    some = [ingress("a", "a.test Prefix / web", tls=tls), ingress("b", default="web", tls=[{"secretName": "two"}])]
    made.apply(ingresses=some, **services(web=[1]), **secrets(one=pair("one"), two=pair("two")))
    assert [shown(made, name) for name in ("a.test", "c.test")] == ["one", "two"]


def test_a_renewed_secret_is_shown_at_once(made: Bed) -> None:
    one = ingress("a", "a.test Prefix / web", tls=[{"hosts": ["a.test"], "secretName": "one"}])
    for name in ("old", "new"):
        made.apply(ingresses=[one], **services(web=[1]), **secrets(one=pair(name)))
        assert shown(made, "a.test") == name


def test_a_host_without_its_secret_is_served_with_a_certificate_that_says_so(made: Bed) -> None:
    one = ingress("a", "a.test Prefix / web", tls=[{"hosts": ["a.test"], "secretName": "gone"}])
    made.apply(ingresses=[one], **services(web=[1]), **secrets())
    assert "no certificate for this host" in shown(made, "a.test")
    assert made.ask("a.test", "/", made.tls("a.test")[0])[0] == 200
    assert made.syncer.wanted is not None
    assert [each.reason for each in made.syncer.wanted.troubles] == ["BadCertificate"]


# --- Changes ----------------------------------------------------------------------------------------------------------


class Load:
    """Clients that never retry: one that keeps its connection, one with a new one for each request."""

    def __init__(self, made: Bed) -> None:
        self.made, self.asked, self.lost = made, 0, list[str]()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(keep,)) for keep in (True, False)]

    def run(self, keep: bool) -> None:
        connection = None
        while not self.stop.wait(0.002):
            connection = connection or self.made.client()
            try:
                status, _ = get(connection, "a.test")
                if status != 200:
                    self.lost.append(str(status))
            except (OSError, HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
            self.asked += 1
            if not keep or connection.sock is None:
                connection.close()
                connection = None

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def more(self, count: int = 40) -> None:
        """Wait until so many more requests have been answered."""
        goal = self.asked + count
        until(lambda: self.asked >= goal, "the clients go on")


def test_no_request_is_lost_while_endpoints_change_and_haproxy_reloads(made: Bed) -> None:
    one = ingress("a", "a.test Prefix / web")
    made.apply(ingresses=[one], **services(web=[1, 2]))
    reloads = made.syncer.reloads
    with Load(made) as load:
        for pods in ([1, 2, 3], [3], [3, 4], [4, 5, 1], [1]):
            made.apply(**services(web=pods))
            load.more()
        assert made.syncer.reloads == reloads, "endpoints alone need no reload"
        for number in range(4):
            made.apply(ingresses=[one, ingress("b", f"b.test Exact /{number} web", born=1)])
            load.more()
    assert made.syncer.reloads == reloads + 4
    assert load.lost == [] and load.asked > 300


def test_an_endpoint_that_refuses_is_passed_over(made: Bed) -> None:
    made.apply(ingresses=[ingress("a", "a.test Prefix / web")], **services(web=[1, 9]))  # nobody stands at 9
    assert {made.ask("a.test")[1].get("pod") for _ in range(6)} == {pod(1)}


def test_a_refused_configuration_leaves_the_old_one_and_names_the_ingress(made: Bed) -> None:
    good = ingress("good", "a.test Prefix / web")
    made.apply(ingresses=[good], **services(web=[1]))
    weak = ingress("weak", "b.test Prefix / web", tls=[{"hosts": ["b.test"], "secretName": "weak"}], born=1)
    innocent = ingress("innocent", "c.test Prefix / web", born=2)
    made.troubles.clear()
    with pytest.raises(Refused):
        made.apply(ingresses=[good, weak, innocent], **secrets(weak=pair("weak", ec.SECP192R1())))
    assert [(each.about.metadata.name, each.reason) for each in made.troubles] == [("weak", "ConfigurationRefused")]
    assert made.ask("a.test")[1]["pod"] == pod(1) and made.ask("b.test")[0] == 404
    made.troubles.clear()
    with pytest.raises(Refused):
        made.apply(**services(web=[2]))
    assert made.ask("a.test")[1]["pod"] == pod(2), "its endpoints are followed all the same"
    assert made.troubles == [], "once is enough"
    assert made.syncer.serves, "the node goes on to serve"
    made.apply(ingresses=[good, innocent])
    assert made.ask("c.test")[0] == 200


# --- What is killed ---------------------------------------------------------------------------------------------------


def test_haproxy_killed_is_started_again(made: Bed) -> None:
    made.apply(ingresses=[ingress("a", "a.test Prefix / web")], **services(web=[1]))
    pid, started = made.haproxy()
    assert processes.kill(pid, signal.SIGKILL, started) and processes.wait_gone(pid, 5, started)
    made.apply()
    assert made.ask("a.test")[1]["pod"] == pod(1)
    assert made.syncer.journal.entries()[-1]["because"] == "HAProxy does not run"


def test_a_new_component_goes_on_with_the_haproxy_of_the_old_one(made: Bed) -> None:
    """The component was killed; HAProxy went on, and its endpoints are those of before."""
    made.apply(ingresses=[ingress("a", "a.test Prefix / web")], **services(web=[1, 2]))
    before = made.haproxy()
    world = namespaces.in_ns(made.ns, lambda: World(made.root, (NODE, NODE6)))
    syncer = Syncer(world, Journal(), made.troubles.append)
    with Load(made) as load:
        namespaces.in_ns(made.ns, lambda: syncer.sync(made.objects))
        load.more()
        assert syncer.journal.entries() == [], "nothing was to be done"
        made.syncer = syncer
        made.apply(**services(web=[2]))
        load.more()
    assert made.haproxy() == before and load.lost == []
    assert made.ask("a.test")[1]["pod"] == pod(2)


def test_what_somebody_did_at_haproxys_own_socket_is_mended(made: Bed) -> None:
    made.apply(ingresses=[ingress("a", "a.test Prefix / web")], **services(web=[1]))
    made.syncer.world.fill({"default:web:80": {"s1": ""}})
    assert made.ask("a.test")[0] == 503
    made.apply()
    assert made.ask("a.test")[0] == 200
