"""Selectors, quantities and times: small languages, each with its errors."""

from fractions import Fraction

import pytest

from minik8s.api import quantity, selectors, times
from minik8s.api.meta import LabelSelector, LabelSelectorRequirement

WEB = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=front", True),
        ("app=wbe", False),
        ("app!=web", False),
        ("missing!=web", True),
        ("app in (web, api)", True),
        ("app notin (web,api)", False),
        ("missing notin (a)", True),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("app=", False),
    ],
)
def test_a_label_selector_means_what_kubernetes_says(text, holds):
    assert selectors.all_hold(selectors.parse_labels(text), WEB) is holds


@pytest.mark.parametrize("text", ["a=b=c", "app in web", "=web", "app in (web", "a,,b", "-a=b"])
def test_a_label_selector_that_cannot_be_read_names_the_part(text):
    with pytest.raises(ValueError, match="unable to parse label selector at"):
        selectors.parse_labels(text)


def test_none_selects_nothing_and_empty_selects_everything():
    assert not selectors.matches(None, WEB)
    assert selectors.matches({}, WEB)
    assert selectors.matches(LabelSelector(), WEB)


def test_an_objects_selector_needs_all_of_both_parts():
    wanted = LabelSelector(
        matchLabels={"app": "web"},
        matchExpressions=[LabelSelectorRequirement(key="tier", operator="NotIn", values=["back"])],
    )
    assert selectors.matches(wanted, WEB)
    assert not selectors.matches(wanted, {"app": "web", "tier": "back"})
    assert selectors.matches(wanted, {"app": "web"})


def test_a_formatted_selector_can_be_read_again():
    wanted = LabelSelector(
        matchLabels={"app": "web"},
        matchExpressions=[
            LabelSelectorRequirement(key="tier", operator="In", values=["a", "b"]),
            LabelSelectorRequirement(key="old", operator="DoesNotExist"),
        ],
    )
    text = selectors.format_labels(wanted)
    assert text == "app=web,tier in (a,b),!old"
    assert selectors.parse_labels(text) == selectors.requirements(wanted)


def test_field_selectors_keep_an_empty_value():
    assert selectors.parse_fields("metadata.name=web,spec.nodeName!=") == [
        ("metadata.name", True, "web"),
        ("spec.nodeName", False, ""),
    ]


def test_a_field_selector_that_cannot_be_read_is_shown():
    with pytest.raises(ValueError, match=r"'metadata\.name'"):
        selectors.parse_fields("metadata.name")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100m", Fraction(1, 10)),
        ("2", 2),
        ("1Ki", 1024),
        ("1.5Gi", 3 * 2**29),
        ("1e3", 1000),
        ("3M", 3_000_000),
        (2, 2),
        ("1E", 10**18),
    ],
)
def test_quantities_are_exact(text, number):
    assert quantity.parse(text) == number


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1ki", "one", "1e", "--1", "1mm"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="no quantity"):
        quantity.parse(text)


def test_parts_of_a_unit_are_rounded_up_never_down():
    assert quantity.millis("1u") == 1
    assert quantity.whole("1500m") == 2


def test_times_survive_being_written_and_read():
    assert times.rfc3339(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert times.parse(times.rfc3339(1_700_000_000.25, micro=True)) == 1_700_000_000.25


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        times.parse("2023-11-14T22:13:20")
