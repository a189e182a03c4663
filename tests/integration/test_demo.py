"""The demo, as a newcomer runs it: not on a terminal, from nothing, leaving nothing."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from support import residue

from minik8s.cli import story, tally
from minik8s.cluster import state
from minik8s.host import processes

pytestmark = pytest.mark.system
pytestmark = [pytestmark, pytest.mark.timeout(400)]  # the whole story takes about 90 s

NAME = "demo-test"


@pytest.fixture(scope="module")
def home():
    """A state directory of its own, with an Engine of its own: what is left of it can be told from what others do."""
    folder = tempfile.mkdtemp(prefix="mk8s-")  # not pytest's: the path of a socket may have 108 characters at most
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def before():
    return residue.snapshot()


@pytest.fixture(scope="module")
def told(before, home):
    """Everything the demo said, and its exit code."""
    return processes.run(demo(home), check=False, timeout=350)


def demo(home, *words):
    kept = ["env", "-u", "KEEP", f"MINIK8S_HOME={home}", sys.executable, "-m", "minik8s.cli.main"]
    return [*kept, "demo", "--name", NAME, *words]


@pytest.fixture(scope="module")
def steps(told):
    """The text of each step, by number."""
    parts = re.split(r"^-+\n(?:(\d) of 7: .*|The end)$", told.stdout, flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True) if number}


def summaries(text):
    """The counts of each client in a step."""
    parts = re.split(r"(?=^\d+ requests to )", text, flags=re.MULTILINE)
    return [found for part in parts if (found := tally.parse(part))]


def left(text):
    """How long the endpoint stayed in each node's rules, in seconds."""
    (line,) = re.findall(r"Out of the rules after: (.*(?:\n {20,}.*)*)", text)
    found = re.findall(r"(node-\d) ([\d.]+) (ms|s)", line)
    return {node: float(number) / (1000 if unit == "ms" else 1) for node, number, unit in found}


def test_it_ends_well_and_says_nothing_on_stderr_but_what_kubectl_would(told):
    assert told.code == 0, told.stdout[-3000:] + told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_every_step_is_told(steps):
    assert sorted(steps) == list(range(1, len(story.STEPS) + 1))


def test_every_line_that_is_not_a_commands_own_fits_the_screen(told):
    long = [line for line in told.stdout.splitlines() if len(line) > 80]
    assert all(line.startswith(("Waiting for deployment", "  export ", "{")) for line in long), long


def test_the_address_breaks_and_the_name_goes_on(steps):
    by_address, by_name = summaries(steps[1])
    assert by_address.lost > 10
    assert (by_name.lost, by_name.sent) == (0, 80)


def test_the_chain_has_every_stage_on_every_node(steps):
    for words in ("Service web stored", "ReplicaSet", "bound:", "sandbox:", "started:", "are ready", "DNS name:"):
        assert words in steps[2] or words.replace("are", "is") in steps[2], words
    assert re.search(r"rules: .*node-1.*node-2|rules: .*node-2.*node-1", steps[2])


def test_it_is_found_by_environment_name_and_every_nodes_port(steps):
    assert "WEB_SERVICE_HOST=10.96." in steps[3]
    assert "web.default.svc.cluster.local" in steps[3]
    assert re.findall(r"^200$", steps[3], re.MULTILINE) == ["200"] * 3
    (thirty,) = summaries(steps[3])
    assert (thirty.sent, thirty.ok) == (30, 30)


def test_scaling_loses_nothing(steps):
    (counts,) = summaries(steps[4])
    assert (counts.sent, counts.lost) == (280, 0)


def test_a_death_costs_what_was_in_flight_and_what_came_before_the_rules_changed(steps):
    (counts,) = summaries(steps[5])
    assert set(left(steps[5])) == {"node-1", "node-2", "node-3"}
    assert max(left(steps[5]).values()) < 5
    assert counts.sent == 300
    assert counts.lost < 150  # never as many as one of two Pods answers
    assert not dict(counts.kinds).get("timedout")
    assert re.search(r"1/1 +Running +1 ", steps[5])  # one more restart, and ready again


def test_deleting_a_pod_loses_nothing(steps):
    (counts,) = summaries(steps[6])
    assert (counts.sent, counts.lost) == (350, 0)


def test_a_node_that_is_cut_off_leaves_the_rules_within_its_grace_and_is_replaced(steps):
    (counts,) = summaries(steps[7])
    seconds = left(steps[7])
    assert seconds and all(2 < each < 10 for each in seconds.values())
    assert counts.lost < story.RATE * (max(seconds.values()) + 2) * 0.75
    assert "Terminating" in steps[7]
    assert re.search(r"was gone after [\d.]+ s", steps[7])


def test_nothing_is_left_behind(before, told, home):
    assert not residue.left(before, [home, f"mk8s-{NAME}"])


@pytest.mark.parametrize("moment", ["minik8s up", "minik8s rollout status", "sleep 2"])
def test_a_story_that_is_broken_off_leaves_nothing_either(before, home, moment):
    story_told = processes.pipe(demo(home, "--only", "4"))
    for line in story_told.stdout:
        if line.startswith(f"$ {moment}".encode()):
            story_told.terminate()
            break
    rest = story_told.stdout.read().decode()
    assert story_told.wait() != 0
    assert "is gone" in rest or "There was no cluster" in rest
    assert not residue.left(before, [home, f"mk8s-{NAME}"])


def test_a_cluster_that_was_there_before_is_not_touched(home):
    where = state.Paths(Path(home) / NAME)
    where.make()
    where.record.write_text("{}")
    refused = processes.run(demo(home), check=False)
    assert (refused.code, where.record.read_text()) == (1, "{}")
    assert "already" in refused.stderr
    shutil.rmtree(where.root)
