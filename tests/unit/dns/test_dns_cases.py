"""Every line of cases.yaml, put to the responder as datagrams and read back by an independent parser."""

import pytest
from dns_wire_checks import check
from dns_worlds import CASES, Case, World, lines, questions

ALL = [(world, case) for _, world, cases in questions() for case in cases]


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    return {settings: World(settings) for settings in {world for world, _ in ALL}}


@pytest.mark.parametrize(("world", "case"), ALL, ids=[f"{world}: {case.name} {case.type}" for world, case in ALL])
def test_a_question_gets_its_answer(worlds: dict[str, World], world: str, case: Case) -> None:
    check(worlds[world].responder.reply, case)
    check(worlds[world].responder.reply, case)  # from the memo


@pytest.mark.parametrize("change", CASES["changes"], ids=[change["promise"] for change in CASES["changes"]])
def test_the_answer_follows_the_objects(change: dict) -> None:
    world = World()
    for case in lines(change["before"]):
        check(world.responder.reply, case)
    for key in change.get("remove", []):
        world.remove(key)
    world.put(change.get("put", {}))
    for case in lines(change["after"]):
        check(world.responder.reply, case)
