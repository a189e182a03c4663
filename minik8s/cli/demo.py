"""`demo`: brings a cluster up, tells the story (story.py) on it, live, and removes all it made.

Every command is printed, then run as a process of this same command line. What is measured comes from the cluster's own
history (explain/) and from the clients' own counts. What must hold: whatever happens (a failing command, Ctrl-C, a
signal) the cluster goes, unless it was asked to stay; a cluster that was there before is never touched.

Read next: story.py for the words, telling.py for how they are told.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

import minik8s
from minik8s.cli import story
from minik8s.cli.cluster import need_root
from minik8s.cli.session import Failed
from minik8s.cli.telling import Teller
from minik8s.cluster import state

NODES = 3
EXAMPLES = "labs/examples/demo.yaml"


@click.command()
@click.option("--name", "--cluster", "name", default="demo", help="The cluster's name (demo).")
@click.option("--step", "stepwise", is_flag=True, help="Wait for a key before each step.")
@click.option("--only", type=click.IntRange(1, len(story.STEPS)), help="Tell one step alone.")
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave the cluster standing ($KEEP does the same).")
def demo(name: str, stepwise: bool, only: int | None, keep: bool) -> None:
    """Tell the whole story, live."""
    need_root()
    if name in state.clusters():
        raise Failed(
            f"error: there is a cluster {name} already: `minik8s down --name {name}`, or choose another --name"
        )
    at_the_sources()
    teller = Teller(name)
    with ended(teller, keep):
        teller.say(story.OPENING)
        teller.command(f"export MINIK8S_CLUSTER={name}")
        teller.run(f"minik8s up --nodes {NODES}")
        for number, step in chosen(only):
            if stepwise and sys.stdin.isatty():
                click.pause("\nPress any key for the next step …")
            teller.title(f"{number} of {len(story.STEPS)}: {step.title}")
            for item in (*(step.before if only else ()), *step.items):
                teller.tell(item)
        teller.title("The end")
        teller.say(story.CLOSING)
        teller.run("minik8s status")


def chosen(only: int | None) -> Iterator[tuple[int, story.Step]]:
    """The steps to tell, with their numbers."""
    for number, step in enumerate(story.STEPS, 1):
        if only in (None, number):
            yield number, step


def at_the_sources() -> None:
    """The commands name files of the sources, so the story is told from there."""
    if Path(EXAMPLES).exists():
        return
    root = Path(minik8s.__file__).parents[1]
    if not (root / EXAMPLES).exists():
        raise Failed(f"error: {EXAMPLES} is not there: the demo needs the sources of minik8s")
    click.echo(f"$ cd {root}")
    os.chdir(root)


@contextmanager
def ended(teller: Teller, keep: bool) -> Iterator[None]:
    """Whatever happens inside: clients end, and the cluster goes unless it is to stay."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        # A command in the foreground is waited for, or it would go on beside the cleaning up; Ctrl-C reaches it too.
        teller.interrupted = True
        if not teller.busy:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nInterrupted.")
        raise
    finally:
        for number in before:  # a second Ctrl-C would leave half of it behind
            signal.signal(number, signal.SIG_IGN)
        teller.stop()
        if keep:
            teller.say(f"The cluster stays. Remove it with: minik8s down --name {teller.name}")
        else:
            teller.run("minik8s down", always=True)
        for number, handler in before.items():
            signal.signal(number, handler)
