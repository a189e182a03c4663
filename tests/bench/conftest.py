"""The cluster that the measurements share. They print figures and assert no more than sanity: machines differ."""

from collections.abc import Iterator

import pytest
from support.cluster import Cluster, Space, fresh


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with fresh("bench", "--nodes", "3") as found:
        yield found


@pytest.fixture
def space(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Space]:
    found = Space(cluster, request.node.name.replace("_", "-")[:40].strip("-"))
    yield found
    found.close()
