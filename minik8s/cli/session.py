"""What every verb about objects shares: which cluster, which namespace, and how a failure is told in kubectl's words.

A verb is a function decorated with `@verb("get")`; its first argument is the Session. What must hold: a foreseen
failure is a line on stderr and exit code 1. Where the kubeconfig comes from: --kubeconfig, else $KUBECONFIG, else
the cluster's own file.

Read next: objects.py (what people may write for an object).
"""

import functools
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from minik8s.client.rest import ApiError, Client, Response, Unreachable
from minik8s.cluster import state
from minik8s.host import clock

NAMESPACE = click.option("-n", "--namespace", default="", help="The namespace; else the kubeconfig's, else default.")
EVERYWHERE = click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="In all namespaces.")


class Failed(click.ClickException):
    """A foreseen failure, already in the words it shall be told with."""

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


class TalkingClient(Client):
    """A client that tells each request on stderr: method, path, code, milliseconds."""

    def request(self, method: str, path: str, body: Any = None, **rest: Any) -> Response:
        began = clock.monotonic()
        code = "no answer"
        try:
            response = super().request(method, path, body, **rest)
            code = str(response.status)
            return response
        except ApiError as error:
            code = str(error.code)
            raise
        finally:
            click.echo(f"{method} {path} {code} in {(clock.monotonic() - began) * 1000:.0f} ms", err=True)


@dataclass
class Session:
    """One cluster, as one user sees it."""

    client: Client
    namespace: str  # "" means all
    command: str = ""  # what was typed, for the audit log
    given: str = ""  # the namespace that was asked for by name, if any
    cluster: str = ""  # the cluster of this machine that was asked for by name, if any

    @property
    def place(self) -> str:
        """For sentences: "in default namespace"."""
        return f" in {self.namespace} namespace" if self.namespace else ""


def kubeconfig(given: str, cluster: str, environ: Mapping[str, str] | None = None) -> str:
    """The path of the kubeconfig to use."""
    environ = os.environ if environ is None else environ
    named = environ.get("KUBECONFIG", "") if not cluster else ""
    if given or named:
        return given or named.split(os.pathsep)[0]
    where = state.paths(cluster or state.default_name())
    if not where.kubeconfig.exists():
        others = ", ".join(state.clusters())
        hint = f" (there is {others}: choose it with -C)" if others else ""
        raise Failed(f"error: there is no cluster {where.name}: bring one up with `minik8s up`{hint}")
    return str(where.kubeconfig)


def connect(path: str, namespace: str, everywhere: bool, talking: bool) -> Session:
    kind = TalkingClient if talking else Client
    client = kind.from_kubeconfig(path, user_agent="minik8s-cli")
    client.warned = lambda text: click.echo(f"Warning: {text}", err=True)
    place = "" if everywhere else namespace or client.access.namespace
    return Session(client, place, given=namespace)


def verb(name: str, *, everywhere: bool = False) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that takes a Session first."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(kubeconfig_path: str, cluster: str, namespace: str, verbose: int, **rest: Any) -> None:
            with_all = rest.pop("everywhere", False)
            try:
                session = connect(kubeconfig(kubeconfig_path, cluster), namespace, with_all, bool(verbose))
                session.cluster = cluster
                session.command = " ".join(["minik8s", *sys.argv[1:]])
                function(session, **rest)
            except BrokenPipeError:
                raise  # whoever reads has seen enough: `| head`
            except (ApiError, Unreachable, ValueError, OSError, state.StateError) as error:
                raise Failed(told(error)) from error

        own = getattr(function, "__click_params__", [])
        run.__click_params__ = own  # type: ignore[attr-defined]
        chooses = _cluster() if any("--name" in option.opts for option in own) else _cluster("--name")
        for option in (*_OPTIONS, chooses, NAMESPACE, *((EVERYWHERE,) if everywhere else ())):
            run = option(run)
        return click.command(name)(run)

    return decorate


_OPTIONS = (
    click.option("--kubeconfig", "kubeconfig_path", default="", help="The file that says where the cluster is."),
    click.option("-v", "--verbose", count=True, help="Show each request: method, path, code, milliseconds."),
)


def _cluster(*others: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option that chooses a cluster; `--name` is another word for it, except where it names what is made."""
    return click.option("-C", "--cluster", *others, "cluster", default="", help="A cluster of this machine, by name.")


def told(error: BaseException, doing: str = "") -> str:
    """A failure in kubectl's words. `doing` is what kubectl puts before the server's own: `error when creating "f"`."""
    if isinstance(error, ApiError):
        return _refused(error, f"{doing}: " if doing else "")
    if isinstance(error, Unreachable):
        return f"error: the API server does not answer ({error}): does the cluster run? `minik8s status` says"
    return f"error: {error}"


def _refused(error: ApiError, doing: str) -> str:
    details = error.status.details
    if error.reason == "Unauthorized":
        return "error: You must be logged in to the server (Unauthorized)"
    if error.reason == "Invalid" and details and details.causes:
        causes = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in details.causes]
        text = causes[0] if len(causes) == 1 else "".join(f"\n* {cause}" for cause in causes)
        return f'The {details.kind} "{details.name}" is invalid: {text}'
    reason = f" ({error.reason})" if error.reason else ""
    return f"Error from server{reason}: {doing}{error}"
