"""The real kubectl, in every version that this machine has, types what stands in `kubectl/*.txt`.

All versions play a transcript side by side, each in a namespace, a home and a context of its own; what changes a node
is played by one after the other. Read `support/transcript.py` for the form, then the transcripts.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import transcript
from support.cluster import Cluster
from support.kubectl import FOLDER, OLDEST, Kubectl, Terminal, installed

pytestmark = pytest.mark.system

TRANSCRIPTS = [transcript.read(path) for path in sorted(FOLDER.glob("*.txt"))]


@pytest.fixture(scope="module")
def versions() -> list[Kubectl]:
    return installed()


@pytest.fixture
def terminals(cluster: Cluster, versions: list[Kubectl], tmp_path: Path) -> Iterator[list[Terminal]]:
    with ThreadPoolExecutor(len(versions)) as pool:
        found = list(pool.map(lambda each: Terminal(cluster, each, tmp_path / f"1.{each.minor}"), versions))
        yield found
        list(pool.map(Terminal.close, found))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", TRANSCRIPTS, ids=[each.name for each in TRANSCRIPTS])
def test_every_version_of_kubectl_is_answered_as_written(
    script: transcript.Transcript, terminals: list[Terminal]
) -> None:
    players = [each for each in terminals if script.core or each.kubectl.minor >= OLDEST]
    with ThreadPoolExecutor(1 if script.alone else len(terminals)) as pool:
        wrong = [line for lines in pool.map(lambda each: each.play(script), players) for line in lines]
    assert not wrong, "\n\n".join(wrong)
