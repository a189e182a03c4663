"""The story of the demo: every command is one that people can type, every line fits the screen."""

import shlex
from pathlib import Path

import click
import pytest

from minik8s.cli import measuring, story, telling
from minik8s.cli.main import root
from minik8s.cli.tally import Counts

ROOT = Path(__file__).parents[3]
FACTS = {"pod": "web-b55kg77kf8-xxxxx", "node": "node-3", "address": "10.244.3.254"}
ITEMS = [item for step in story.STEPS for item in (*step.before, *step.items)]
COMMANDS = sorted({item.command.format(**FACTS) for item in ITEMS if isinstance(item, story.Run)})


@pytest.fixture
def printed(capsys):
    """What a teller prints."""

    def tell(do):
        teller = telling.Teller("demo")
        teller.facts.update(FACTS)
        do(teller)
        return capsys.readouterr().out

    return tell


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith("sleep ")])
def test_every_command_of_the_story_parses(command):
    program, *words = shlex.split(command.removesuffix("&"))
    assert program == "minik8s"
    context = click.Context(root)
    name, found, rest = root.resolve_command(context, words)
    while isinstance(found, click.Group):
        name, found, rest = found.resolve_command(context, rest)
    assert isinstance(found, click.Command)
    found.make_context(name, list(rest), parent=context)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_fits_the_screen(command):
    assert len(f"$ {command}") <= story.WIDTH


@pytest.mark.parametrize("command", [each for each in COMMANDS if " -f " in each])
def test_every_manifest_of_the_story_is_there(command):
    words = shlex.split(command)
    assert (ROOT / words[words.index("-f") + 1]).is_file()


@pytest.mark.parametrize("item", [each for each in ITEMS if isinstance(each, story.Say)])
def test_every_line_of_words_fits_the_screen(item, printed):
    assert all(len(line) <= story.WIDTH for line in printed(lambda teller: teller.tell(item)).splitlines())


@pytest.mark.parametrize("item", [each for each in ITEMS if isinstance(each, story.Measure)])
def test_every_measured_line_fits_the_screen(item):
    left = measuring.Left({f"node-{number}": 12.345 for number in (1, 2, 3)}, 2)
    counts = Counts(1000, "http://web", "pod/client", 900, 100, (("refused", 50), ("timedout", 50)))
    assert all(len(line) <= story.WIDTH for line in measuring.report(left, counts, item, story.RATE))


def test_the_story_has_the_seven_steps_of_the_readme():
    assert len(story.STEPS) == 7
    assert all(step.title and step.items for step in story.STEPS)


def test_sentences_are_short():
    sentences = [part for item in ITEMS if isinstance(item, story.Say) for part in item.text.split(". ")]
    long = [each for each in sentences if len(each.split()) > 20]
    assert not long


@pytest.mark.parametrize("step", story.STEPS)
def test_a_step_told_alone_chooses_its_pod_before_it_speaks_of_it(step):
    known = False
    for item in (*step.before, *step.items):
        known = known or isinstance(item, story.Choose)
        text = item.command if isinstance(item, story.Run) else item.text if isinstance(item, story.Say) else ""
        assert known or not any("{" + word + "}" in text for word in FACTS)


@pytest.mark.parametrize("step", story.STEPS)
def test_what_goes_on_in_the_background_is_waited_for(step):
    running = False
    for item in step.items:
        if isinstance(item, story.Run) and item.command.endswith("&"):
            running = True
        running = running and not isinstance(item, story.Join)
    assert not running


def test_each_failure_says_what_kubernetes_does_by_default():
    measured = [[item for item in step.items if isinstance(item, story.Measure)] for step in story.STEPS[4:]]
    assert all(len(found) == 1 and found[0].kubernetes and found[0].here for found in measured)


def test_empty_lines_never_stand_side_by_side(printed):
    def tell(teller):
        teller.title("A title")
        teller.say("Some words.")
        teller.say("More words.")

    assert "\n\n\n" not in printed(tell)
