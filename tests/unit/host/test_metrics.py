"""The text of /metrics, against the examples of Prometheus' own description of the format."""

import pytest

from minik8s.host.metrics import Registry


def test_a_counter_without_labels_is_there_from_the_start():
    registry = Registry()
    registry.counter("syncs_total", "How often.")
    assert registry.text() == "# HELP syncs_total How often.\n# TYPE syncs_total counter\nsyncs_total 0\n"


def test_each_combination_of_labels_has_its_own_line():
    registry = Registry()
    requests = registry.counter("requests_total", "Requests.", ("code", "verb"))
    requests.inc(code="200", verb="GET")
    requests.inc(2, verb="GET", code="200")
    requests.inc(code="404", verb="GET")
    assert registry.text().splitlines()[2:] == [
        'requests_total{code="200",verb="GET"} 3',
        'requests_total{code="404",verb="GET"} 1',
    ]


def test_a_gauge_goes_up_and_down_and_may_follow_a_function():
    registry = Registry()
    depth = registry.gauge("depth", "Depth.")
    depth.set(5)
    depth.dec(2.5)
    assert "depth 2.5\n" in registry.text()
    depth.follow(lambda: 7)
    assert "depth 7\n" in registry.text()


def test_a_histogram_counts_upwards_to_infinity():
    registry = Registry()
    seconds = registry.histogram("seconds", "Duration.", ("stage",), buckets=(0.1, 1))
    for number in (0.1, 0.5, 3):
        seconds.observe(number, stage="rules")
    assert registry.text().splitlines()[1:] == [
        "# TYPE seconds histogram",
        'seconds_bucket{stage="rules",le="0.1"} 1',
        'seconds_bucket{stage="rules",le="1"} 2',
        'seconds_bucket{stage="rules",le="+Inf"} 3',
        'seconds_sum{stage="rules"} 3.6',
        'seconds_count{stage="rules"} 3',
    ]


def test_quotes_and_line_ends_in_a_label_are_escaped():
    registry = Registry()
    registry.counter("c", "x", ("why",)).inc(why='a "b"\nc\\')
    assert registry.text().splitlines()[2] == r'c{why="a \"b\"\nc\\"} 1'


def test_the_same_name_is_the_same_metric():
    registry = Registry()
    registry.counter("c", "x").inc()
    registry.counter("c", "x").inc()
    assert registry.counter("c", "x").value() == 2


def test_the_same_name_with_another_type_or_other_labels_is_refused():
    registry = Registry()
    registry.counter("c", "x")
    with pytest.raises(ValueError, match="already a counter"):
        registry.gauge("c", "x")
    with pytest.raises(ValueError, match="already a counter"):
        registry.counter("c", "x", ("verb",))


def test_a_label_that_was_not_declared_is_refused():
    with pytest.raises(ValueError, match="has the labels"):
        Registry().counter("c", "x", ("verb",)).inc(kind="Pod")
