"""Objects to configuration, and a configuration beside what runs to what is done."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingressbed import CLASS, services
from support.ingresscases import ingress

from minik8s.api import codec
from minik8s.api.core import Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.networking import IngressClass
from minik8s.ingress.backends import Backend, resolve
from minik8s.ingress.config import Site
from minik8s.ingress.plan import Fill, Load, Objects, Running, fill, is_ours, plan, wish
from minik8s.ingress.rules import Target

GOLDEN = Path(__file__).parent / "golden"
SITE = Site(("192.168.56.11", "fd00:56::11"), "/run/minik8s/c/ingress-node-1")
WEB = Target("default", "web", "80")


def config(**pods):
    rules = ("shop.test Exact /cart web", "*.shop.test Prefix /img web", "- Prefix / other")
    return wish(Objects([ingress("shop", *rules)], [CLASS], **services(**pods)), SITE).config


def test_the_text_is_the_golden_one():
    wanted = config(web=[1, 2], other=[])
    (action,) = plan(wanted, Running())
    files = wanted.files(action.slots, wanted.generation)
    text = "\n".join(f"# --- {name}\n{files[name]}" for name in sorted(files))
    assert text == (GOLDEN / "shop.txt").read_text(), "if that is meant, write the file anew and review the difference"


def test_the_same_objects_in_another_order_are_the_same_configuration():
    some = [ingress("a", "a.test Prefix / web", born=1), ingress("b", "b.test Prefix /x web", "a.test Prefix / web")]
    given = services(web=[1])
    one, other = (wish(Objects(order, [CLASS], **given), SITE).config for order in (some, some[::-1]))
    assert one.files({}, "") == other.files({}, "")


def test_endpoints_are_no_part_of_the_generation_rules_are():
    assert config(web=[1], other=[]).generation == config(web=[2, 3], other=[4]).generation
    more = wish(Objects([ingress("a", "a.test Prefix / web")], [CLASS], **services(web=[1])), SITE).config
    assert more.generation != config(web=[1], other=[]).generation


def test_a_ninth_endpoint_needs_more_slots_and_so_a_reload():
    assert config(web=[*range(1, 9)], other=[]).generation != config(web=[*range(1, 10)], other=[]).generation


def running(wanted):
    (action,) = plan(wanted, Running())
    return Running(wanted.generation, action.slots)


def test_haproxy_is_started_reloaded_or_filled():
    before = config(web=[1], other=[])
    assert [(type(each), each.start) for each in plan(before, Running())] == [(Load, True)]
    assert plan(before, running(before)) == []
    (action,) = plan(config(web=[1, 2], other=[]), running(before))
    assert action == Fill({"default:web:80": {"s2": "10.99.1.2:8080"}}, "endpoint 10.99.1.2:8080 joined default:web:80")
    (action,) = plan(config(web=[], other=[]), running(before))
    assert action == Fill({"default:web:80": {"s1": ""}}, "endpoint 10.99.1.1:8080 left default:web:80")
    (action,) = plan(before, Running("another", {"default:web:80": {"s3": "10.99.1.1:8080"}}))
    assert isinstance(action, Load) and not action.start
    assert action.slots["default:web:80"]["s3"] == "10.99.1.1:8080", "who stays keeps its slot over a reload"


ENDPOINTS = st.sets(st.integers(1, 16).map(lambda n: f"10.0.0.{n}:80"))


@given(ENDPOINTS, ENDPOINTS)
def test_filling_gives_each_endpoint_one_slot_and_lets_those_that_stay_where_they_are(before, after):
    full = Backend(WEB, tuple(f"10.0.0.{n}:80" for n in range(1, 17)))
    empty = fill({}, full).keys()
    slots = dict.fromkeys(empty, "")
    slots.update(fill(slots, Backend(WEB, tuple(sorted(before)))))
    changes = fill(slots, Backend(WEB, tuple(sorted(after))))
    assert sorted(filter(None, {**slots, **changes}.values())) == sorted(after)
    assert all(slots[slot] not in after for slot in changes)
    assert fill({**slots, **changes}, Backend(WEB, tuple(sorted(after)))) == {}


# --- Backends ---------------------------------------------------------------------------------------------------------

SLICE = {"addressType": "IPv4", "ports": [{"name": "http", "port": 8080}, {"name": "other", "port": 9}]}


def endpoint(number, **conditions):
    return {"addresses": [f"10.0.0.{number}"], "conditions": conditions}


@pytest.mark.parametrize(
    ("port", "endpoints", "expected"),
    [
        ("http", [endpoint(1, ready=True), endpoint(2, ready=False), endpoint(3)], ["10.0.0.1:8080", "10.0.0.3:8080"]),
        ("80", [endpoint(1, ready=True)], ["10.0.0.1:8080"]),
        ("80", [endpoint(1, ready=False, serving=True, terminating=True)], ["10.0.0.1:8080"]),
        ("80", [endpoint(1, ready=False, serving=True, terminating=True), endpoint(2)], ["10.0.0.2:8080"]),
        ("80", [endpoint(1, ready=False, serving=False, terminating=True)], []),
        ("80", [{"addresses": ["10.0.0.1\n    server evil 1.1.1.1"]}, {"addresses": []}], []),
        ("81", [endpoint(1)], []),
        ("80", [{"addresses": ["fd00:0::1"]}], ["[fd00::1]:8080"]),
        ("80", [{"addresses": ["fd00::1"]}, endpoint(1)], ["10.0.0.1:8080"]),
        ("80", [{"addresses": ["fd00::1"]}, endpoint(1, ready=False)], ["[fd00::1]:8080"]),
    ],
)
def test_which_endpoints_get_requests(port, endpoints, expected):
    meta = {"name": "web", "namespace": "default"}
    service = codec.from_dict(Service, {"metadata": meta, "spec": {"ports": [{"name": "http", "port": 80}]}})
    piece = codec.from_dict(EndpointSlice, {"metadata": meta, **SLICE, "endpoints": endpoints})
    assert list(resolve(Target("default", "web", port), service, [piece]).endpoints) == expected


def test_an_ingress_hears_of_a_service_or_a_port_that_is_not_there():
    found = wish(Objects([ingress("a", "a.test Prefix / gone")], [CLASS], **services(web=[1])), SITE)
    assert [each.message for each in found.troubles] == ["there is no Service default/gone: 503"]


# --- Classes ----------------------------------------------------------------------------------------------------------


def a_class(name, controller="minik8s.io/ingress", default=False, born="2026-01-01T00:00:00Z"):
    meta = {"name": name, "creationTimestamp": born}
    if default:
        meta["annotations"] = {"ingressclass.kubernetes.io/is-default-class": "true"}
    return codec.from_dict(IngressClass, {"metadata": meta, "spec": {"controller": controller}})


@pytest.mark.parametrize(
    ("classes", "named", "ours"),
    [
        ([a_class("x")], "x", True),
        ([a_class("x", "other.io/c")], "x", False),
        ([], "x", False),
        ([a_class("x")], None, False),
        ([a_class("x", default=True)], None, True),
        ([a_class("x", default=True), a_class("y", "other.io/c", True, "2026-01-02T00:00:00Z")], None, False),
    ],
)
def test_an_ingress_is_ours_by_its_class(classes, named, ours):
    more = {"ingressClassName": named} if named else {}
    assert is_ours(ingress("a", "a.test Prefix / web", **more), classes) is ours
