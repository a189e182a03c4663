"""What was probably meant: words that are nearly right, and labels that nearly match. Pure.

Read next: doctor/objects.py and ../cli/hints.py, which tell it.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence

from minik8s.api.selectors import format_labels, matches

Labels = Mapping[str, str]
CLOSE = 0.6  # difflib's measure of likeness from which on a word is taken for a typing error


def selector_hint(selector: Labels, pods: Sequence[Labels]) -> str:
    """Why a selector matches no Pod, and what it may have meant; "" if it does match, or there is nothing to say."""
    if not selector or any(matches(selector, labels) for labels in pods):
        return ""
    wanted = format_labels(selector)
    if not pods:
        return f"No Pod has {wanted}: there are no Pods in this namespace."
    near = meant(selector, pods)
    if near is None:
        return f"No Pod has {wanted}. Pods here have: {_examples(pods)}."
    _, (key, value), count = near
    return f"No Pod has {wanted}. {count} Pod{'s have' if count > 1 else ' has'} {key}={value}."


def meant(selector: Labels, pods: Sequence[Labels]) -> tuple[tuple[str, str], tuple[str, str], int] | None:
    """The label that was asked for, the one that most Pods have instead, and how many have it.

    A near miss is a Pod that differs in one label: its value is spelt otherwise, or it stands under another key.
    """
    counts: dict[tuple[tuple[str, str], tuple[str, str]], int] = {}
    for labels in pods:
        pair = _near_miss(selector, labels)
        if pair:
            counts[pair] = counts.get(pair, 0) + 1
    if not counts:
        return None
    (wrong, right), count = max(counts.items(), key=lambda item: (item[1], item[0]))
    return wrong, right, count


def words(word: str, known: Iterable[str]) -> list[str]:
    """Those that are spelt nearly like it, the nearest first."""
    given = sorted(set(known))
    near = difflib.get_close_matches(word, given, n=3, cutoff=CLOSE)
    return near + [each for each in given if each not in near and sorted(each) == sorted(word)]


def _near_miss(selector: Labels, labels: Labels) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """The label of this Pod that was probably meant; None if more than one thing differs, or nothing is alike."""
    wrong = [(key, value) for key, value in selector.items() if labels.get(key) != value]
    if len(wrong) != 1:
        return None
    key, value = wrong[0]
    for other_key, other_value in sorted(labels.items()):
        same_value = other_value == value and other_key not in selector
        if same_value or (other_key == key and _alike(other_value, value)):
            return wrong[0], (other_key, other_value)
        if _alike(other_key, key) and other_value == value:
            return wrong[0], (other_key, other_value)
    return None


def _alike(one: str, other: str) -> bool:
    ratio = difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio()
    return ratio >= CLOSE or sorted(one) == sorted(other)


def _examples(pods: Sequence[Labels], shown: int = 3) -> str:
    found = sorted({format_labels({k: v}) for labels in pods for k, v in labels.items() if k != "pod-template-hash"})
    return ", ".join(found[:shown]) + (", …" if len(found) > shown else "") if found else "no labels"
