"""Where our own Engine lives, and where it cannot."""

from pathlib import Path

import pytest

from minik8s.cluster import engine, engine_process


def test_a_home_under_which_no_socket_would_fit_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(engine, "running_host", lambda: "")
    monkeypatch.setenv("MINIK8S_HOME", "/long" * 20)
    with pytest.raises(engine.EngineError, match="MINIK8S_HOME=/long"):
        engine_process.acquire("c")


def test_all_of_it_stands_below_the_home(monkeypatch):
    monkeypatch.setenv("MINIK8S_HOME", "/h")
    where = engine_process.place()
    assert {each.parent for each in (where.socket, where.exec, where.data, where.log)} == {Path("/h/engine")}
