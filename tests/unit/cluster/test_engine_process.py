"""Our own Docker Engine: told to leave the network alone, and its leftovers recognised."""

import json
from pathlib import Path

import pytest

from minik8s.cluster import engine, engine_process
from minik8s.cluster.engine_process import Place
from minik8s.host import mounts

MOUNTINFO = """\
22 1 0:20 / / rw - ext4 /dev/vda rw
90 22 0:50 / /h/engine/data/overlay2/a/merged rw - overlay overlay rw
91 90 0:51 / /h/engine/data/overlay2/a/merged/proc rw - proc proc rw
92 22 0:52 / /h/engine-of-another rw - tmpfs tmpfs rw
93 22 0:53 / /h/engine/with\\040blank rw - tmpfs tmpfs rw
"""


def test_our_engine_makes_no_bridge_and_no_rule() -> None:
    words = engine_process.arguments(Place(Path("/h/engine")))
    for word in ("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--live-restore"):
        assert word in words
    assert "unix:///h/engine/docker.sock" in words and "/h/engine/data" in words


def test_mounts_below_a_directory_are_found_innermost_first() -> None:
    assert mounts.under("/h/engine", MOUNTINFO) == [
        "/h/engine/with blank",
        "/h/engine/data/overlay2/a/merged/proc",
        "/h/engine/data/overlay2/a/merged",
    ]


def test_a_cluster_whose_state_was_removed_by_hand_does_not_hold_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIK8S_HOME", str(tmp_path))
    where = engine_process.place()
    where.root.mkdir()
    (tmp_path / "here").mkdir()
    where.users.write_text(json.dumps(["gone", "here"]))
    assert engine_process.uses("here") and not engine_process.uses("gone")


def test_a_socket_that_nobody_serves_is_no_engine(tmp_path: Path) -> None:
    assert not engine.answers(tmp_path / "docker.sock")


def test_a_named_engine_is_taken_at_its_word() -> None:
    assert engine.running_host({"DOCKER_HOST": "unix:///x.sock"}) == "unix:///x.sock"
