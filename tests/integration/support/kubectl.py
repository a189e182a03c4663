"""Every kubectl of this machine, and a terminal in which one is typed.

Versions are found beside the installed `kubectl` (`kubectl.1.27` …); Debian's is installed where there is none.
`$MINIK8S_KUBECTL` names one more. Read `transcript.py` next.
"""

import base64
import functools
import itertools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from support import packages
from support.cluster import PATIENCE_S, WHY, Cluster, wait
from support.transcript import Transcript

from minik8s.api.core import ConfigMap, Namespace
from minik8s.api.meta import ObjectMeta

FOLDER = Path(__file__).parents[1] / "kubectl"
OLDEST = 27  # older ones are held to the core list alone
RAN: list[str] = []  # the versions that tests have used, for the report at the end
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Kubectl:
    """One kubectl of this machine."""

    program: Path
    minor: int


@functools.cache
def installed() -> list[Kubectl]:
    """Every kubectl there is, one of each version, oldest first."""
    first = shutil.which("kubectl") or _debians()
    beside = sorted(Path(first).resolve().parent.glob("kubectl.1.*"))
    found = {_minor(path): Kubectl(path, _minor(path)) for path in (Path(first).resolve(), *beside)}
    more = os.environ.get("MINIK8S_KUBECTL")  # one more, for trying it
    if more:
        found[_minor(Path(more))] = Kubectl(Path(more), _minor(Path(more)))
    RAN[:] = [f"1.{minor}" for minor in sorted(found)]
    return [found[minor] for minor in sorted(found)]


def _debians() -> str:
    packages.install("kubernetes-client")
    return "/usr/bin/kubectl"


def _minor(program: Path) -> int:
    said = subprocess.run([program, "version", "--client", "-o", "yaml"], capture_output=True, text=True, check=True)
    number = re.search(r"\d+", yaml.safe_load(said.stdout)["clientVersion"]["minor"])
    assert number, said.stdout
    return int(number[0])


class Terminal:
    """Where one kubectl is typed: a namespace, a home with a kubeconfig, `kubectl` on the path."""

    def __init__(self, cluster: Cluster, kubectl: Kubectl, folder: Path) -> None:
        self.kubectl, self.folder = kubectl, folder
        self.namespace = f"k{kubectl.minor}-{next(_numbers)}"
        self.client = cluster.connect()
        self.client.create(Namespace(metadata=ObjectMeta(name=self.namespace)), why=WHY)
        # What every namespace gets a moment after it was made, and whoever is too quick does not see.
        wait(self.client, (ConfigMap, self.namespace), lambda found: "kube-root-ca.crt" in found, PATIENCE_S)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "kubectl").symlink_to(kubectl.program)
        config = yaml.safe_load(cluster.where.kubeconfig.read_text())
        config["contexts"][0]["context"]["namespace"] = self.namespace
        (folder / "config").write_text(yaml.safe_dump(config))
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUBECONFIG": str(folder / "config"),
            "GOGC": "off",  # a program that ends at once need not collect garbage: a third of its work
            "SCRATCH": str(folder),
            "NAMESPACE": self.namespace,
            "SERVER": config["clusters"][0]["cluster"]["server"],
            "CA": str(self._authority(config["clusters"][0]["cluster"])),
        }

    def _authority(self, given: dict) -> Path:
        if "certificate-authority" in given:
            return Path(given["certificate-authority"])
        decoded = self.folder / "ca.crt"
        decoded.write_bytes(base64.b64decode(given["certificate-authority-data"]))
        return decoded

    def type(self, command: str) -> tuple[int, str]:
        """A line of shell; its exit code and all it printed."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=FOLDER / "files",
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=110,
            check=False,
        )
        return done.returncode, done.stdout.decode(errors="replace")

    def play(self, script: Transcript) -> list[str]:
        """What did not go as the transcript says; it goes on after a failure, so that one run shows them all."""
        wrong = []
        for step in script.for_minor(self.kubectl.minor):
            code, printed = self.type(step.command)
            if said := step.verdict(code, printed):
                wrong.append(f"1.{self.kubectl.minor}, line {step.line}: {step.command}\n  {said}\n{_indent(printed)}")
        return wrong

    def close(self) -> None:
        self.client.delete(Namespace, self.namespace, why=WHY)


def _indent(text: str) -> str:
    return "\n".join(f"    | {line[:300]}" for line in text.splitlines()[:60])
