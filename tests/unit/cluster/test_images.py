"""The images: the same bytes each time, a pause program that ends when told to, and no import of what is there."""

import io
import os
import signal
import struct
import tarfile
from pathlib import Path

import pytest

from minik8s import params
from minik8s.cluster import images
from minik8s.cluster.images import pause, toolbox
from minik8s.cluster.images.tar import Entry, pack
from minik8s.host import processes


class Engine:
    """An Engine that remembers labels."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.imports: list[str] = []

    def architecture(self) -> str:
        return "x86_64"

    def image_label(self, image: str, label: str) -> str:
        return self.labels.get(f"{image} {label}", "")

    def import_image(self, image: str, layer: bytes, changes: list[str]) -> None:
        self.imports.append(image)
        for change in changes:
            if change.startswith("LABEL "):
                name, _, value = change.removeprefix("LABEL ").partition("=")
                self.labels[f"{image} {name}"] = value


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("aarch64", 183)])
def test_the_pause_program_is_a_small_elf_file_for_the_engines_machine(architecture: str, machine: int) -> None:
    program = pause.program(architecture)
    assert program[:4] == b"\x7fELF" and struct.unpack_from("<H", program, 18)[0] == machine
    assert len(program) < 512
    assert struct.unpack_from("<Q", program, 24)[0] == pause.LOAD_ADDRESS + pause.CODE


def test_an_architecture_without_a_pause_program_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="riscv64"):
        pause.program("riscv64")


@pytest.mark.skipif(os.uname().machine not in ("x86_64", "aarch64"), reason="runs on the machine it is for")
def test_the_pause_program_waits_until_it_is_told_to_end(tmp_path: Path) -> None:
    file = tmp_path / "pause"
    file.write_bytes(pause.program(os.uname().machine))
    file.chmod(0o755)
    child = processes.spawn([str(file)])
    # The signal's handler is set by the first instructions; until then TERM would kill instead of end.
    status = Path(f"/proc/{child.pid}/status")
    while f"SigCgt:\t{1 << 14 | 1 << 1:016x}" not in status.read_text():
        pass
    child.send_signal(signal.SIGTERM)
    assert child.wait(5) == 0


def test_the_same_content_gives_the_same_archive_in_whatever_order() -> None:
    entries = [Entry("b/c", data=b"x"), Entry("a", target="b/c"), Entry("tmp", mode=0o1777, directory=True)]
    assert pack(entries) == pack(reversed(entries))
    with tarfile.open(fileobj=io.BytesIO(pack(entries))) as tar:
        assert tar.getnames() == ["a", "b", "b/c", "tmp"]
        assert {(member.uid, member.gid, member.mtime) for member in tar} == {(0, 0, 0)}


def test_an_image_that_is_there_is_not_imported_again() -> None:
    engine = Engine()
    assert images.load_pause(engine) == [params.PAUSE_IMAGE]
    assert images.load_pause(engine) == []
    assert engine.imports == [params.PAUSE_IMAGE]


def test_an_archive_is_built_again_only_when_something_it_is_made_of_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "program"
    source.write_bytes(b"one")
    monkeypatch.setattr(toolbox, "closure", lambda: {"usr/bin/program": str(source)})
    monkeypatch.setattr(toolbox, "_fixed", list)
    path, first = toolbox.archive(tmp_path / "cache")
    built = path.stat().st_mtime_ns
    assert toolbox.archive(tmp_path / "cache") == (path, first) and path.stat().st_mtime_ns == built
    source.write_bytes(b"three")
    assert toolbox.archive(tmp_path / "cache")[1] != first
