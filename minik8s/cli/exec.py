"""`exec`: a command in a container, its input, output and exit code as if it ran here.

The connection is a WebSocket through the API server to the node's agent (streams/client.py). With -t our terminal is
raw, so that every key goes to the command, Ctrl-C too; what must hold: it is put back however the command ends.

Read next: streams/client.py.
"""

import contextlib
import os
import shutil
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import click

from minik8s.api.core import Pod
from minik8s.cli import podchoice
from minik8s.cli.session import Failed, Session, told, verb
from minik8s.client.errors import from_body
from minik8s.streams import client as streams
from minik8s.streams.websocket import STDERR


@verb("exec")
@click.argument("word", metavar="POD | KIND/NAME")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND…")
@click.option("-i", "--stdin", "interactive", is_flag=True, help="Pass our input on.")
@click.option("-t", "--tty", "terminal", is_flag=True, help="Give the command a terminal.")
@click.option("-c", "--container", default="", help="Which container.")
def exec_(session: Session, word: str, command: tuple[str, ...], **options: Any) -> None:
    """Run a command in a container: minik8s exec -it web-1 -- sh."""
    command = command[1:] if command[0] == "--" else command
    if not command:
        raise Failed("error: you must specify at least one command for the container")
    if options["terminal"] and not (options["interactive"] and sys.stdin.isatty()):
        click.echo("Unable to use a TTY - input is not a terminal or the right kind of file", err=True)
        options["terminal"] = False
    pod = podchoice.pods(session, word)[0]
    container, remark = podchoice.container(pod, options["container"])
    if remark:
        click.echo(remark, err=True)
    sys.exit(run(session, pod, _query(container, command, options), options))


def _query(container: str, command: tuple[str, ...], options: dict[str, Any]) -> str:
    pairs = [("container", container), *(("command", word) for word in command), ("stdout", "true")]
    pairs.append(("tty", "true") if options["terminal"] else ("stderr", "true"))
    if options["interactive"]:
        pairs.append(("stdin", "true"))
    return urlencode(pairs)


def run(session: Session, pod: Pod, query: str, options: dict[str, Any]) -> int:
    """Run it; returns the exit code."""
    target = f"{Pod.resource.path(pod.metadata.namespace, pod.metadata.name, 'exec')}?{query}"
    sock, host = session.client.open_socket()
    try:
        running = streams.connect(sock, host, target, session.client.headers)
    except streams.Refused as error:
        raise Failed(told(from_body(error.code, error.body))) from error
    with _raw_terminal(running) if options["terminal"] else contextlib.nullcontext():
        if options["interactive"]:
            threading.Thread(target=_feed, args=(running,), daemon=True).start()
        for channel, data in running:
            stream = sys.stderr.buffer if channel == STDERR else sys.stdout.buffer
            stream.write(data)
            stream.flush()
    if running.exit_code is None:
        raise Failed("error: the connection broke before the command ended")
    if running.exit_code:
        click.echo(f"command terminated with exit code {running.exit_code}", err=True)
    return running.exit_code


def _feed(running: streams.Exec) -> None:
    """Our input to the command, until it ends."""
    while data := os.read(sys.stdin.fileno(), 65536):
        running.stdin(data)
    running.close_stdin()


@contextlib.contextmanager
def _raw_terminal(running: streams.Exec) -> Iterator[None]:
    """Every key goes through, and the command learns our size now and at each change."""

    def tell_size(*_: Any) -> None:
        size = shutil.get_terminal_size()
        running.resize(size.columns, size.lines)

    saved = termios.tcgetattr(sys.stdin)
    before = signal.signal(signal.SIGWINCH, tell_size)
    tty.setraw(sys.stdin)
    tell_size()
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
        signal.signal(signal.SIGWINCH, before)
