"""How long ago, in few letters."""

import pytest

from minik8s.api.durations import human, since


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (130, "2m10s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (9 * 3600, "9h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (8 * 86400, "8d"),
        (800 * 86400, "2y70d"),
        (10 * 365 * 86400, "10y"),
        (-5, "<invalid>"),
    ],
)
def test_a_length_of_time_is_written_as_kubectl_writes_it(seconds, text):
    assert human(seconds) == text


@pytest.mark.parametrize(
    ("text", "age"),
    [("2023-11-14T22:08:20Z", "5m"), (None, "<unknown>"), ("", "<unknown>"), ("yesterday", "<unknown>")],
)
def test_an_age_is_told_of_any_text(text, age):
    assert since(text, 1_700_000_000.0) == age
