"""The proxy of Pods and Services: who is meant, what is asked, what is changed in the answer."""

import threading

import pytest

from minik8s.api import codec
from minik8s.api.core import Endpoints, Service
from minik8s.api.pods import Pod
from minik8s.apiserver import errors
from minik8s.apiserver.relaying import carrying, proxying
from minik8s.apiserver.relaying.proxying import Meant, Path
from minik8s.apiserver.relaying.relay import check_log_options
from minik8s.apiserver.relaying.streaming import Place

PREFIX = "/api/v1/namespaces/default/services/http:web:80/proxy"
PLACE = Place("http", "10.244.1.5", 8080)


@pytest.mark.parametrize(
    "text, found",
    [
        ("web", Meant("http", "web", "")),
        ("web:80", Meant("http", "web", "80")),
        ("https:web:", Meant("https", "web", "")),
        (":web:http", Meant("http", "web", "http")),
    ],
)
def test_a_name_may_say_scheme_and_port(text, found):
    assert proxying.meant(text, "service") == found


@pytest.mark.parametrize("text", ["", ":80", "ftp:web:21", "a:b:c:d"])
def test_a_name_that_says_something_else_is_refused(text):
    with pytest.raises(errors.Failure, match="invalid service request"):
        proxying.meant(text, "service")


def pod(address="10.244.1.5", **spec):
    return codec.from_dict(Pod, {"metadata": {"name": "p"}, "spec": spec, "status": {"podIP": address}})


def test_a_pod_is_asked_at_the_port_that_is_named_or_its_first_or_80():
    ports = pod(containers=[{"name": "a"}, {"name": "b", "ports": [{"containerPort": 8080}]}])
    assert proxying.of_pod(ports, Meant("http", "p", "")) == PLACE
    assert proxying.of_pod(ports, Meant("https", "p", "443")) == Place("https", "10.244.1.5", 443)
    assert proxying.of_pod(pod(), Meant("http", "p", "")).port == 80


@pytest.mark.parametrize("address", ["", "127.0.0.1", "169.254.169.254", "::1", "0.0.0.0"])
def test_no_address_is_asked_that_is_no_pods(address):
    with pytest.raises(errors.Failure) as caught:
        proxying.of_pod(pod(address), Meant("http", "p", ""))
    assert caught.value.code == 400


SERVICE = codec.from_dict(
    Service,
    {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}, {"name": "tls", "port": 443}]}},
)
ENDPOINTS = codec.from_dict(
    Endpoints,
    {
        "metadata": {"name": "web"},
        "subsets": [
            {
                "addresses": [{"ip": "10.244.1.5"}, {"ip": "10.244.2.6"}],
                "notReadyAddresses": [{"ip": "10.244.3.7"}],
                "ports": [{"name": "http", "port": 8080}, {"name": "tls", "port": 8443}],
            }
        ],
    },
)


def test_a_service_is_asked_at_one_of_its_ready_endpoints_at_the_port_behind_its_own():
    asked = [proxying.of_service(SERVICE, ENDPOINTS, Meant("http", "web", "80"), chance)[0] for chance in (0.0, 0.99)]
    assert asked == [PLACE, Place("http", "10.244.2.6", 8080)]
    assert proxying.of_service(SERVICE, ENDPOINTS, Meant("https", "web", "tls"), 0.0)[0].port == 8443


@pytest.mark.parametrize(
    "endpoints, port, because",
    [
        (None, "80", 'no endpoints available for service "web"'),
        (ENDPOINTS, "81", 'no service port "81" found for service "web"'),
        (ENDPOINTS, "", 'no service port "" found for service "web"'),
    ],
)
def test_a_service_with_nobody_to_ask_is_a_503(endpoints, port, because):
    with pytest.raises(errors.Failure, match=because) as caught:
        proxying.of_service(SERVICE, endpoints, Meant("http", "web", port), 0.5)
    assert caught.value.code == 503


def environ(target, method="GET", **more):
    return {"RAW_URI": target, "REQUEST_METHOD": method, **more}


def test_the_path_goes_on_as_it_was_written_and_the_clients_credentials_do_not():
    given = environ(
        f"{PREFIX}/a%2Fb//c?d=%20&e",
        "POST",
        HTTP_AUTHORIZATION="Bearer secret",
        HTTP_HOST="127.0.0.1:6443",
        HTTP_X_MINE="yes",
        CONTENT_TYPE="text/x",
    )
    path = proxying.path_of(given)
    assert path == Path(PREFIX, "/a%2Fb//c", "d=%20&e")
    question = proxying.question(given, path, PLACE, b"body")
    assert (question.method, question.target, question.body) == ("POST", "/a%2Fb//c?d=%20&e", b"body")
    assert question.headers == {
        "Host": "10.244.1.5:8080",
        "X-Mine": "yes",
        "Content-Type": "text/x",
        "Connection": "close",
    }


def test_a_path_without_its_last_slash_is_sent_back_for_it_unless_something_is_written():
    path = proxying.path_of(environ(f"{PREFIX}?a=b"))
    assert proxying.slash(environ(PREFIX), path) == [("Location", f"{PREFIX}/?a=b")]
    assert proxying.slash(environ(PREFIX, "POST"), path) is None
    assert proxying.slash(environ(PREFIX), proxying.path_of(environ(f"{PREFIX}/"))) is None


@pytest.mark.parametrize(
    "said, heard",
    [
        ("/login?to=x", f"{PREFIX}/login?to=x"),
        ("http://10.244.1.5:8080/login", f"{PREFIX}/login"),
        ("https://elsewhere.example/login", "https://elsewhere.example/login"),
        ("next", "next"),
    ],
)
def test_a_redirect_within_the_program_leads_through_the_proxy_again(said, heard):
    manners = proxying.manners(Path(PREFIX, "/", ""), PLACE)
    assert (manners.headers("location", said), manners.headers("X-Other", said)) == (heard, said)


def test_links_of_a_page_lead_through_the_proxy_and_nothing_else_is_touched():
    body = proxying.manners(Path(PREFIX, "/", ""), PLACE).body
    page = b'<a class="x" href="/a">/a</a> <img src=\'/b.png\'> <a href="//other/c"> <a href="d">'
    there = PREFIX.encode()
    wanted = b'<a class="x" href="%s/a">/a</a> <img src=\'%s/b.png\'> <a href="//other/c"> <a href="d">'
    assert body("text/html; charset=utf-8", page) == wanted % (there, there)
    assert body("text/plain", page) == page


def test_what_may_not_be_asked_of_a_log_is_said_all_at_once():
    check_log_options("web", {"tailLines": "0", "limitBytes": "1", "sinceSeconds": "5"})
    with pytest.raises(errors.Failure) as caught:
        check_log_options("web", {"tailLines": "-1", "sinceSeconds": "1", "sinceTime": "2026-01-01T00:00:00Z"})
    assert caught.value.code == 422
    assert "tailLines: Invalid value: -1" in caught.value.status.message
    assert "at most one of `sinceTime` or `sinceSeconds`" in caught.value.status.message


class Played:
    """Something to carry that lasts as long as the test likes."""

    def __init__(self):
        self.over, self.closed = threading.Event(), threading.Event()

    def carry(self, client):
        assert self.over.wait(10)
        raise RuntimeError("it went wrong")

    def close(self):
        self.closed.set()


class Client:
    def __init__(self):
        self.closed = threading.Event()

    def close(self):
        self.closed.set()


def test_what_goes_on_holds_nobody_up_is_bounded_and_gives_its_place_back_whatever_happens():
    carriers, played, client = carrying.Carriers(1), Played(), Client()
    carriers.place().of(played).carry(client)
    with pytest.raises(errors.Failure, match="1 streams already") as caught:
        carriers.place()
    assert caught.value.code == 429
    played.over.set()
    assert played.closed.wait(10) and client.closed.wait(10)
    for thread in threading.enumerate():
        if thread.name == "carrier":
            thread.join(10)
    carriers.place().free()
