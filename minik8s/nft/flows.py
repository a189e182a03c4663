"""Connections as the kernel's tracking knows them, chosen by where their answers come from."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Flows:
    """All connections whose answers come from this address and port; without address: from this port of any."""

    proto: str
    address: str
    port: int
