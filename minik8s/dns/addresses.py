"""Addresses as names write them: with dashes in one label, or backwards in the reverse trees. Pure.

Read next: plan.py.
"""

import ipaddress

from minik8s.dns.records import Labels

REVERSE_V4: Labels = ("in-addr", "arpa")
REVERSE_V6: Labels = ("ip6", "arpa")


def packed(address: str) -> bytes | None:
    """The address as bytes, in either family; None for what is no address, or one of a single link (fe80::1%eth0)."""
    if "%" in address:
        return None
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return None


def dashed(address: bytes) -> str:
    """An address as a label: 10.244.1.5 → 10-244-1-5. No label ends in a dash, so fd00:: becomes fd00--0."""
    label = str(ipaddress.ip_address(address)).replace(".", "-").replace(":", "-")
    if label.startswith("-"):
        label = "0" + label
    return label + "0" if label.endswith("-") else label


def undashed(label: str) -> bytes | None:
    """The address that a Pod's label stands for: 10-244-1-5, or fd00-244--5.

    Exactly as an address is written, no zero before it.
    """
    return packed(label.replace("-", ".")) or packed(label.replace("-", ":"))


def prefix(labels: Labels, tree: Labels) -> tuple[bytes, bool] | None:
    """What a name below a reverse tree says of an address: 1.244.10 → the bytes 10 244 1.

    With it, whether half a byte is said beyond these (in ip6.arpa each label is half a byte); its bits are the high
    ones of one more byte. None for what is no part of an address.
    """
    digits = tuple(reversed(labels))
    if tree == REVERSE_V4:
        if len(digits) > 4 or not all(_is_byte(digit) for digit in digits):
            return None
        return bytes(int(digit) for digit in digits), False
    if len(digits) > 32 or not all(len(digit) == 1 and digit in "0123456789abcdef" for digit in digits):
        return None
    half = len(digits) % 2 == 1
    return bytes.fromhex("".join(digits) + ("0" if half else "")), half


def _is_byte(text: str) -> bool:
    """0-255, without leading zeros."""
    return text.isascii() and text.isdigit() and len(text) < 4 and str(int(text)) == text and int(text) < 256
