"""Verbs about the cluster as a whole: up, down, status, kubeconfig.

Read next: `machine.py`.
"""

import os
import shutil
from typing import Any

import click

from minik8s import params
from minik8s.cli import doors
from minik8s.cluster import state


@click.command()
@click.option("--nodes", type=click.IntRange(1, 50), help="How many nodes (3, or as many as there are).")
@doors.option
@click.option(
    "--without", multiple=True, metavar="NAME", help="Leave a component or a controller out; `none`: all again."
)
@click.option("--profile", type=click.Choice(sorted(params.PROFILES)), help="How quickly failures are noticed.")
@click.option(
    "--proxy-mode", type=click.Choice(params.PROXY_MODES), help="How packets to a Service are spread (nftables)."
)
@click.option(
    "--ingress", is_flag=True, help="Serve Ingresses on every node, from now on (--without ingress: no more)."
)
@click.option(
    "--upstream",
    metavar="ADDRESS[:PORT],…",
    help="DNS servers for names outside of the cluster, from now on; '' for none (so it begins).",
)
@click.option(
    "--dns-ttl",
    type=click.IntRange(0, params.DNS_MOST_TTL_S),
    metavar="SECONDS",
    help=f"For how long a DNS answer may be remembered ({params.DNS_TTL_S}).",
)
@click.option(
    "--dns-pods",
    type=click.Choice(params.DNS_POD_MODES),
    help=f"Names of Pods by their address ({params.DNS_DEFAULT_POD_MODE}).",
)
@click.option("--fresh", is_flag=True, help="Remove what is there and begin anew.")
def up(cluster: str, without: tuple[str, ...], fresh: bool, **given: Any) -> None:
    """Bring a cluster up, or resume it. What is not given stays as it was."""
    from minik8s.cluster import launch
    from minik8s.cluster import up as steps

    with doors.told():
        need_root()
        check_upstream(given["upstream"] or "")
        known = None if fresh else state.read(state.paths(cluster))
        need_able_machine(given["proxy_mode"] or (known.proxy_mode if known else ""), whole=known is None)
        if given["ingress"] and not shutil.which("haproxy"):
            raise state.StateError("there is no haproxy to serve Ingresses with: apt install haproxy, or `make setup`")
        left_out = launch.left_out(without) if without else None
        record = steps.up(steps.Wish(cluster, without=left_out, fresh=fresh, **given), click.echo)
        count = "1 node" if len(record.nodes) == 1 else f"{len(record.nodes)} nodes"
        click.echo(f"\nCluster {record.name}: {count}, API at https://127.0.0.1:{record.port}")
        click.echo(f"  export KUBECONFIG={doors.paths(cluster).kubeconfig}")


@click.command()
@doors.option
def down(cluster: str) -> None:
    """End a cluster and remove all it made."""
    from minik8s.cluster import down as steps

    with doors.told():
        need_root()
        found = steps.down(cluster)
        click.echo(f"Cluster {cluster} is gone." if found else f"There was no cluster {cluster}.")


@click.command()
@doors.option
@click.option("--export", is_flag=True, help="Print the line a shell understands: eval $(minik8s kubeconfig --export).")
def kubeconfig(cluster: str, export: bool) -> None:
    """Print the path of the cluster's kubeconfig."""
    with doors.told():
        path = doors.paths(cluster).kubeconfig
        click.echo(f"export KUBECONFIG={path}" if export else str(path))


@click.command()
@doors.option
def status(cluster: str) -> None:
    """Show each process of a cluster: state, memory, restarts."""
    from minik8s.cluster import status as look

    with doors.told():
        where = doors.paths(cluster)
        seen = look.look(where)
        click.echo(f"{'PROCESS':<22}{'PID':>8}  {'STATE':<28}{'MEMORY':>9}{'RESTARTS':>10}")
        for line in seen:
            memory = f"{line.pss / 1e6:.1f} MB" if line.pss else ""
            restarts = "" if line.restarts < 0 else str(line.restarts)
            click.echo(f"{line.name:<22}{line.pid or '':>8}  {line.state:<28}{memory:>9}{restarts:>10}".rstrip())
        click.echo(f"{'all':<22}{'':>8}  {'':<28}{sum(line.pss for line in seen) / 1e6:>6.1f} MB")
        click.echo(f"\n{'NODE':<10}{'ADDRESS':<16}{'PROCESSES':>9}  CABLE")
        for each in look.nodes(where):
            click.echo(f"{each.name:<10}{each.address:<16}{each.processes:>9}  {each.state}")


def need_able_machine(proxy_mode: str, whole: bool) -> None:
    """Refuse a machine that cannot serve before anything is touched; one that has served, only for its proxy mode."""
    from minik8s.cluster import preflight, probe

    verdicts = probe.check(proxy_mode) if whole else [preflight.judge_mode(probe.mode_facts(proxy_mode))]
    problems = preflight.problems(verdicts)
    if problems:
        raise state.StateError("this machine cannot carry a cluster:\n" + "\n".join(f"  {each}" for each in problems))
    for verdict in verdicts:
        if verdict.check == preflight.IPV6:
            click.echo(f"note: {verdict.remark}")


def check_upstream(servers: str) -> None:
    """Refuse what can be no upstream server before anything is touched."""
    from minik8s.cluster import topology
    from minik8s.dns.servers import parse

    try:
        parse(servers, [topology.node_address(node) for node in topology.node_names(state.DEFAULT_NODES)])
    except ValueError as error:
        raise state.StateError(str(error)) from error


def need_root() -> None:
    """Namespaces and containers are root's business."""
    if os.geteuid() != 0:
        raise PermissionError("only root may make network namespaces: sudo minik8s …")
