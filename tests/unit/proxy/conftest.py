"""Golden files: the exact rule sets of `golden/*.nft`, rewritten only by `pytest tests/unit/proxy --golden`."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the golden rule sets anew; review the difference")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with its golden file."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.nft"
        # Without `--golden` on the command line the option may be unknown: this file is then loaded too late to add it.
        if request.config.getoption("--golden", False):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert text == path.read_text(), f"{path.name} differs; if that is meant: pytest tests/unit/proxy --golden"

    return check
