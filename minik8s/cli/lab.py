"""`lab`: begin an exercise, see which of its steps hold, get a hint, see a solution, begin again, go on.

Each lab has a Kubernetes namespace `lab-NN`, and a folder ./lab-NN with the learner's files. What must hold: a
learner's file is never overwritten but by `reset` and `solve`, which keep it as NAME.mine; and progress outlives the
cluster.

Read next: labfolder.py (what a lab is), labsteps.py (what is checked), labwatch.py (checking all the time).
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import click

from minik8s.cli import doors, labfolder, labprogress, labsteps, labtext, labworld
from minik8s.cli.labfolder import Lab, NoLab
from minik8s.cli.labprogram import Program
from minik8s.cli.labworld import World
from minik8s.client.errors import ApiError, Unreachable
from minik8s.cluster import registry, state
from minik8s.host import clock, processes

name_of = click.argument("word", default="", metavar="[LAB]")


@click.group()
def lab() -> None:
    """Exercises on a real cluster, each checked step by step: minik8s lab start 1."""


@lab.command(name="list")
@doors.option
def list_(cluster: str) -> None:
    """All labs, and how far you are."""
    for line in labtext.table(labfolder.every(), labprogress.load(cluster)):
        click.echo(line)


@lab.command()
@name_of
@doors.option
def start(word: str, cluster: str) -> None:
    """Begin a lab, or go on with it; brings a cluster up."""
    with told():
        progress = labprogress.load(cluster)
        chosen = labfolder.find(word, labfolder.every()) if word else going_on(progress)
        begin(chosen, cluster, progress)


@lab.command(name="next")
@doors.option
def next_(cluster: str) -> None:
    """Begin the next lab that is not done."""
    with told():
        progress, labs = labprogress.load(cluster), labfolder.every()
        name = labprogress.next_lab(progress, [each.name for each in labs])
        if not name:
            click.echo("All labs are done. `minik8s lab start LAB` opens one again.")
            return
        begin(labfolder.find(name, labs), cluster, progress)


@lab.command()
@name_of
@doors.option
def check(word: str, cluster: str) -> None:
    """Say which steps hold, and what is seen of the others."""
    with told():
        here, known = opened(word, cluster)
        with running(here):
            verdicts = examined(here)
        for line in labtext.report(here.lab, verdicts, known):
            click.echo(line)
    sys.exit(0 if all(each.holds for each in verdicts) else 1)


@lab.command()
@name_of
@doors.option
def hint(word: str, cluster: str) -> None:
    """A hint for the first step that does not hold."""
    with told():
        here, _ = opened(word, cluster)
        with running(here):
            failing = labsteps.first_failing(examined(here))
        if failing is None:
            click.echo("All steps hold. `minik8s lab next` goes on.")
            return
        progress, step = labprogress.load(cluster), failing.step
        before = progress.of(here.lab.name).hints.get(step.name, 0)
        text, given = labsteps.hint(step, before)
        labprogress.save(cluster, labprogress.hinted(progress, here.lab.name, step.name, given))
        click.echo(f"{step.name} (hint {given} of {len(step.hints)}):")
        for line in labtext.fill(text, "  "):
            click.echo(line)
        if given == before:
            click.echo("You know all hints of this step. `minik8s lab solve --show` shows a solution.")


@lab.command()
@name_of
@doors.option
@click.option("--show", "only", is_flag=True, help="Only show it.")
def solve(word: str, cluster: str, only: bool) -> None:
    """Show a solution and carry it out.

    Your own files stay beside, as NAME.mine.
    """
    with told():
        here, _ = opened(word, cluster)
        script = here.lab.folder / "solution" / labfolder.SCRIPT
        for file in labfolder.files(here.lab, "solution"):
            click.echo(f"{file.name:<16}{labtext.shown(file)}")
        click.echo(f"--- {labfolder.SCRIPT}\n{script.read_text().rstrip()}")
        if only:
            return
        click.echo("--- so be it:")
        say_kept(labfolder.replace(here.lab, "solution", here.folder))
        with running(here):
            code = processes.call(
                ["sh", "-c", 'cd "$0" && exec sh -e "$1"', *paths(here.folder, script)], env=env(here)
            )
    sys.exit(code)


@lab.command()
@name_of
@doors.option
def reset(word: str, cluster: str) -> None:
    """Put a lab back to its start.

    Your own files stay beside, as NAME.mine.
    """
    with told():
        here, _ = opened(word, cluster)
        need_cluster(here.lab, cluster)
        clean(here)
        say_kept(labfolder.replace(here.lab, "start", here.folder))
        furnish(here)
        progress = labprogress.load(cluster)
        labprogress.save(cluster, labprogress.begun(progress, here.lab.name, str(here.folder), clock.wall()))
        click.echo(f"Lab {int(here.lab.number)} is as at its start.")


@lab.command()
@name_of
@doors.option
def watch(word: str, cluster: str) -> None:
    """Check again at each save and each change."""
    from minik8s.cli import labwatch

    with told(), contextlib.suppress(KeyboardInterrupt):
        here, _ = opened(word, cluster)
        click.echo("At each save and each change of the cluster; Ctrl-C ends it.")
        last: list[str] = []
        with running(here):
            labwatch.watch(here, lambda: tell_again(here, last))


# --- Steps of the verbs -------------------------------------------------------------------------------------------


def going_on(progress: labprogress.Progress) -> Lab:
    """The current lab; the first one for who has begun none."""
    labs = labfolder.every()
    return labfolder.find(progress.current, labs) if progress.current else labs[0]


def opened(word: str, cluster: str) -> tuple[World, tuple[str, ...]]:
    """A lab that was begun, and which of its steps have held before."""
    progress, labs = labprogress.load(cluster), labfolder.every()
    if not word and not progress.current:
        raise NoLab("no lab is begun: `minik8s lab start 1`")
    chosen = labfolder.find(word or progress.current, labs)
    standing = progress.of(chosen.name)
    if not standing.began:
        raise NoLab(f"{chosen.name} is not begun: `minik8s lab start {int(chosen.number)}`")
    return world(chosen, cluster, Path(standing.folder), standing.began), standing.passed


def world(chosen: Lab, cluster: str, folder: Path, began: float) -> World:
    client = labworld.Impatient.from_kubeconfig(str(doors.paths(cluster).kubeconfig), user_agent="minik8s-lab")
    return World(chosen, cluster, folder, began, client)


def begin(chosen: Lab, cluster: str, progress: labprogress.Progress) -> None:
    """The cluster, the namespace, the files; what is there already is left as it is."""
    standing = progress.of(chosen.name)
    folder = labprogress.folder(progress, chosen.name, Path.cwd(), chosen.namespace)
    need_cluster(chosen, cluster)
    here = world(chosen, cluster, folder, standing.began)
    labfolder.hand_out(chosen, folder)
    if standing.began and (again := getattr(checks(here), "again", None)):
        again(here)
    if furnish(here) or not standing.began:
        progress = labprogress.begun(progress, chosen.name, str(folder), clock.wall())
    labprogress.save(cluster, labprogress.with_standing(progress, chosen.name, progress.of(chosen.name)))
    for line in labtext.opening(chosen, folder):
        click.echo(line)


def need_cluster(chosen: Lab, cluster: str) -> None:
    """A cluster that runs, without what the learner is to write."""
    where = state.paths(cluster)
    record = state.read(where)
    words = ["up", "--name", cluster]
    runs = record is not None and registry.zygote(where)[0]
    if set(record.without if record else ()) != set(chosen.without):
        words += [word for each in chosen.without or ("none",) for word in ("--without", each)]
    if runs and len(words) == 3:
        return
    click.echo(f"$ minik8s {' '.join(words)}")
    if processes.call([sys.executable, "-m", "minik8s.cli.main", *words]):
        raise state.StateError("the cluster did not come up")


def furnish(here: World) -> bool:
    """The namespace and what stands in it at the start; False when it was there already."""
    if not labworld.make(here.client, here.namespace):
        return False
    for file in here.lab.apply:
        path = here.lab.folder / "start" / file
        click.echo(f"$ minik8s apply -n {here.namespace} -f {file}")
        argv = [sys.executable, "-m", "minik8s.cli.main", "apply", "-n", here.namespace, "-f", str(path)]
        if processes.call(argv, env=env(here)):
            raise state.StateError(f"{path} could not be applied")
    labworld.wait_ready(here.client, here.namespace)
    return True


def clean(here: World) -> None:
    """Take away all that the lab has made."""
    if undo := getattr(checks(here), "clean", None):
        undo(here)
    labworld.remove(here.client, here.namespace)


def checks(here: World) -> ModuleType:
    return labfolder.checks(here.lab)


def examined(here: World) -> list[labsteps.Verdict]:
    """Look at every step, and remember which held."""
    steps: Sequence[labsteps.Step] = checks(here).STEPS
    progress = labprogress.load(here.cluster)
    verdicts = labworld.examine(here, steps, progress.of(here.lab.name).passed)
    held = [each.step.name for each in verdicts if each.holds]
    labprogress.save(here.cluster, labprogress.checked(progress, here.lab.name, held, len(steps), clock.wall()))
    return verdicts


def tell_again(here: World, last: list[str]) -> None:
    """One check of `watch`; silent when it finds what the `last` one found."""
    known = labprogress.load(here.cluster).of(here.lab.name).passed
    verdicts = examined(here)
    seen = [f"{each.holds} {each.seen.text}" for each in verdicts]
    if seen != last:
        last[:] = seen
        click.echo("\n".join(["", "-" * labtext.WIDTH, *labtext.report(here.lab, verdicts, known)]))


@contextlib.contextmanager
def running(here: World) -> Iterator[None]:
    """The learner's own program, where the lab has one."""
    if not here.lab.program:
        yield
        return
    here.program = Program(here.folder / here.lab.program, here.cluster)
    here.program.start()
    try:
        yield
    finally:
        here.program.stop()


def say_kept(names: list[str]) -> None:
    if names:
        click.echo(f"Your own are kept: {', '.join(names)}")


def paths(*given: Path) -> list[str]:
    return [str(path) for path in given]


def env(here: World) -> dict[str, str]:
    """For commands as the learner types them: this cluster, this minik8s."""
    kept = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**kept, "MINIK8S_CLUSTER": here.cluster, "PATH": path}


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Foreseen failures end in one line."""
    from minik8s.cli.session import told as words

    with doors.told():
        try:
            yield
        except (ApiError, Unreachable, labworld.NotSo) as error:
            raise click.ClickException(words(error).removeprefix("error: ")) from error
