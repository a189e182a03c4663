"""The runner of labs without a cluster: judging, hints, answers, progress, files; and the rules for its texts."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.walkthrough import commands, matches

from minik8s.cli import labfolder, labprogress, labsteps, labtext, labworld
from minik8s.cli.labfolder import Lab
from minik8s.cli.labprogress import Progress
from minik8s.cli.labsteps import Step, no, yes
from minik8s.client.kubeconfig import Access
from minik8s.client.rest import Client, Unreachable

LABS = labfolder.every()
ROOT = Path(__file__).parents[3]
FIRST = Step("A", "a", lambda world: yes("there"), "cmd", ("one", "two"), "because")
SECOND = replace(FIRST, name="B", look=lambda world: no("nothing"))


# --- Judging --------------------------------------------------------------------------------------------------------


def test_every_step_is_looked_at_and_the_first_that_fails_gets_the_hint():
    verdicts = labsteps.judge([FIRST, SECOND], lambda step: step.look(None))
    assert [each.holds for each in verdicts] == [True, False]
    assert labsteps.first_failing(verdicts).step.name == "B"


def test_hints_come_one_at_a_time_and_the_last_one_again_and_again():
    assert [labsteps.hint(FIRST, given) for given in (0, 1, 2, 9)] == [("one", 1), ("two", 2), ("two", 2), ("two", 2)]


@pytest.mark.parametrize(
    ("text", "holds", "words"),
    [
        ("a: 1\nb: Yes \n", True, "all 2 are right"),
        ("a: `1`\nb: The yes.", True, "all 2 are right"),
        ("a: $1\nb: the no", False, "not right yet: b"),
        ("a: 2\nb: yes", False, "not right yet: a"),
        ("# a: 1\na:\nb: no # yes", False, "no answer yet: a; not right yet: b"),
    ],
)
def test_answers_are_compared_without_telling_the_right_ones(text, holds, words):
    seen = labsteps.compare(labsteps.answers(text), {"a": ("1",), "b": ("yes",)})
    assert (seen.holds, seen.text) == (holds, words)


def test_a_report_says_what_was_expected_what_was_seen_and_which_command_shows_it():
    verdicts = labsteps.judge([FIRST, SECOND], lambda step: step.look(None))
    lines = labtext.report(LABS[0], verdicts, known=())
    text = "\n".join(lines)
    assert "1 of 2 steps hold" in text and "because" in text
    assert all(
        f"{word:<10}{value}" in text for word, value in (("expected", "a"), ("seen", "nothing"), ("look", "cmd"))
    )
    assert "because" not in "\n".join(labtext.report(LABS[0], verdicts, known=("A",))), "why is told once"


def test_a_command_too_long_for_its_column_stands_whole_on_a_line_of_its_own():
    command = "minik8s exec caller -n lab-02 -- curl -s --max-time 2 http://10.96.0.222"
    assert labtext.look(command)[1].strip() == command
    assert all(len(line) <= labtext.WIDTH for line in labtext.look(command))
    assert len(labtext.look("minik8s get pods")) == 1


def test_an_api_server_that_is_away_is_waited_for_once_not_once_for_each_step(monkeypatch):
    asked = []

    def silent(self, *given, **rest):
        asked.append(given)
        raise Unreachable("no answer in time")

    monkeypatch.setattr(Client, "request", silent)
    client = labworld.Impatient(Access(("http://127.0.0.1:1",)))
    world = labworld.World(LABS[0], "c", ROOT, 0.0, client)
    steps = [replace(FIRST, name=name, look=lambda world: yes(world.pod("app=back").kind)) for name in "abc"]
    seen = {each.seen.text for each in labworld.examine(world, [*steps, SECOND])}
    assert seen == {"the API server does not answer: `minik8s status` says more", "nothing"}
    assert len(asked) == 1


# --- Progress -------------------------------------------------------------------------------------------------------


def test_a_lab_that_was_done_stays_done_when_it_is_begun_anew():
    progress = labprogress.checked(labprogress.begun(Progress(), "one", "/w", 10.0), "one", ["A", "B"], 2, 20.0)
    assert progress.of("one").done == 20.0
    again = labprogress.begun(progress, "one", "/w", 30.0)
    assert (again.of("one").done, again.of("one").passed, again.of("one").began) == (20.0, (), 30.0)


def test_next_is_the_first_after_the_current_one_that_is_not_done():
    progress = labprogress.checked(labprogress.begun(Progress(), "two", "/w", 1.0), "two", ["A"], 1, 2.0)
    assert labprogress.next_lab(Progress(), ["one", "two"]) == "one"
    assert labprogress.next_lab(progress, ["one", "two", "three"]) == "three"
    assert labprogress.next_lab(progress, ["one", "two"]) == "one"
    assert labprogress.next_lab(progress, ["two"]) == ""


def test_a_labs_folder_is_made_beside_the_one_before_not_in_it(tmp_path):
    one = tmp_path / "lab-01"
    one.mkdir()
    progress = labprogress.begun(Progress(), "one", str(one), 1.0)
    assert labprogress.folder(progress, "two", one, "lab-02") == tmp_path / "lab-02"
    assert labprogress.folder(progress, "two", tmp_path, "lab-02") == tmp_path / "lab-02"
    assert labprogress.folder(progress, "one", tmp_path / "elsewhere", "lab-01") == one


def test_progress_comes_back_as_it_was_saved_outside_of_the_cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIK8S_HOME", str(tmp_path))
    progress = labprogress.hinted(labprogress.begun(Progress(), "one", "/w", 10.0), "one", "A", 2)
    labprogress.save("c", progress)
    assert labprogress.load("c") == progress and labprogress.load("other") == Progress()
    assert labprogress.file("c").parent != tmp_path / "c", "`down` removes that one"


# --- Files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(tmp_path) -> Lab:
    folder = tmp_path / "labs" / "07-test"
    shutil.copytree(LABS[0].folder, folder)
    return labfolder.read(folder)


def test_what_the_learner_has_edited_is_not_handed_out_again(lab, tmp_path):
    work = tmp_path / "work"
    assert "back.yaml" in labfolder.hand_out(lab, work)
    (work / "back.yaml").write_text("mine")
    assert labfolder.hand_out(lab, work) == []
    assert (work / "back.yaml").read_text() == "mine"


def test_what_the_learner_has_edited_is_kept_beside_when_it_is_replaced(lab, tmp_path):
    work = tmp_path / "work"
    labfolder.hand_out(lab, work)
    (work / "back.yaml").write_text("mine")
    assert labfolder.replace(lab, "solution", work) == ["back.yaml.mine"]
    assert (work / "back.yaml.mine").read_text() == "mine"
    assert labfolder.replace(lab, "start", work) == [], "a solution as it was given is nobody's own"


@pytest.mark.parametrize("word", ["1", "01", "why", "01-why-a-service"])
def test_a_lab_is_found_by_number_or_by_name(word):
    assert labfolder.find(word, LABS).number == "01"


def test_an_unknown_lab_is_refused_with_those_there_are():
    with pytest.raises(labfolder.NoLab, match="01-why-a-service"):
        labfolder.find("99", LABS)


# --- The labs themselves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_lab_has_all_its_parts(lab):
    for part in ("README.md", "README.zh.md", "check.py", "start", "solution/solve.sh"):
        assert (lab.folder / part).exists(), part
    assert set(lab.apply) <= {file.name for file in labfolder.files(lab, "start")}
    sources = [*lab.read, *(path for step in labfolder.checks(lab).STEPS for path in step.read)]
    assert [path for path in sources if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_each_step_has_words_for_every_moment(lab):
    steps = labfolder.checks(lab).STEPS
    assert len({step.name for step in steps}) == len(steps)
    assert all(step.expected and step.show and step.why and step.hints for step in steps)


def test_the_seconds_of_lab_3_are_right_as_they_were_measured():
    nearest = labfolder.checks(labfolder.find("3", LABS)).nearest
    assert [nearest(each) for each in ("3.3 s", "4.5", "52", "55 s", "50", "soon")] == [
        "5",
        "5",
        "50",
        "50",
        "50",
        "soon",
    ]


def test_who_stands_in_another_labs_folder_is_told_the_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert labtext.place(LABS[1], tmp_path / "lab-02") == ["  your files    lab-02/"]
    (tmp_path / "lab-01").mkdir()
    monkeypatch.chdir("lab-01")
    assert labtext.place(LABS[1], tmp_path / "lab-02")[1].strip() == "(cd ../lab-02)"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_text_fits_eighty_columns_and_ends_with_real_kubernetes(lab):
    lines = lab.text.read_text().splitlines()
    wide = [line for line in lines if len(line) > 80 and not line.startswith("<!-- do:")]
    assert not wide
    assert [line for line in lines if line.startswith("## ")][-1] == "## In real Kubernetes"
    assert not [line for line in lines if "apply " in line and "$ minik8s apply" in line and " -f" not in line]


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_the_chinese_twin_has_the_same_commands_and_outputs(lab):
    english, chinese = (
        [(each.words, each.shown) for each in commands((lab.folder / name).read_text())]
        for name in ("README.md", "README.zh.md")
    )
    assert english == chinese
    headings = [
        sum(line.startswith("## ") for line in (lab.folder / name).read_text().splitlines())
        for name in ("README.md", "README.zh.md")
    ]
    assert headings[0] == headings[1]


def test_the_skeleton_of_a_controller_has_forty_lines_at_most():
    skeletons = [lab.folder / "start" / lab.program for lab in LABS if lab.program]
    assert skeletons and all(len(file.read_text().splitlines()) <= 40 for file in skeletons)


# --- The convention for texts -----------------------------------------------------------------------------------------


def test_a_text_says_what_is_typed_and_what_is_shown():
    text = "```console\n$ one \\\n> two\nout\n$ three\n```\n<!-- do: cp a b -->\n```\n$ not me\n```\n"
    assert [(each.words, each.shown) for each in commands(text)] == [
        ("one \\\ntwo", ["out"]),
        ("three", []),
        ("cp a b", []),
    ]


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        (["a   b"], ["a b"], True),
        (["pod/… made"], ["pod/web-1 made"], True),
        (["…", "end"], ["x", "y", "end"], True),
        (["…", "end"], ["end"], True),
        (["a"], ["a", "b"], False),
        (["1 ok, 0 lost"], ["1 ok, 2 lost"], False),
    ],
)
def test_an_output_is_compared_by_its_words_and_what_may_vary(shown, said, same):
    assert matches(shown, said) is same
