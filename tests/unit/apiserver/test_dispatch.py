"""What holds for every request, whichever function answers it."""

import pytest
from memory_store import ask, registry

from minik8s.api.core import ConfigMap, Namespace
from minik8s.apiserver.dispatch import Dispatcher
from minik8s.apiserver.errors import Failure


@pytest.fixture
def server():
    made = Dispatcher(registry())
    made.answer(ask("create", Namespace, body={"metadata": {"name": "a"}}))
    made.answer(ask("create", ConfigMap, body={"metadata": {"name": "one"}}))
    return made


IN_OPTIONS = {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}


@pytest.mark.parametrize(
    "request_",
    [
        ask("delete", ConfigMap, "one", IN_OPTIONS),  # as kubectl sends it
        ask("delete", ConfigMap, "one", query={"dryRun": "All"}),
        ask("deletecollection", ConfigMap, body=IN_OPTIONS),
        ask("patch", ConfigMap, "one", {"data": {"x": "y"}}, query={"dryRun": "All"}),
        ask("create", ConfigMap, body={"metadata": {"name": "two"}}, query={"dryRun": "All"}),
    ],
    ids=lambda each: f"{each.verb} {dict(each.query)}",
)
def test_a_dry_run_changes_nothing_and_leaves_nothing_for_the_audit(server, request_):
    before = dict(server.registry.store.kvs)
    answer = server.answer(request_)
    assert (answer.code // 100, answer.writes, server.registry.store.kvs) == (2, (), before)


@pytest.mark.parametrize(
    "request_",
    [
        ask("delete", ConfigMap, "one", {**IN_OPTIONS, "dryRun": ["Some"]}),
        ask("delete", ConfigMap, "one", query={"dryRun": "true"}),
    ],
    ids=["in the options", "in the query"],
)
def test_a_dry_run_of_another_kind_is_refused_and_deletes_nothing(server, request_):
    with pytest.raises(Failure) as found:
        server.answer(request_)
    assert (found.value.code, server.registry.cache.get("/registry/core/configmaps/a/one") is not None) == (422, True)


QUERY = {"resourceVersion": "1", "resourceVersionMatch": "NotOlderThan"}


def test_a_way_of_reading_that_there_is_not_is_refused(server):
    with pytest.raises(Failure, match="Unsupported value"):
        server.answer(ask("list", ConfigMap, query={"resourceVersionMatch": "Newest"}))
    assert server.answer(ask("list", ConfigMap, query=QUERY)).code == 200
