"""Typed objects and their managers: what an update leaves in `metadata.managedFields`.

A client may write the list itself, as it does when it takes over from another manager: then that is what the update
starts from. An empty list, or one with an empty entry, forgets everybody. Read `managers.py` for the rules.
"""

from dataclasses import dataclass

import msgspec

from minik8s.api.meta import ManagedFieldsEntry, Object, ObjectMeta
from minik8s.api.ownership import managers, walk
from minik8s.api.ownership.managers import Manager, Managers, Plain


@dataclass(frozen=True)
class Author:
    """Who writes: the name of the field manager, the subresource it writes through, and the time."""

    name: str
    now: str
    subresource: str = ""

    def manager(self, obj: Object, operation: str) -> Manager:
        return Manager(self.name, operation, obj.resource.apiVersion, self.subresource)


def record(new: Object, old: Object | None, author: Author) -> None:
    """Make the author the owner of what differs, in place."""
    known = basis(new, old, author)
    objects = _differing(old, new, author.subresource == "status")
    after = managers.update(known, type(new), objects, author.manager(new, "Update"), author.now)
    new.metadata.managedFields = managers.write(after) or None


def _differing(old: Object | None, new: Object, status: bool) -> tuple[Plain, Plain]:
    """Both objects as plain values, without what is equal in them: most of a write is. Of a list that is one value (a
    slice has a hundred endpoints) it is enough that it differs.

    The status belongs to whoever writes it through its own subresource; what a new object's says is the server's word.
    """
    before, after = Plain(), Plain()
    for name in new.__struct_fields__:
        if name in walk.UNOWNED or (name == "status" and not status):
            continue
        was, now = getattr(old, name) if old else None, getattr(new, name)
        if name == "metadata":
            was, now = was and _ownable(was), _ownable(now)
        if was != now:
            whole = walk.is_whole_list(type(new), name)
            for half, value in ((before, was), (after, now)):
                if value or isinstance(value, msgspec.Struct):  # what is empty is not written
                    half[name] = [half is after] if whole else msgspec.to_builtins(value)
    return before, after


def _ownable(metadata: ObjectMeta) -> Plain:
    fields = ("labels", "annotations", "ownerReferences", "finalizers")
    return {field: value for field in fields if (value := getattr(metadata, field))}


def basis(new: Object, old: Object | None, author: Author) -> Managers:
    """Whom a write starts from: those the client says, else those there were."""
    said, before = new.metadata.managedFields, old.metadata.managedFields if old else None
    if said is not None and not author.subresource and said != before:
        if said in ([], [ManagedFieldsEntry()]):
            return {}
        given = managers.read(said)
        if given:
            return given
    return managers.read(before, trusted=True) or {}
