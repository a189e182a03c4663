"""The README is true: what it tells people to type is typed here, line by line, in a shell."""

import re
import tempfile
from pathlib import Path

import pytest
from support.cluster import default_name

from minik8s.host import processes

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[2]


def commands() -> list[str]:
    """The indented block under "Ten minutes", without its comments."""
    section = (ROOT / "README.md").read_text().split("## Ten minutes")[1].split("\n## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+#.*$", "", line) for line in lines if line]


@pytest.mark.timeout(240)
def test_the_ten_minutes_of_the_readme_work_as_typed():
    lines = commands()
    assert lines[0] == "make setup" and lines[-1] == "minik8s down"
    script = "\n".join(["set -euo pipefail", "trap 'minik8s down' EXIT", *lines, "trap - EXIT"])
    with tempfile.TemporaryDirectory(prefix="mk8s-") as home:
        place = ["env", "-C", str(ROOT), f"MINIK8S_HOME={home}", f"MINIK8S_CLUSTER={default_name()}-readme"]
        told = processes.run([*place, "bash", "-c", script], check=False, timeout=220)
    assert told.code == 0, told.stdout + told.stderr
    for promised in (
        "3 nodes Ready",
        "service/web created",
        '"pod": "web-',
        "table ip minik8s",
        "requests to",
        "is gone",
    ):
        assert promised in told.stdout, f"{promised!r} is missing in:\n{told.stdout}"
