"""Names, the record, and what `up` makes of both."""

from dataclasses import replace
from pathlib import Path

import pytest

from minik8s.cluster import engine, launch, state
from minik8s.cluster.up import Wish, merge


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"MINIK8S_CLUSTER": "lab"}, "lab"),
        ({"MINIK8S_CLUSTER": "lab", "SUDO_USER": "ada"}, "lab"),
        ({"SUDO_USER": "ada", "USER": "root"}, "ada"),
        ({"USER": "ada"}, "ada"),
        ({"SUDO_USER": "Ada.Lovelace"}, "ada-lovelace"),
        ({}, "root"),
    ],
)
def test_the_default_name_is_the_users(environ: dict[str, str], name: str) -> None:
    assert state.default_name(environ) == name


@pytest.mark.parametrize("name", ["", "Lab", "-lab", "lab-", "a" * 21, "../etc", "a/b", "a b"])
def test_a_name_that_could_not_stand_in_a_path_or_a_label_is_refused(name: str) -> None:
    with pytest.raises(state.StateError):
        state.paths(name)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    where = state.Paths(tmp_path / "c")
    where.make()
    record = state.Record("c", ("node-1", "node-2"), 6443, "kubernetes", ("dns",), "unix:///x")
    state.write(where, record)
    assert state.read(where) == record


def test_data_of_another_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    where = state.Paths(tmp_path / "c")
    where.make()
    where.record.write_text('{"format": 99}')
    with pytest.raises(state.StateError, match="--fresh"):
        state.read(where)


def test_two_cannot_work_on_one_cluster_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINIK8S_HOME", str(tmp_path))
    monkeypatch.setattr(state, "RUN", tmp_path / "run")
    with state.lock("c"):
        with pytest.raises(state.StateError, match="another minik8s"), state.lock("c"):
            pass
        with state.lock("d"):
            pass
    assert not list((tmp_path / "run").iterdir()), "where there is no cluster, nothing of its lock is left"


def test_a_lock_that_its_holder_takes_away_meanwhile_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINIK8S_HOME", str(tmp_path))
    monkeypatch.setattr(state, "RUN", tmp_path / "run")
    path, calls = tmp_path / "run" / "c.lock", []

    def late(file, how) -> None:
        calls.append(how)
        flock(file, how)
        if len(calls) == 1:
            path.unlink()

    flock = state.fcntl.flock
    monkeypatch.setattr(state.fcntl, "flock", late)
    with state.lock("c"):
        assert len(calls) == 2 and path.exists()
        with pytest.raises(state.StateError, match="another minik8s"), state.lock("c"):
            pass


def test_a_name_that_another_home_uses_is_refused_until_that_cluster_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "RUN", tmp_path / "run")
    one, other = tmp_path / "one", tmp_path / "other"
    record = one / "c" / "cluster.json"
    record.parent.mkdir(parents=True)
    record.touch()
    monkeypatch.setenv("MINIK8S_HOME", str(one))
    with state.lock("c"):
        pass
    monkeypatch.setenv("MINIK8S_HOME", str(other))
    with pytest.raises(state.StateError, match=f"MINIK8S_HOME={one}"), state.lock("c"):
        pass
    record.unlink()
    with state.lock("c"):
        pass


def test_a_resumed_cluster_is_what_it_was_unless_asked_otherwise() -> None:
    known = state.Record("c", ("node-1", "node-2"), 6443, "kubernetes", ("dns",))
    assert merge(known, Wish("c")) == known
    assert merge(known, Wish("c", nodes=3)).nodes == ("node-1", "node-2", "node-3")
    assert merge(known, Wish("c", profile="fast")).profile == "fast"
    assert merge(known, Wish("c", proxy_mode="ipvs")).proxy_mode == "ipvs"
    assert merge(replace(known, proxy_mode="ipvs"), Wish("c")).proxy_mode == "ipvs"
    named = merge(known, Wish("c", dns_ttl=0, dns_pods="verified"))
    assert (named.dns_ttl, named.dns_pods) == (0, "verified") and merge(named, Wish("c")) == named
    assert merge(None, Wish("c")).nodes == ("node-1", "node-2", "node-3")


def test_a_cluster_does_not_shrink_by_the_way() -> None:
    with pytest.raises(state.StateError, match="--fresh"):
        merge(state.Record("c", ("node-1", "node-2")), Wish("c", nodes=1))


def test_what_is_left_out_is_not_expected() -> None:
    record = state.Record("c", ("node-1",), without=("proxy", "scheduler"))
    assert launch.expected(record) == ["etcd", "apiserver", "controllers", "agent@node-1", "dns@node-1"]


def test_upstreams_names_are_understood() -> None:
    assert launch.canonical("kubelet@node-2") == "agent@node-2"
    assert launch.canonical("kube-apiserver") == "apiserver"


@pytest.mark.parametrize("name", ["kubelet", "apiserver@node-1", "scheduler@", "etcdd", "proxy@"])
def test_a_component_at_the_wrong_place_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        launch.canonical(name)


def test_an_engine_in_another_kernel_is_refused_by_name() -> None:
    desktop = {"OperatingSystem": "Docker Desktop", "KernelVersion": "6.6.12-linuxkit"}
    with pytest.raises(engine.EngineError, match="Docker Desktop"):
        engine.refuse_foreign(desktop, "6.1.0")
    engine.refuse_foreign({"OperatingSystem": "Debian GNU/Linux 12", "KernelVersion": "6.1.0"}, "6.1.0")
