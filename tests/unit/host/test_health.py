"""The health page, over real sockets of 127.0.0.1."""

import json
import urllib.error
import urllib.request

import pytest

from minik8s.host.health import HealthServer


@pytest.fixture
def health():
    trouble = {"etcd": ""}
    server = HealthServer(
        checks={"etcd": lambda: trouble["etcd"]},
        extra={
            "/debug/rules": lambda query: f"rules of {query.get('service', 'all')}",
            "/debug/cache": lambda query: {"pods": 3},
            "/debug/broken": lambda query: 1 / 0,
        },
    )
    server.trouble = trouble
    server.start()
    yield server
    server.stop()


def get(server, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_live_process_is_healthy(health):
    assert get(health, "/healthz") == (200, "ok")


def test_readiness_names_the_check_that_fails(health):
    assert get(health, "/readyz") == (200, "ok")
    health.trouble["etcd"] = "connection refused"
    assert get(health, "/readyz") == (500, "[-]etcd failed: connection refused\n")


def test_metrics_are_served(health):
    health.registry.counter("syncs_total", "How often.").inc()
    assert "syncs_total 1\n" in get(health, "/metrics")[1]


def test_the_journal_is_served_from_a_moment_on(health):
    first = health.journal.record("died", "one")
    health.journal.record("died", "two")
    lines = get(health, f"/debug/journal?since={first['wall']!r}")[1].splitlines()
    assert [json.loads(line)["because"] for line in lines] == ["two"]


def test_stacks_show_every_thread(health):
    assert "--- health" in get(health, "/debug/stacks")[1]


def test_pages_of_a_component_are_text_or_json(health):
    assert get(health, "/debug/rules?service=web") == (200, "rules of web")
    assert get(health, "/debug/cache") == (200, '{"pods": 3}')


def test_a_broken_page_answers_with_its_error_and_the_others_go_on(health):
    assert get(health, "/debug/broken") == (500, "ZeroDivisionError: division by zero\n")
    assert get(health, "/healthz")[0] == 200


def test_an_unknown_page_is_not_found(health):
    assert get(health, "/nope")[0] == 404
