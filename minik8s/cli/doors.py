"""What all verbs about a cluster share: which cluster is meant, and how expected failures are told.

Read next: `cluster.py`.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import click

from minik8s.cluster import state

# These come from modules that are dear to import, so they are recognised by name.
FORESEEN = ("EngineError", "NotReady", "StillThere", "NoEtcd", "DataTooNew", "MissingProgram", "NoIpvs")


def option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --cluster (and --name, as `up` is taught with)."""
    return click.option(
        "-C",
        "--cluster",
        "--name",
        "cluster",
        default=state.default_name,
        help="Which cluster; $MINIK8S_CLUSTER, else the user.",
    )(command)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Foreseen failures end in one line and exit code 1."""
    from minik8s.cluster.registry import ZygoteAway

    try:
        yield
    except (state.StateError, ZygoteAway, LookupError, PermissionError) as error:
        raise click.ClickException(text(error)) from error
    except Exception as error:
        if type(error).__name__ in FORESEEN:
            raise click.ClickException(text(error)) from error
        raise


def text(error: BaseException) -> str:
    """A LookupError's own words are in quotes otherwise; the system's own are a number and a tuple."""
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.filename}: permission denied; clusters belong to root: sudo minik8s …"
    return str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)


def paths(cluster: str) -> state.Paths:
    """The files of a cluster that is there."""
    where = state.paths(cluster)
    if not where.record.exists():
        others = ", ".join(state.clusters())
        raise state.StateError(
            f"there is no cluster {cluster}: `minik8s up`{f' (there is {others})' if others else ''}"
        )
    return where
