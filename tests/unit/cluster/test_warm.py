"""What the zygote does before it forks."""

import threading
from pathlib import Path

from minik8s.api import kinds
from minik8s.api.codec import _decoders
from minik8s.cluster import pki, state, warm


def test_everything_is_ready_before_the_fork_and_no_thread_was_started(tmp_path: Path) -> None:
    where = state.Paths(tmp_path / "c")
    where.make()
    pki.ensure(where, 6443, {})
    before = threading.active_count()
    warm.warm(where.pki)
    assert threading.active_count() == before
    assert set(kinds.KINDS) <= set(_decoders)
