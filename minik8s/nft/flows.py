"""Connections as the kernel's tracking knows them, chosen by where their answers come from."""

from dataclasses import dataclass

ANY = ("0.0.0.0", "::")


@dataclass(frozen=True, order=True)
class Flows:
    """All connections whose answers come from this address and port; of an address of `ANY`: from this port, in its
    family.
    """

    proto: str
    address: str
    port: int
