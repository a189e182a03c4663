"""The list in `metadata.managedFields`: what becomes of it when somebody updates the object, and when somebody applies.

Invariants: what an update changes is then owned by its author alone; an apply owns exactly what it states, beside
others who state the same; a manager without fields is not listed; a time changes only with the set that it is of. Read
`walk.py` and `merge.py` for the sets and for the object of an apply.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from minik8s.api.meta import ManagedFieldsEntry
from minik8s.api.ownership.fieldset import EMPTY, Fields, common, is_wellformed, members, minus, union
from minik8s.api.ownership.merge import merge, prune
from minik8s.api.ownership.paths import written
from minik8s.api.ownership.walk import compare, owned

Cls = type[msgspec.Struct]
Plain = dict[str, Any]

MAX_UPDATERS = 10  # who only ever updates, a new name each time, fills no object: the eldest are taken together
ANCIENT = "ancient-changes"
BEFORE = "before-first-apply"  # owns what was there before anybody was written down


@dataclass(frozen=True)
class Manager:
    """Who writes, how ("Apply" or "Update"), in which version of the API, through which subresource."""

    name: str
    operation: str
    apiVersion: str
    subresource: str = ""

    def __str__(self) -> str:
        said = msgspec.json.encode(self.name).decode()
        if self.subresource:
            said += f" with subresource {msgspec.json.encode(self.subresource).decode()}"
        return f"{said} using {self.apiVersion}" if self.operation == "Update" else said


@dataclass(frozen=True)
class Held:
    """What a manager owns, and since when it is just that."""

    fields: Fields
    time: str


Managers = dict[Manager, Held]


class Conflicts(Exception):
    """An apply would change what others own: which field, and whose it is."""

    def __init__(self, found: list[tuple[Manager, str]]) -> None:
        super().__init__(_message(found))
        self.found = found


def _message(found: list[tuple[Manager, str]]) -> str:
    if len(found) == 1:
        manager, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {path}"
    lines = []
    for manager in dict.fromkeys(manager for manager, _ in found):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {path}" for each, path in found if each == manager]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


# --- the list and its meaning -----------------------------------------------------------------------------------------


def read(entries: Iterable[ManagedFieldsEntry] | None, trusted: bool = False) -> Managers | None:
    """The meaning of a list; None when it has none. What the server wrote itself can be trusted to have one."""
    found: Managers = {}
    for each in entries or ():
        if each.operation not in ("Apply", "Update") or each.fieldsType != "FieldsV1":
            return None
        if not trusted and not is_wellformed(each.fieldsV1 or {}):
            return None
        manager = Manager(each.manager, each.operation, each.apiVersion, each.subresource)
        found[manager] = Held(each.fieldsV1 or {}, each.time or "")
    return found


def write(managers: Managers) -> list[ManagedFieldsEntry]:
    """The list, in upstream's order: who applies first, then the eldest."""

    def place(pair: tuple[Manager, Held]) -> tuple[str, ...]:
        manager, held = pair
        return manager.operation, held.time, manager.name, manager.apiVersion, manager.subresource

    return [
        ManagedFieldsEntry(
            manager=manager.name,
            operation=manager.operation,
            apiVersion=manager.apiVersion,
            time=held.time or None,
            fieldsType="FieldsV1",
            fieldsV1=held.fields,
            subresource=manager.subresource,
        )
        for manager, held in sorted(_capped(managers).items(), key=place)
        if held.fields
    ]


def _capped(managers: Managers) -> Managers:
    updaters = [each for each in managers if each.operation == "Update"]
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return managers
    result = dict(managers)
    for manager in sorted(updaters, key=lambda each: managers[each].time)[: surplus + 1]:
        bucket = Manager(ANCIENT, "Update", manager.apiVersion)
        held, known = result.pop(manager), result.get(bucket, Held(EMPTY, ""))
        result[bucket] = Held(union(known.fields, held.fields), max(known.time, held.time))
    return result


# --- what becomes of it -----------------------------------------------------------------------------------------------


def update(managers: Managers, cls: Cls, objects: tuple[Plain, Plain], me: Manager, now: str) -> Managers:
    """Somebody has turned the first object into the second."""
    changed, gone = compare(cls, *objects)
    if not changed and not gone:
        return managers
    result = _taken(managers, me, union(changed, gone))
    before = managers.get(me, Held(EMPTY, ""))
    mine = union(minus(before.fields, gone), changed)
    result[me] = Held(mine, before.time if mine == before.fields else now)
    return result


def _taken(managers: Managers, me: Manager, fields: Fields) -> Managers:
    """The fields belong to nobody else any more."""
    return {
        manager: held if manager == me else replace(held, fields=minus(held.fields, fields))
        for manager, held in managers.items()
    }


@dataclass(frozen=True)
class Stated:
    """One apply: what it states, whether it takes what is others', and what it may take without being forced."""

    obj: Plain
    me: Manager
    force: bool = False
    allowed: Fields | None = None


def apply(managers: Managers, cls: Cls, live: Plain, stated: Stated, now: str) -> tuple[Plain, Managers]:
    """The object and the managers after an apply. Raises Conflicts, merge.Doubled."""
    me = stated.me
    if not managers and live:
        first = Manager(BEFORE, "Update", me.apiVersion)
        managers = {first: Held(compare(cls, {}, live)[0], now)}
    before = managers.get(me, Held(EMPTY, ""))
    mine = owned(cls, stated.obj)
    others = [held.fields for manager, held in managers.items() if manager != me]
    everybodys = mine
    for fields in others:
        everybodys = union(everybodys, fields)
    obj = prune(cls, merge(cls, live, stated.obj), before.fields, everybodys)
    changed, gone = compare(cls, live, obj)
    taken = gone
    conflicts = {manager: common(held.fields, changed) for manager, held in managers.items() if manager != me}
    if any(conflicts.values()):
        _check(conflicts, stated)
        taken = union(changed, gone)
    result = _taken(managers, me, taken) if taken else dict(managers)
    result[me] = Held(mine, before.time if mine == before.fields and before.time else now)
    return obj, result


def _check(conflicts: dict[Manager, Fields], stated: Stated) -> None:
    found = [(manager, path) for manager, fields in conflicts.items() for path in members(fields)]
    if stated.force:
        return
    if stated.allowed is not None and not any(minus(fields, stated.allowed) for fields in conflicts.values()):
        return
    raise Conflicts(sorted(((manager, written(path)) for manager, path in found), key=lambda pair: str(pair[0])))
