"""Every lab, as a learner has it: its start fails each of its steps, its text can be followed word for word, its
solution passes, `reset` gets back, and nothing is left.

Each lab is walked through once by its text (every command is run, every output compared) and once by its solution.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cluster import MINIK8S, Cluster, default_name, fresh, until
from support.walkthrough import Shell, walk

from minik8s.api.core import Namespace
from minik8s.cli import labfolder
from minik8s.host import processes

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

LABS = labfolder.every()
ids = [lab.name for lab in LABS]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of the labs' own: they take parts of it away and kill others."""
    with fresh(f"{default_name()}-labs", "--nodes", "3") as found:
        yield found


@pytest.fixture
def learner(cluster: Cluster, tmp_path: Path) -> Iterator["Learner"]:
    found = Learner(cluster, tmp_path)
    yield found
    found.shell.close()


class Learner:
    """Somebody at a shell, in a folder of their own."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        env = {"MINIK8S_HOME": str(cluster.home), "MINIK8S_CLUSTER": cluster.name}
        env["PATH"] = f"{Path(MINIK8S).parent}{os.pathsep}{os.environ['PATH']}"
        self.shell = Shell(folder, env)

    def __call__(self, words: str) -> tuple[int, str]:
        code, lines = self.shell.run(words)
        return code, "\n".join(lines)

    def does(self, words: str) -> str:
        """A command that must succeed."""
        code, said = self(words)
        assert code == 0, f"$ {words} ended with {code}\n{said}"
        return said

    def forget(self, lab: labfolder.Lab) -> None:
        """As before the lab was ever begun: nothing of it in the cluster, no progress, no files."""
        self("minik8s lab start " + lab.name)
        self("minik8s lab reset " + lab.name)
        self(f"minik8s delete namespace {lab.namespace}")
        self(f"rm -rf {lab.namespace}")
        labprogress_file(self.cluster).unlink(missing_ok=True)


def labprogress_file(cluster: Cluster) -> Path:
    return cluster.home / ".labs" / f"{cluster.name}.json"


def held(report: str) -> list[str]:
    """The numbers of the steps that hold."""
    return [line.split()[1] for line in report.splitlines() if line.startswith("  ok  ")]


@pytest.mark.parametrize("lab", LABS, ids=ids)
def test_the_start_fails_each_step_the_solution_passes_and_reset_gets_back(lab, learner: Learner) -> None:
    learner.does(f"minik8s lab start {lab.number}")
    code, report = learner("minik8s lab check")
    assert code == 1 and held(report) == [], report
    assert f"hint 1 of {len(labfolder.checks(lab).STEPS[0].hints)}" in learner.does("minik8s lab hint")

    learner.does("minik8s lab solve")
    began = time.monotonic()
    code, report = learner("minik8s lab check")
    took = time.monotonic() - began
    assert code == 0, report
    assert took < 10, "a check takes less than ten seconds"

    began = time.monotonic()
    learner.does("minik8s lab reset")
    took = time.monotonic() - began
    assert took < 10, "five seconds on a quiet machine"
    code, report = learner("minik8s lab check")
    assert code == 1 and held(report) == [], report
    shipped = {file.name: file.read_bytes() for file in labfolder.files(lab, "start")}
    assert {name: (learner.folder / lab.namespace / name).read_bytes() for name in shipped} == shipped
    learner.forget(lab)


@pytest.mark.parametrize("lab", LABS, ids=ids)
def test_the_text_can_be_followed_word_for_word(lab, learner: Learner) -> None:
    learner.does(f"LAB={lab.folder}")
    walk(lab.text, learner.shell)
    learner.does(f"cd {learner.folder}")
    learner.forget(lab)
    assert lab.namespace not in {each.metadata.name for each in learner.cluster.connect().list(Namespace).items}


def test_the_learners_edits_survive_start_and_are_kept_by_reset_and_progress_survives_down(learner: Learner) -> None:
    learner.does("minik8s lab start 2")
    mine = learner.folder / "lab-02" / "answers.txt"
    mine.write_text("ping: no\n")
    learner.does("minik8s lab start 2")
    assert mine.read_text() == "ping: no\n"
    assert "answers.txt.mine" in learner.does("minik8s lab reset")
    assert mine.with_name("answers.txt.mine").read_text() == "ping: no\n"

    learner.cluster.down()
    assert "begun" in learner.does("minik8s lab list")
    said = learner.does("minik8s lab start 2")
    assert "minik8s up" in said and "pod/caller created" in said
    learner.forget(LABS[1])


def test_watch_checks_again_when_a_file_is_saved_and_when_the_cluster_changes(learner: Learner) -> None:
    learner.does("minik8s lab start 1")
    learner.does("cd lab-01")
    learner.does("minik8s lab watch > watch.txt & WATCH=$!")
    told = learner.folder / "lab-01" / "watch.txt"
    until(lambda: told.exists() and "0 of 6 steps hold" in told.read_text(), "the first check")
    shutil.copy(LABS[0].folder / "solution" / "answers.txt", learner.folder / "lab-01" / "answers.txt")
    until(lambda: "1 of 6 steps hold" in told.read_text(), "a file was saved")
    learner.does("minik8s delete pod -n lab-01 -l app=back")
    until(lambda: "2 of 6 steps hold" in told.read_text(), "the cluster has changed")
    learner.does("kill $WATCH; cd ..")
    learner.forget(LABS[0])


def test_a_table_of_the_learner_does_not_stay_in_the_kernel(learner: Learner) -> None:
    learner.does("minik8s lab start 2")
    learner.does("minik8s lab solve")
    learner.does("minik8s lab reset")
    listed = processes.run(["nft", "list", "tables"], ns=f"mk8s-{learner.cluster.name}-node-1").stdout
    assert "lab02" not in listed and "minik8s" in listed
    learner.forget(LABS[1])
