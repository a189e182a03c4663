"""Selectors, quantities and times: small languages, each with its errors."""

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minik8s.api import quantity, selectors, selectortext, times
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
        ("missing=", False),
        ("app in (web,,x),tier in ()", False),
        ("in=x,notin!=x", False),
        ("notin!=x", True),
        ("size>2,size<4", False),
        ("!missing , app  in(web)", True),
    ],
)
def test_a_label_selector_means_what_kubernetes_says(text, holds):
    assert selectors.all_hold(selectortext.parse_labels(text), WEB) is holds


@pytest.mark.parametrize(("size", "holds"), [("3", True), ("2", False), ("4", False), ("large", False), ("", False)])
def test_greater_and_less_compare_whole_numbers(size, holds):
    assert selectors.all_hold(selectortext.parse_labels("size>2,size<4"), {"size": size}) is holds


LABEL = "name part must consist of alphanumeric characters"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("app web", "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("app in (web api)", "unable to parse requirement: found 'api', expected: ',' or ')'"),
        ("app=(", "unable to parse requirement: found '(', expected: identifier"),
        ("-a=b", f'unable to parse requirement: key: Invalid value: "-a": {LABEL}'),
        ("a=-b", 'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be'),
        ("a>b", "unable to parse requirement: values[0][a]: Invalid value: \"b\": for 'Gt', 'Lt' operators"),
    ],
)
def test_a_label_selector_that_cannot_be_read_is_refused_in_kubernetes_words(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        selectortext.parse_labels(text)


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
    assert selectortext.parse_labels(text) == selectors.requirements(wanted)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("metadata.name=web,spec.nodeName!=", [("metadata.name", True, "web"), ("spec.nodeName", False, "")]),
        ("a==b,", [("a", True, "b")]),
        (r"reason=a\,b\=c\\d", [("reason", True, r"a,b=c\d")]),
        ("a=b c", [("a", True, "b c")]),
    ],
)
def test_a_field_selector_is_read_term_by_term(text, terms):
    assert selectortext.parse_fields(text) == terms


@pytest.mark.parametrize(
    ("text", "part"),
    [("metadata.name", "metadata.name"), ("a=b,c", "c"), ("a=b=c", "a=b=c"), ("a!b", "a!b"), ("a=b\\", "a=b\\")],
)
def test_a_field_selector_that_cannot_be_read_is_shown(text, part):
    with pytest.raises(ValueError, match=re.escape(f"invalid selector: '{text}'; can't understand '{part}'")):
        selectortext.parse_fields(text)


ALPHABET = st.text(alphabet="ab1=!,()<>\\ .-/in", max_size=12)


@settings(deadline=None)
@given(ALPHABET | st.text(max_size=8))
def test_any_text_is_a_selector_or_a_refusal_that_says_why(text):
    for read in (selectortext.parse_labels, selectortext.parse_fields):
        try:
            read(text)
        except ValueError as error:
            assert str(error)


KEYS = st.from_regex(r"[a-z]([-a-z0-9]{0,5}[a-z0-9])?", fullmatch=True)
VALUES = st.from_regex(r"([a-z0-9]([-a-z0-9]{0,5}[a-z0-9])?)?", fullmatch=True)


@settings(deadline=None)
@given(
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.lists(st.tuples(KEYS, st.sampled_from(["In", "NotIn"]), st.sets(VALUES, min_size=1, max_size=3)), max_size=3),
)
def test_a_selector_of_an_object_says_the_same_as_text(labels, expressions):
    given_ = [
        LabelSelectorRequirement(key=key, operator=operator, values=sorted(values))
        for key, operator, values in expressions
    ]
    wanted = LabelSelector(matchLabels=labels, matchExpressions=given_)
    assert selectortext.parse_labels(selectors.format_labels(wanted)) == selectors.requirements(wanted)


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
