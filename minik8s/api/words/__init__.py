"""What every field means, in a line or two: the text that `kubectl explain` shows. Pure, and in our own words.

One file for each part of the API; each is a table `WORDS`: type → {"": what it is, field: what it means to a Pod or a
packet}. Invariant (a test keeps it): every field of every type that a kind is made of has words here, and no other has.
A field without effect need not say so: `effects.py` knows, and `about` adds it. What a type inherits, such as
`metadata`, is said once, for the type it comes from.
"""

import msgspec

from minik8s.api import effects
from minik8s.api.words import (
    absent,
    access,
    apps,
    authentication,
    authorization,
    containers,
    core,
    jobs,
    meta,
    metrics,
    networking,
    nodes,
    pods,
    policy,
    references,
    sets,
    volumes,
)
from minik8s.api.words.table import Words

WORDS: Words = {
    **meta.WORDS,
    **core.WORDS,
    **nodes.WORDS,
    **pods.WORDS,
    **references.WORDS,
    **containers.WORDS,
    **volumes.WORDS,
    **apps.WORDS,
    **sets.WORDS,
    **jobs.WORDS,
    **policy.WORDS,
    **networking.WORDS,
    **access.WORDS,
    **authentication.WORDS,
    **metrics.WORDS,
    **authorization.WORDS,
    **absent.WORDS,
}


def about(cls: type[msgspec.Struct], field: str = "") -> str:
    """What a type is, or what a field of it means; KeyError if nobody wrote it down."""
    for each in cls.__mro__:
        said = WORDS.get(each, {}).get(field)
        if said is not None:
            return said + _idle(cls, field)
    raise KeyError(f"{cls.__name__}.{field}")


def _idle(cls: type[msgspec.Struct], field: str) -> str:
    """For a field that never does anything here, that it does not."""
    for each in effects.TABLE.get(cls, ()):
        if each.field == field and each.when is effects.always:
            return f" No effect in minik8s: {each.says}."
    return ""
