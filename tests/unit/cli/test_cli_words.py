"""What is typed wrongly is told in a line; no option has two meanings."""

import errno

import click
import pytest
from click.testing import CliRunner

from minik8s.cli import doors, main, session


def commands(command, name="minik8s"):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            inner = command.get_command(context, word)
            assert inner is not None, word
            yield from commands(inner, f"{name} {word}")
    else:
        yield name, command


@pytest.mark.parametrize(("name", "command"), [each for each in commands(main.root)], ids=lambda value: str(value)[:40])
def test_no_option_of_a_verb_has_two_meanings(name, command):
    words = [word for each in command.params if isinstance(each, click.Option) for word in each.opts]
    assert sorted(words) == sorted(set(words)), name


def test_a_reader_that_has_seen_enough_is_told_nothing(monkeypatch):
    """`minik8s history | head` ends there."""
    monkeypatch.setattr(session, "connect", lambda *given: session.Session(None, "default"))

    @session.verb("tell")
    def tell(given: session.Session) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    assert CliRunner().invoke(tell, ["--kubeconfig", "any"]).output == ""


def test_expose_names_the_service_and_not_the_cluster():
    expose = dict(commands(main.root))["minik8s expose"]
    assert [each.name for each in expose.params if "--name" in each.opts] == ["service_name"]


@pytest.mark.parametrize("words", ["get pod web -l a=b", "get pod/web --field-selector a=b", "describe pod web -l a=b",
                                   "delete pod web -l a=b", "delete pod web --all"])  # fmt: skip
def test_a_selector_beside_a_name_is_refused_before_anything_is_asked(words, tmp_path):
    file = tmp_path / "config"
    file.write_text(NOWHERE)
    answer = CliRunner().invoke(main.root, [*words.split(), "--kubeconfig", str(file)])
    assert (answer.exit_code, "name cannot be provided when a selector is specified" in answer.output) == (1, True)


NOWHERE = (
    '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "users": '
    '[{"name": "u", "user": {}}], "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}]}'
)


def test_a_cluster_of_root_is_told_to_be_one():
    said = doors.text(PermissionError(13, "Permission denied", "/var/lib/minik8s/lab/cluster.json"))
    assert said == "/var/lib/minik8s/lab/cluster.json: permission denied; clusters belong to root: sudo minik8s …"
    assert doors.text(PermissionError("only root may do this")) == "only root may do this"


def test_a_component_without_its_kubeconfig_says_what_is_missing():
    answer = CliRunner().invoke(main.root, ["run", "proxy"])
    assert (answer.exit_code, "Missing option '--kubeconfig'" in answer.output) == (2, True)
