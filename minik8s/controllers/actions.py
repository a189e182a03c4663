"""What a plan is made of: create, patch, delete, and tell people.

An action is a value. Plans return lists of them, tests compare them, `context.py` carries them out. Invariants: every
write says why (`because`) and may name objects that made the difference (`seen`); every deletion names the uid it
means, so that an object that was replaced meanwhile is left alone.
"""

from dataclasses import dataclass, field
from typing import Any

from minik8s.api.meta import Object


@dataclass(frozen=True)
class Tell:
    """An Event about an object, for people. `{name}` in the message becomes the name of what was just written."""

    about: Object
    reason: str
    message: str
    type: str = "Normal"


@dataclass(frozen=True)
class Create:
    """Make this object."""

    obj: Object
    because: str
    tell: Tell | None = None
    seen: tuple[Object, ...] = ()


@dataclass(frozen=True)
class Patch:
    """Merge `patch` into `target`. Its resourceVersion is a condition only where the patch itself carries one."""

    target: Object
    patch: dict[str, Any] = field(hash=False)
    because: str
    subresource: str = ""
    tell: Tell | None = None
    seen: tuple[Object, ...] = ()


@dataclass(frozen=True)
class Delete:
    """Delete `target`, and nothing else that may have its name by then."""

    target: Object
    because: str
    grace: int | None = None
    propagation: str = ""
    tell: Tell | None = None
    seen: tuple[Object, ...] = ()


Action = Create | Patch | Delete | Tell
"""An empty list of these means that the world has converged."""
