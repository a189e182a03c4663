"""The root of the command line: which verb is in which file.

To add a verb, add a line to `VERBS` and a click command of the same name to the file it names. Only that file is
imported when the verb runs; `minik8s --help` imports none, which is why the one-line help stands here.
Invariant: whatever a verb cannot do ends in one line on stderr and exit code 1, never in a stack trace (but with
MINIK8S_DEBUG=1).

Read next: `cluster.py`.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

CLUSTER, OBJECTS, MACHINE, SEEING = "Cluster", "Objects", "The machine", "Seeing"

# verb → (section of the help, module under minik8s.cli, one line of help)
VERBS: dict[str, tuple[str, str, str]] = {
    "up": (CLUSTER, "cluster", "Bring a cluster up, or resume it"),
    "down": (CLUSTER, "cluster", "End a cluster and remove all it made"),
    "status": (CLUSTER, "cluster", "Show each process of a cluster: state, memory, restarts"),
    "kubeconfig": (CLUSTER, "cluster", "Print the path of the cluster's kubeconfig"),
    "preflight": (CLUSTER, "preflight", "Check whether this machine can run a cluster"),
    "run": (CLUSTER, "run", "Run one component in the foreground"),
    "apply": (OBJECTS, "apply", "Create or change objects from files"),
    "get": (OBJECTS, "get", "List objects"),
    "describe": (OBJECTS, "describe", "Show one object with all that belongs to it"),
    "delete": (OBJECTS, "delete", "Delete objects"),
    "create": (OBJECTS, "apply", "Create objects from files"),
    "scale": (OBJECTS, "change", "Change the number of replicas"),
    "label": (OBJECTS, "change", "Set or remove labels"),
    "annotate": (OBJECTS, "change", "Set or remove annotations"),
    "expose": (OBJECTS, "change", "Make a Service for the Pods of a Deployment"),
    "rollout": (OBJECTS, "change", "See how far a rollout is, or start it again"),
    "logs": (OBJECTS, "logs", "Print what a container wrote"),
    "exec": (OBJECTS, "exec", "Run a command in a container"),
    "node": (MACHINE, "machine", "A node: exec, ps, cut, heal"),
    "outside": (MACHINE, "machine", "Run a command as the external client"),
    "kill": (MACHINE, "machine", "Kill a component, or a Pod's main process"),
    "start": (MACHINE, "machine", "Start a component that was killed"),
    "traffic": (SEEING, "traffic", "Send steady traffic to a Service and count what becomes of it"),
    "history": (SEEING, "history", "Show what led to what, with the time of each stage"),
    "doctor": (SEEING, "doctor", "Find out, rung by rung, why a Service does not answer"),
    "break": (SEEING, "breaking", "Break a Service in one of five ways, for you to find out"),
    "rules": (SEEING, "rules", "Explain the rules of a Service on each node"),
    "dns": (SEEING, "dns", "Ask names as a Pod would, or see what is asked"),
    "lab": (SEEING, "lab", "Exercises, checked step by step"),
    "demo": (SEEING, "demo", "Tell the whole story, live"),
}


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"minik8s.cli.{VERBS[cmd_name][1]}")
        for command in vars(module).values():
            if isinstance(command, click.Command) and command.name == cmd_name:
                return command
        raise LookupError(f"minik8s.cli.{VERBS[cmd_name][1]} has no command {cmd_name}")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in VERBS and not name.startswith("-"):
            near = [verb for verb in VERBS if verb.startswith(name[:3])]
            hint = f" Did you mean {' or '.join(near)}?" if near else " `minik8s --help` lists all."
            ctx.fail(f"There is no verb {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section in dict.fromkeys(section for section, _, _ in VERBS.values()):
            with formatter.section(section):
                formatter.write_dl([(verb, text) for verb, (part, _, text) in VERBS.items() if part == section])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="minik8s")
def root() -> None:
    """Kubernetes Services end to end: run them, watch them, break them.

    Begin with `minik8s up`, then `minik8s apply -f labs/examples/web.yaml`.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """The entry point. Errors that a verb foresees are click's own; the rest is a defect, said in one line."""
    try:
        root.main(args=list(argv) if argv is not None else None, prog_name="minik8s")
    except Exception as error:
        if os.environ.get("MINIK8S_DEBUG"):
            raise
        click.echo(f"error: {type(error).__name__}: {error} (MINIK8S_DEBUG=1 shows where)", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
