"""`tests/sig_network.yaml` keeps its word: each behaviour has a test that exists, or a reason."""

import ast
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parents[1]
TABLE = yaml.safe_load((TESTS / "sig_network.yaml").read_text())
BEHAVIOURS = [(suite, each) for suite, listed in TABLE.items() for each in listed]


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("suite", "each"), BEHAVIOURS, ids=lambda value: value["it"] if isinstance(value, dict) else None
)
def test_each_behaviour_has_a_test_that_exists_or_a_reason(suite, each):
    assert set(each) in ({"it", "test"}, {"it", "not"}), "either a test or a reason"
    if "test" in each:
        file, _, name = each["test"].partition("::")
        assert name in functions(TESTS / file)
    else:
        assert len(each["not"].split()) > 5, "a reason is a sentence"


def test_no_behaviour_is_listed_twice():
    names = [f"{suite}: {each['it']}" for suite, each in BEHAVIOURS]
    assert len(names) == len(set(names))


def test_no_play_on_the_stage_is_without_a_behaviour():
    shown = {each["test"].partition("::")[2] for _, each in BEHAVIOURS if "test" in each}
    plays = {name for name in functions(TESTS / "integration/test_sig_network.py") if name.startswith("test_")}
    assert plays - shown == {"test_named_target_ports_lead_to_a_different_port_in_each_pod"}, "ours alone"
