"""`minik8s run COMPONENT`: the only way a component starts, by hand, in a lab, by systemd or by the zygote.

Its flags are the fields of `client.component.Options` (of `apiserver.options.ServerOptions` for the API server), so
that a new option is written down once. Read next: `cluster/launch.py`.
"""

import dataclasses
from typing import Any

import click

from minik8s import params
from minik8s.cli import doors

REQUIRED = {"kubeconfig"}
CHOICES = {
    "profile": sorted(params.PROFILES),
    "proxy_mode": params.PROXY_MODES,
    "dns_pods": params.DNS_POD_MODES,
}
HELP = {
    "kubeconfig": "Which API server, and who we are there.",
    "node": "The node this component serves.",
    "node_ip": "The node's address, or one of each family with a comma between them; never guessed.",
    "controllers": "Which controllers: '*', or '*,-endpoints'.",
    "profile": "How quickly failures are noticed.",
    "proxy_mode": "How packets to a Service are spread over its endpoints.",
    "dns_ttl": "Seconds for which an answer may be remembered.",
    "dns_pods": "Names of Pods: none, any address believed, or only those of Pods that are there.",
    "upstream": "Servers for names outside of the cluster: ADDRESS[:PORT],…; without one, nothing exists there.",
    "upstream_netns": "A file that stands for the network namespace these are asked from; else our own.",
    "docker_host": "The Engine's address.",
    "pki_dir": "Where the certificates lie.",
    "state_dir": "Where the journal is kept.",
    "supervisor": "The socket of whoever keeps processes running, to ask for a sidecar.",
    "health_port": "0: the component's usual one.",
    "identity": "In leader election.",
    "listen": "address:port, or fd://N; may be given several times.",
    "etcd": "address:port of each member.",
}


class ComponentGroup(click.Group):
    """The components as commands, each with the flags of its options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from minik8s.cluster import launch

        return list(launch.MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from minik8s.apiserver.options import ServerOptions
        from minik8s.client.component import Options
        from minik8s.cluster import launch

        name = launch.ALIASES.get(cmd_name, cmd_name)
        if name not in launch.MODULES:
            return None
        return command(name, ServerOptions if name == "apiserver" else Options)


def print_roles(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    """As manifests; nothing else is done then."""
    from minik8s.api import codec
    from minik8s.apiserver.auth import elsewhere
    from minik8s.cli import output

    if asked:
        click.echo(
            output.render("yaml", [codec.to_dict(each) for each in elsewhere.manifests()], single=False), nl=False
        )
        ctx.exit()


@click.command(cls=ComponentGroup)
@click.option(
    "--roles",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_roles,
    help="Print the roles that ours need on another API server, for `kubectl apply -f -`.",
)
def run() -> None:
    """Run one component in the foreground."""


def command(name: str, options: type[Any]) -> click.Command:
    """The command of one component."""
    flags: list[click.Parameter] = [flag(field) for field in dataclasses.fields(options) if field.name != "name"]
    return click.Command(name, params=flags, callback=lambda **given: start(name, options, given), help=f"Run {name}.")


def flag(field: "dataclasses.Field[Any]") -> click.Option:
    """An option for a field: its default and its type are the field's."""
    many = str(field.type).startswith("tuple") or field.type == tuple[str, ...]
    default = None if field.default is dataclasses.MISSING else field.default
    if default is None and field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    words = f"--{field.name.replace('_', '-')}"
    kind: click.ParamType | type = int if isinstance(default, int) else str
    if field.name in CHOICES:
        kind = click.Choice(CHOICES[field.name])
    required = field.name in REQUIRED
    shown = bool(default) and not many
    told: dict[str, Any] = {} if required else {"default": default}  # to click, a default of None is one too
    return click.Option(
        [words, field.name],
        type=kind,
        multiple=many,
        required=required,
        show_default=shown,
        help=HELP.get(field.name, ""),
        **told,
    )


def start(name: str, options: type[Any], given: dict[str, Any]) -> None:
    """Run it until it is told to stop."""
    from minik8s.cluster import launch
    from minik8s.host import processes

    with doors.told():
        chosen = options(name=name, **given)
        processes.set_title(name + (f"@{given['node']}" if given.get("node") else ""))
        if name == "apiserver":
            launch.launch_server(chosen)
        else:
            launch.launch(chosen)
