"""An address is lent for as long as its Lease is ours, however slow this process is."""

import pytest

from minik8s.host import clock, netlink
from minik8s.proxy.lan import Lan

A, WHOLE = "192.168.56.200", "192.168.56.200/32"


class Kernel:
    """Addresses with the moment at which the kernel takes them away; telling it may take a while."""

    def __init__(self) -> None:
        self.now, self.ends, self.held = 100.0, {}, [0.0]

    def lend(self, link: str, address: str, seconds: int, proto: int) -> None:
        self.now += self.held.pop(0)
        self.ends[address] = self.now + seconds

    def delete(self, link: str, address: str) -> None:
        self.ends.pop(address)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(clock, "monotonic", lambda: made.now)
    monkeypatch.setattr(netlink, "link_of", lambda address: "eth0")
    monkeypatch.setattr(netlink, "lend_address", made.lend)
    monkeypatch.setattr(netlink, "lent_addresses", lambda proto: dict.fromkeys(made.ends, "eth0"))
    monkeypatch.setattr(netlink, "delete_address", made.delete)
    return made


@pytest.mark.parametrize(
    ("until", "held", "ends"),
    [
        (103.5, [0.0], 103),
        (103.5, [0.4, 0.0], 103.4),  # there was half a second to spare
        (103.5, [2.0, 0.0], 103),  # stopped before the kernel was told: told again
        (103.5, [9.0], None),  # and so long that it is over
        (100.5, [], None),
    ],
)
def test_no_address_outlives_its_lease(kernel: Kernel, until: float, held: list[float], ends: float | None) -> None:
    kernel.held = held
    Lan([A]).lend(A, until)
    assert kernel.ends.get(WHOLE) == ends
