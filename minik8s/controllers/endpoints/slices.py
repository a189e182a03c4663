"""Spreading endpoints over slices of a hundred with as few writes as possible. Pure.

Every write of a slice is sent to every node, so the aim is not the fewest slices but the fewest changes: an endpoint
stays in the slice where it is; what is new goes into a slice that changes anyway, else into one with room, else into
a new one; a slice that became empty is filled again before another is made. Invariants: each wanted endpoint is in
exactly one slice; no slice holds more than the limit; a Service always has at least one slice for each address
family. Source: KEP-752. Read `plan.py` next.
"""

from dataclasses import dataclass, field

from minik8s.api.discovery import Endpoint, EndpointSlice
from minik8s.controllers.endpoints.addresses import Port

# Endpoints that can share a slice: of one family and with the same port numbers.
Group = tuple[str, tuple[Port, ...]]


@dataclass(eq=False)
class Sheet:
    """A slice on the drawing board: what stands there now (`old`, None for a new one), and what is to stand there.

    `wanted` is False for one that belongs to no group any more.
    """

    group: Group
    old: EndpointSlice | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    wanted: bool = True

    @property
    def changed(self) -> bool:
        return self.old is None or self.old.endpoints != self.endpoints or group_of(self.old) != self.group


def group_of(each: EndpointSlice) -> Group:
    """What kind of endpoints this slice holds."""
    ports = tuple((port.name or "", port.protocol or "TCP", port.port or 0, port.appProtocol) for port in each.ports)
    return (each.addressType, ports)


def identity(endpoint: Endpoint) -> tuple[str, str]:
    """Two endpoints with the same identity are the same Pod at the same address, perhaps in another condition."""
    return (endpoint.targetRef.uid if endpoint.targetRef else "", endpoint.addresses[0])


def spread(wanted: dict[Group, list[Endpoint]], current: list[EndpointSlice], limit: int) -> list[Sheet]:
    """All slices as they should be, in order of name. A group without endpoints asks for a placeholder."""
    sheets = []
    unused = [each for each in current if group_of(each) not in wanted]
    for group in sorted(wanted, key=str):
        mine = [each for each in current if group_of(each) == group]
        sheets += _spread_group(group, wanted[group], mine, limit) or [Sheet(group)]
    _reuse(sheets, unused)
    return sheets + [Sheet(group_of(each), each, wanted=False) for each in unused]


def _spread_group(group: Group, wanted: list[Endpoint], current: list[EndpointSlice], limit: int) -> list[Sheet]:
    missing = {identity(each): each for each in wanted}
    sheets = []
    for old in current:
        sheet = Sheet(group, old)
        for endpoint in old.endpoints:
            stays = missing.pop(identity(endpoint), None) if endpoint.addresses else None
            if stays is not None and len(sheet.endpoints) < limit:
                sheet.endpoints.append(stays)
        sheets.append(sheet)
    _place(list(missing.values()), sheets, group, limit)
    return sheets


def _place(missing: list[Endpoint], sheets: list[Sheet], group: Group, limit: int) -> None:
    # Slices that change anyway come first, the fullest of them before the others; then the fullest that still has room.
    for sheet in sorted(sheets, key=lambda sheet: (not sheet.changed, -len(sheet.endpoints))):
        room = limit - len(sheet.endpoints)
        sheet.endpoints += missing[:room]
        missing = missing[room:]
    for start in range(0, len(missing), limit):
        sheets.append(Sheet(group, None, missing[start : start + limit]))


def _reuse(sheets: list[Sheet], unused: list[EndpointSlice]) -> None:
    """Give new sheets the objects of slices nobody needs: one write instead of two, and no moment with neither."""
    for sheet in sheets:
        if sheet.old is None:
            spare = next((each for each in unused if each.addressType == sheet.group[0]), None)
            if spare is not None:
                unused.remove(spare)
                sheet.old = spare


def surplus(sheets: list[Sheet]) -> list[Sheet]:
    """Sheets whose slice is to be deleted: empty ones, except one of each family that is wanted, as a placeholder."""
    gone = []
    for family in sorted({sheet.group[0] for sheet in sheets}):
        mine = [sheet for sheet in sheets if sheet.group[0] == family]
        empty = [sheet for sheet in mine if not sheet.endpoints]
        keep_one = len(empty) == len(mine) and any(sheet.wanted for sheet in mine)
        gone += empty[1:] if keep_one else empty
    return gone
