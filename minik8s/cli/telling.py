"""Tells a story: prints words and commands, runs the commands, waits, measures.

A command is a process of this same command line, so that what is shown is what runs. Commands in the background write
into a pipe, read to its end by `Join`. What must hold: words fit 80 columns; a command that fails ends the story.

Read next: measuring.py.
"""

import os
import shlex
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from minik8s.api.core import Pod
from minik8s.cli import measuring, story, tally
from minik8s.cli.session import Failed
from minik8s.cli.tally import LIVE
from minik8s.client.rest import Client, Gone, NotFound, Unreachable, read_watch
from minik8s.cluster import state
from minik8s.host import clock, processes

GONE_S = 60.0
REDRAW_S = 0.2
_ARGV = [sys.executable, "-m", "minik8s.cli.main"]


@dataclass
class Behind:
    """A command in the background, and the thread that reads what it says."""

    command: str
    process: "processes.Popen[bytes]"
    thread: threading.Thread = field(default_factory=threading.Thread)
    said: list[str] = field(default_factory=list)
    live: str = ""  # its counts so far, to be drawn over

    def read(self) -> None:
        """Take in what it says, to its end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            text = line.decode(errors="replace")
            if text.startswith("\r"):
                self.live = text.strip()
            else:
                self.said.append(text)


class Teller:
    """One telling. `facts` are the words that fill the braces."""

    def __init__(self, name: str, width: int = story.WIDTH) -> None:
        self.name, self.width = name, width
        self.facts: dict[str, str] = {}
        self.counts: tally.Counts | None = None  # of the last traffic
        self.rate = story.RATE
        self.began: dict[str, float] = {}  # when a command in the foreground began, by its first two words
        self.busy = False  # does a command run in the foreground?
        self.interrupted = False  # somebody wants it to end
        self._blank = False  # is the last line an empty one?
        self._behind: list[Behind] = []
        self._client: Client | None = None

    # --- Words --------------------------------------------------------------------------------------------------------

    def title(self, text: str) -> None:
        self._gap()
        click.echo(f"{'-' * (self.width - 1)}\n{text}")
        self._blank = False
        self._gap()

    def say(self, text: str) -> None:
        """Words, filled up to the width."""
        self.lines(textwrap.wrap(text.format(**self.facts), self.width - 1))

    def lines(self, lines: list[str]) -> None:
        """Lines as they are, with an empty one before and after."""
        self._gap()
        for line in lines:
            click.echo(line)
        self._blank = False
        self._gap()

    def _gap(self) -> None:
        if not self._blank:
            click.echo()
        self._blank = True

    def command(self, text: str) -> None:
        """A command, as if it was typed."""
        self._blank = False
        click.echo(click.style("$ ", dim=True) + click.style(text, bold=True))
        sys.stdout.flush()

    # --- Items --------------------------------------------------------------------------------------------------------

    def tell(self, item: story.Item) -> None:
        """Do one item of a step."""
        tellers: dict[type, Callable[[Any], None]] = {
            story.Say: lambda each: self.say(each.text),
            story.Run: lambda each: self.run(each.command),
            story.Join: lambda each: self.join(),
            story.Choose: self.choose,
            story.Gone: lambda each: self.wait_gone(),
            story.Measure: self.measure,
        }
        tellers[type(item)](item)

    def run(self, command: str, always: bool = False) -> None:
        """Print a command and run it. `always`: its failure ends nothing."""
        text = command.format(**self.facts)
        self.command(text)
        if text.endswith("&"):
            self._behind.append(self._start(text))
            return
        if text.startswith("sleep "):
            threading.Event().wait(
                float(text.split()[1])
            )  # the story's own pause: nothing happens that could be awaited
            return
        self.began[" ".join(words(text)[:2])] = clock.wall()
        self.busy = True
        code = processes.call([*_ARGV, *words(text)], env=self._environment())
        self.busy = False
        if self.interrupted and not always:
            raise KeyboardInterrupt
        if code and not always:
            raise Failed(f"error: `{text}` ended with exit code {code}: the story ends here")

    def join(self) -> None:
        """Wait for the commands in the background and show what they said."""
        self.command("wait")
        behind, self._behind = self._behind, []
        for each in behind:
            self._watch(each)
            code = each.process.wait()
            click.echo("".join(each.said), nl=False)
            if code:
                raise Failed(f"error: `{each.command}` ended with exit code {code}: the story ends here")
            self.counts = tally.parse("".join(each.said)) or self.counts

    def _watch(self, each: Behind) -> None:
        """Until a command in the background has ended; on a terminal, with its counts as they grow."""
        while each.thread.is_alive():
            each.thread.join(REDRAW_S)
            if sys.stdout.isatty() and each.live:
                click.echo(f"\r{each.live:<79}", nl=False)
        if sys.stdout.isatty() and each.live:
            click.echo(f"\r{'':<79}\r", nl=False)

    def stop(self) -> None:
        """End what still runs in the background."""
        for each in self._behind:
            each.process.terminate()
            each.process.wait()
        self._behind = []

    def choose(self, item: story.Choose) -> None:
        """Pick a ready Pod, best on a node without the client."""
        self.facts.update(measuring.choose(self.client, item.service))

    def wait_gone(self) -> None:
        """Wait until the chosen Pod is no more."""
        began, name = clock.monotonic(), self.facts["pod"]
        if not gone(self.client, name):
            raise Failed(f"error: Pod {name} is still there after {GONE_S:.0f} s")
        click.echo(f"(Pod {name} was gone after {clock.monotonic() - began:.1f} s.)")

    def measure(self, item: story.Measure) -> None:
        since = self.began.get(item.since)
        found = measuring.window(self.client, self.facts, item.since, since)
        self.lines(measuring.report(found, self.counts, item, self.rate))

    # --- What it stands on --------------------------------------------------------------------------------------------

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = Client.from_kubeconfig(str(state.paths(self.name).kubeconfig), user_agent="minik8s-demo")
        return self._client

    def _start(self, text: str) -> Behind:
        argv = [*_ARGV, *words(text.removesuffix("&"))]
        process = processes.pipe(argv, env=self._environment())
        behind = Behind(text, process)
        behind.thread = threading.Thread(target=behind.read, daemon=True)
        behind.thread.start()
        return behind

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        return {**kept, "MINIK8S_CLUSTER": self.name, LIVE: "1"}


def words(command: str) -> list[str]:
    """The words behind `minik8s`, as a shell would part them."""
    return shlex.split(command)[1:]


def gone(client: Client, name: str) -> bool:
    """Watch until a Pod of the default namespace is no more; False when that takes too long."""
    try:
        pod = client.get(Pod, name, "default")
        stream = client.open_watch(
            Pod, "default", resourceVersion=pod.metadata.resourceVersion, fieldSelector=f"metadata.name={name}"
        )
    except NotFound:
        return True
    late = threading.Timer(GONE_S, stream.shut)
    late.start()
    try:
        return any(event.type == "DELETED" for event in read_watch(Pod, stream))
    except (Unreachable, Gone):
        return False
    finally:
        late.cancel()
        stream.shut()
