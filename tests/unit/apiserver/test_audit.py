"""The audit log."""

import json

from minik8s.api.core import Service
from minik8s.apiserver.audit import Audit, Entry
from minik8s.apiserver.auth.authn import User
from minik8s.apiserver.request import Request, Written
from minik8s.apiserver.routes import Target


def entry(revision, **fields):
    return Entry(revision=revision, wall=1.0, verb="create", user="me", **fields)


def revisions(audit, since=0):
    return [json.loads(line)["revision"] for line in audit.since(since)]


def test_later_revisions_are_told_in_their_order():
    audit = Audit()
    for revision in (5, 7, 6, 8):
        audit.add(entry(revision))
    assert revisions(audit, 5) == [6, 7, 8]


def test_a_line_says_who_what_and_why():
    audit = Audit()
    request = Request(Target(Service, "default", "web", "status"), "patch", User("system:node:node-1"))
    headers = {
        "X-Minik8s-Because": "it is ready",
        "X-Minik8s-From": "pods/default/a@3, nodes/b@4",
        "User-Agent": "agent",
    }
    audit.record(request, Written("default", "web", 12), 200, headers)
    line = json.loads(next(audit.since(0)))
    assert line.pop("wall") > 0
    assert line == {
        "revision": 12,
        "verb": "patch",
        "user": "system:node:node-1",
        "impersonated": "",
        "agent": "agent",
        "resource": "services",
        "namespace": "default",
        "name": "web",
        "subresource": "status",
        "because": "it is ready",
        "from": ["pods/default/a@3", "nodes/b@4"],
        "code": 200,
    }


def test_renewals_of_a_lease_do_not_push_out_what_happened(tmp_path):
    audit = Audit(tmp_path / "audit.jsonl", size=3)
    audit.add(entry(1, resource="pods", name="web"))
    for revision in range(2, 50):
        audit.add(Entry(revision=revision, wall=1.0, verb="update", user="me", resource="leases", name="node-1"))
    assert revisions(audit) == [1, 49]
    assert revisions(Audit(tmp_path / "audit.jsonl", size=3)) == [1, 49], "the same after a restart"


def test_the_renewal_before_a_silence_is_kept_when_the_node_is_heard_again(tmp_path):
    audit = Audit(tmp_path / "audit.jsonl")
    lease = {"verb": "patch", "resource": "leases", "namespace": "kube-node-lease", "name": "node-1"}
    for revision in (2, 3, 4):
        audit.add(Entry(revision=revision, wall=1.0, user="me", **lease))
    audit.add(entry(5, resource="nodes", name="node-1", from_=["leases/kube-node-lease/node-1@4", "nodes/node-1@1"]))
    for revision in (6, 7):
        audit.add(Entry(revision=revision, wall=1.0, user="me", **lease))
    assert revisions(audit) == [4, 5, 7]
    assert revisions(Audit(tmp_path / "audit.jsonl")) == [4, 5, 7], "the same after a restart"


def test_a_client_that_gives_no_reason_is_noted_without_one():
    audit = Audit()
    audit.record(Request(Target(Service), "create", User("me")), Written("default", "web", 3), 201, {})
    line = json.loads(next(audit.since(0)))
    assert (line["because"], line["from"]) == ("", [])


def test_a_restart_forgets_nothing_but_a_torn_line(tmp_path):
    file = tmp_path / "deep" / "audit.jsonl"
    audit = Audit(file)
    for revision in range(1, 5):
        audit.add(entry(revision))
    audit.close()
    file.write_bytes(file.read_bytes() + b'{"revision": 5, "wal')
    again = Audit(file)
    assert revisions(again, 2) == [3, 4]
    again.add(entry(6))
    assert revisions(Audit(file)) == [1, 2, 3, 4, 6]


def test_the_file_is_bounded_and_keeps_the_newest(tmp_path):
    file = tmp_path / "audit.jsonl"
    audit = Audit(file, size=10)
    for revision in range(1, 101):
        audit.add(entry(revision))
        assert len(file.read_bytes().splitlines()) <= 20
    assert revisions(audit) == revisions(Audit(file, size=10)) == list(range(91, 101))


def test_refused_writes_have_no_revision_and_are_shown_when_all_is_asked_for():
    audit = Audit()
    audit.add(entry(0, code=409))
    audit.add(entry(4))
    assert revisions(audit) == [0, 4] and revisions(audit, 1) == [4]
