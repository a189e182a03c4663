"""`minik8s preflight`: can this machine carry a cluster? One line for each check; exit code 1 when something is wrong.

Changes nothing. What is checked, and why, stands in `cluster/preflight.py`.
"""

import sys

import click

from minik8s.cluster import probe
from minik8s.cluster.preflight import Verdict


@click.command()
def preflight() -> None:
    """Tell what is wrong with this machine, and how to mend it, before anything is touched."""
    verdicts = probe.check()
    for verdict in verdicts:
        click.echo(_line(verdict))
    if any(verdict.problem for verdict in verdicts):
        sys.exit(1)


def _line(verdict: Verdict) -> str:
    if verdict.problem:
        return f"wrong  {verdict.problem}"
    return f"note   {verdict.remark}" if verdict.remark else f"ok     {verdict.check}"
