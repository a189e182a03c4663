"""Every field of the API has words, and no words are left over: `kubectl explain` never has nothing to say."""

from typing import get_args, get_type_hints

import msgspec

from minik8s.api import effects, kinds, words
from minik8s.api.core import NodeSpec, ServiceSpec
from minik8s.api.meta import DeleteOptions, ListMeta, Object, Status
from minik8s.api.pods import Pod, PodSpec
from minik8s.apiserver.wire.operations import BODIES

# What is described beside the kinds: the bodies of subresources, the answer to everything, the question of a deletion.
ROOTS = (*kinds.ALL, *BODIES.values(), Object, Status, DeleteOptions, ListMeta)


def types(hint, found):
    """All types that a type is made of."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint not in found:
        found.add(hint)
        hints = get_type_hints(hint)
        for field in msgspec.structs.fields(hint):
            types(hints[field.name], found)
    for inner in get_args(hint):
        types(inner, found)
    return found


def reachable():
    found = set()
    for root in ROOTS:
        types(root, found)
    return found


def described(cls, field=""):
    try:
        return bool(words.about(cls, field))
    except KeyError:
        return False


def own(cls):
    """The type's own name and fields, and not those that it inherits with their words."""
    inherited = {name for base in cls.__mro__[1:] for name in words.WORDS.get(base, {}) if name}
    return {"", *(field.encode_name for field in msgspec.structs.fields(cls))} - inherited


def test_every_type_and_every_field_has_words():
    wanted = [
        (cls, name) for cls in reachable() for name in ("", *(f.encode_name for f in msgspec.structs.fields(cls)))
    ]
    assert sorted(f"{cls.__name__}.{name}" for cls, name in wanted if not described(cls, name)) == []


def test_no_words_are_left_over():
    found = reachable()
    assert {cls.__name__ for cls in words.WORDS if cls not in found} == set()
    leftover = {f"{cls.__name__}.{name}" for cls, said in words.WORDS.items() for name in said if name not in own(cls)}
    assert leftover == set()


def test_words_are_sentences():
    for cls, said in words.WORDS.items():
        for name, text in said.items():
            assert text[-1] in ".…", (cls.__name__, name, text)
            assert "  " not in text and "\n" not in text, (cls.__name__, name, text)


def test_a_field_without_effect_says_so():
    (told,) = [each for each in effects.TABLE[NodeSpec] if each.field == "providerID"]
    assert words.about(NodeSpec, "providerID").endswith(f"No effect in minik8s: {told.says}.")


def test_a_field_that_counts_only_sometimes_is_not_called_idle():
    assert "No effect" not in words.about(ServiceSpec, "externalName")
    assert "No effect" not in words.about(PodSpec, "nodeName")


def test_what_is_inherited_has_the_words_of_where_it_comes_from():
    assert words.about(Pod, "metadata") == words.about(Object, "metadata")
    assert words.about(Pod) != words.about(Object)
