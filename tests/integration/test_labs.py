"""Every lab, as a learner has it: its text can be followed word for word (every command is run, every output
compared), `reset` gets back to a start that fails each single step, its solution passes, and nothing is left.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cluster import MINIK8S, Cluster, default_name, fresh, until
from support.walkthrough import Shell, walk

from minik8s.api.core import Namespace
from minik8s.cli import labfolder, labprogress, labworld
from minik8s.cli.labworld import World

pytestmark = pytest.mark.system

LABS = labfolder.every()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of the labs' own: they take parts of it away and kill others."""
    with fresh(f"{default_name()}-labs", "--nodes", "3") as found:
        yield found


@pytest.fixture
def learner(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Learner"]:
    monkeypatch.setenv("MINIK8S_HOME", str(cluster.home))
    found = Learner(cluster, tmp_path)
    yield found
    found.shell.close()
    found.leave()


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

    def leave(self) -> None:
        """As before any lab was begun: nothing of one in the cluster, no progress."""
        client = self.cluster.connect()
        for lab in LABS:
            if lab.namespace in {each.metadata.name for each in client.list(Namespace).items}:
                here = World(lab, self.cluster.name, self.folder, 0.0, client)
                getattr(labfolder.checks(lab), "clean", lambda world: None)(here)
                labworld.remove(client, lab.namespace)
        labprogress.file(self.cluster.name).unlink(missing_ok=True)


def held(report: str) -> list[str]:
    """The numbers of the steps that hold."""
    return [line.split()[1] for line in report.splitlines() if line.startswith("  ok  ")]


@pytest.mark.timeout(300)  # one waits as long as Kubernetes does
@pytest.mark.parametrize("lab", LABS, ids=[lab.name for lab in LABS])
def test_a_lab_can_be_followed_reset_fails_each_step_and_is_solved(lab: labfolder.Lab, learner: Learner) -> None:
    learner.does(f"LAB={lab.folder}")
    walk(lab.text, learner.shell)  # its last commands are checks that pass
    learner.does(f"cd {learner.folder}")

    learner.does("minik8s lab reset")
    shipped = {file.name: file.read_bytes() for file in labfolder.files(lab, "start")}
    assert {name: (learner.folder / lab.namespace / name).read_bytes() for name in shipped} == shipped
    code, report = learner("minik8s lab check")
    assert code == 1 and held(report) == [], report
    assert f"hint 1 of {len(labfolder.checks(lab).STEPS[0].hints)}" in learner.does("minik8s lab hint")

    learner.does("minik8s lab solve")
    code, report = learner("minik8s lab check")
    assert code == 0, report


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


def test_what_the_clusters_own_controller_wrote_meanwhile_does_not_pass_for_the_learners(learner: Learner) -> None:
    """Labs can be done in any order: another one, or `up --without none`, brings that controller back."""
    learner.does("minik8s lab start 4")
    learner.does("minik8s up --without none")
    until(lambda: "back-" in learner.does("minik8s get endpointslices -n lab-04"), "the controller has written")
    _, report = learner("minik8s lab check")
    assert held(report) == [] and "the cluster's own controller runs" in report
    assert "--without endpoints" in learner.does("minik8s lab start 4")
    assert "No resources found" in learner.does("minik8s get endpointslices -n lab-04")


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
