"""Which host and path go where: the table of requests, conflicts, and that no text of a user ends a word or a line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingresscases import INGRESSES, ingress, requests

from minik8s.ingress import rules
from minik8s.ingress.config import Config, Site

# All that may stand in a map: what HAProxy reads there ends at a blank or a line's end, and `#` begins a comment.
MAP_LINE = re.compile(r"[A-Za-z0-9/:@!$&'()*+,;=\-._~%]+ [a-z0-9:.*\-]+")


@pytest.mark.parametrize(("host", "path", "service"), requests())
def test_the_model_sends_each_request_to_its_service(host, path, service):
    found = rules.match(rules.collect(INGRESSES).table, host.partition(":")[0], path.partition("?")[0])
    assert found is not None and found.target.service == service


def test_without_a_default_backend_what_no_rule_covers_is_not_found():
    table = rules.collect([ingress("a", "a.test Exact /x web")]).table
    assert rules.match(table, "a.test", "/y") is None
    assert rules.match(table, "b.test", "/x") is None


def test_of_two_ingresses_with_the_same_host_and_path_the_older_wins_whatever_their_order():
    old, young = ingress("z", "a.test Prefix /x old", born=1), ingress("a", "a.test Prefix /x/ young", born=2)
    for order in ([old, young], [young, old]):
        found = rules.collect(order)
        assert [rule.target.service for rule in found.table] == ["old"]
        (trouble,) = found.troubles
        assert (trouble.about, trouble.reason) == (young, "Conflict")
        assert trouble.message == "a.test/x/ (Prefix) belongs to Ingress default/z, which came first"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("a\nb.test Prefix / web", "InvalidHost"),
        ('a"b.test Prefix / web', "InvalidHost"),
        ("a;b Prefix / web", "InvalidHost"),
        ("*.*.test Prefix / web", "InvalidHost"),
        ("é.test Prefix / web", "InvalidHost"),
        ("a.test Prefix no-slash web", "InvalidPath"),
        (f"a.test Exact /{'x' * 5000} web", "InvalidPath"),
        ("a.test Prefix / we\nb", "NoService"),
        ("a.test Prefix / Web;", "NoService"),
    ],
)
def test_what_another_api_server_let_through_is_left_out_and_said(rule, reason):
    """Ours refuses most of this; a component does not rely on that."""
    found = rules.collect([ingress("a", rule, "b.test Prefix / web")])
    assert [each.host for each in found.table] == ["b.test"]
    assert [each.reason for each in found.troubles] == [reason]


@given(path=st.text(min_size=1), host=st.text(), service=st.text(), kind=st.sampled_from(["Exact", "Prefix"]))
def test_no_text_of_a_user_gets_out_of_its_line(path, host, service, kind):
    one = ingress("a")
    one.spec.rules = ingress("b", f"h.test {kind} / web").spec.rules
    one.spec.rules[0].host = host
    one.spec.rules[0].http.paths[0].path = "/" + path
    one.spec.rules[0].http.paths[0].backend.service.name = service
    table = rules.collect([one]).table
    files = Config(Site(("10.0.0.1",), "/run"), table).files({}, "g")
    for name in ("hosts.map", "exact.map", "prefix.map"):
        assert files[name].count("\n") <= 1
        assert all(MAP_LINE.fullmatch(line) for line in files[name].splitlines())


@given(st.text())
def test_a_path_that_is_encoded_already_is_left_as_it_is(path):
    once = rules.encoded(path)
    assert rules.encoded(once) == once
