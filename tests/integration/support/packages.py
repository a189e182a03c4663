"""Debian packages that a single test wants, and nobody who only uses minik8s."""

from minik8s.host import processes


def install(*names: str) -> None:
    """Install them now; waits for whoever else is installing."""
    words = ["apt-get", "-qy", "-o", "DPkg::Lock::Timeout=300", "install", "--no-install-recommends"]
    processes.run([*words, *names], timeout=300)
