"""The root of the command line: quick, and helpful about a wrong word."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from minik8s.cli import main


def test_help_names_every_verb_and_imports_none() -> None:
    code = (
        "import sys; from minik8s.cli.main import root\n"
        "try: root.main(['--help'], 'minik8s')\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith(('docker', 'flask', 'grpc', 'msgspec', 'yaml', 'urllib3'))])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
    assert all(f"  {verb} " in out for verb in main.VERBS)


def test_a_wrong_verb_ends_with_a_hint() -> None:
    result = CliRunner().invoke(main.root, ["stat"])
    assert result.exit_code == 2 and "start" in result.output and "status" in result.output


@pytest.mark.parametrize("component", ["dns", "kube-proxy", "apiserver"])
def test_run_has_the_flags_of_the_components_options(component: str) -> None:
    result = CliRunner().invoke(main.root, ["run", component, "--help"])
    assert result.exit_code == 0
    assert ("--listen" if component == "apiserver" else "--node-ip") in result.output
