"""A kernel without IPVS is told so by name, before anything is changed; `make test-vm` proves the rest."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from minik8s.host import sysctl
from minik8s.proxy import ipvs

pytestmark = pytest.mark.system
without_ipvs = pytest.mark.skipif(sysctl.exists(ipvs.SETTING), reason="this kernel has IPVS: nothing to refuse")

# An API server that nobody is: the proxy ends before it asks.
NOWHERE = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
}


def refused(home: Path, *words: str) -> str:
    """What `minik8s …` says on a machine whose modprobe finds nothing."""
    empty = home / "bin"
    empty.mkdir()
    environment = {**os.environ, "MINIK8S_HOME": str(home / "state"), "PATH": f"{empty}:{os.environ['PATH']}"}
    (empty / "modprobe").write_text("#!/bin/sh\necho FATAL: Module ip_vs not found >&2\nexit 1\n")
    (empty / "modprobe").chmod(0o755)
    argv = [sys.executable, "-m", "minik8s.cli.main", *words]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1 and "Traceback" not in done.stderr, (done.stdout, done.stderr)
    return done.stderr


@without_ipvs
def test_up_refuses_ipvs_by_name_and_leaves_nothing_behind(tmp_path: Path) -> None:
    said = refused(tmp_path, "up", "--name", f"v{os.getpid()}", "--proxy-mode", "ipvs")
    assert "this machine cannot carry a cluster" in said
    assert "--proxy-mode ipvs: the kernel has no IPVS (module ip_vs: " in said
    assert "Module ip_vs not found): --proxy-mode nftables, or a kernel with it" in said
    assert not (tmp_path / "state").exists()


@without_ipvs
def test_a_proxy_told_to_use_ipvs_ends_with_the_reason_and_uses_nothing_else(tmp_path: Path) -> None:
    config = tmp_path / "nowhere.conf"
    config.write_text(json.dumps(NOWHERE))
    said = refused(tmp_path, "run", "kube-proxy", "--kubeconfig", str(config), "--node", "n", "--proxy-mode", "ipvs")
    assert "--proxy-mode ipvs: this kernel has no IPVS (module ip_vs: " in said
    assert "Nothing was changed. Use --proxy-mode nftables" in said
