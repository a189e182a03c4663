"""Fixtures that several files of real-machine tests share; each stands with its helpers in `support/`."""

import itertools
from collections.abc import Iterator

import pytest
from support import kubectl
from support.apiserver import api, namespace
from support.cluster import Cluster, Space, default_name, fresh
from support.dnsbed import dns_bed

__all__ = ["api", "dns_bed", "namespace"]
_numbers = itertools.count(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which versions of kubectl the machine had; a run that had Debian's alone proves less."""
    if kubectl.RAN:
        terminalreporter.write_line(f"kubectl: {', '.join(kubectl.RAN)}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One cluster of three nodes for all tests that need a whole one; it is brought up for the first of them."""
    with fresh(default_name(), "--nodes", "3") as found:
        yield found


@pytest.fixture
def space(cluster: Cluster) -> Iterator[Space]:
    """A namespace of the test's own in the cluster."""
    found = Space(cluster, f"t{next(_numbers)}")
    yield found
    found.close()
