"""Every write of a controller says what it was decided by: there is no cause without a cause."""

from types import SimpleNamespace

import pytest
from played_api import node, pod

from minik8s.controllers.actions import Delete, Patch
from minik8s.controllers.context import Context


class Recording:
    """A client that keeps what it is told as the reason."""

    def __init__(self):
        self.whys = []

    def patch(self, _cls, name, *_, why, **__):
        self.whys.append(why)
        return node(name)

    def delete(self, *_, why, **__):
        self.whys.append(why)
        return {"kind": "Status"}


@pytest.fixture
def context():
    told = SimpleNamespace(info=lambda *_: None)
    return Context(SimpleNamespace(client=Recording(), log=told))


@pytest.mark.parametrize(
    "action", [Patch(node("node-1"), {}, "so"), Delete(pod("web-1"), "so")], ids=["patch", "delete"]
)
def test_a_write_whose_plan_names_no_cause_names_what_it_changes(context, action):
    context.apply([action])
    assert [(why.because, list(why.seen)) for why in context.component.client.whys] == [("so", [action.target])]


def test_a_cause_that_a_plan_names_stands_alone(context):
    cause = node("node-2")
    context.apply([Delete(pod("web-1"), "so", seen=(cause,))])
    assert [list(why.seen) for why in context.component.client.whys] == [[cause]]
