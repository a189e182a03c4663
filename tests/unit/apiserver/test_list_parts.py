"""Long lists in parts, and what a list's query may say of how much and as of when."""

import base64
import json

import pytest
from memory_store import ask, registry

from minik8s.api.core import ConfigMap
from minik8s.apiserver import parts, reads, selection
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.parts import Place
from minik8s.apiserver.registry import key_of
from minik8s.store.model import Compacted, FutureRevision, Put, Txn, Unavailable

NAMES = [f"c{number}" for number in range(7)]


@pytest.fixture
def there():
    """Seven ConfigMaps, the even ones labelled."""
    made = registry()
    for number, name in enumerate(NAMES):
        labels = {"even": "yes"} if number % 2 == 0 else {}
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
        made.store.commit(Txn(puts=(Put(key_of(ConfigMap, "a", name), json.dumps(value).encode()),)))
    return made


def listed(there, **query):
    found = json.loads(reads.list_(there, ask("list", ConfigMap, query=query)).body)
    return [item["metadata"]["name"] for item in found["items"]], found["metadata"]


def refused(there, **query) -> Failure:
    with pytest.raises(Failure) as failed:
        listed(there, **query)
    return failed.value


def whole(there, limit, **query):
    """All parts of a list, and the metadata of each."""
    names, metas, more = [], [], {}
    while True:
        part, meta = listed(there, limit=str(limit), **query, **more)
        names, metas = [*names, part], [*metas, meta]
        if "continue" not in meta:
            return names, metas
        more = {"continue": meta["continue"]}


def test_parts_join_to_the_list_and_say_how_much_remains(there):
    names, metas = whole(there, 3)
    assert names == [NAMES[:3], NAMES[3:6], NAMES[6:]]
    assert [meta.get("remainingItemCount") for meta in metas] == [4, 1, None]
    assert len({meta["resourceVersion"] for meta in metas}) == 1


def test_a_later_part_reads_no_more_than_it_gives(there):
    whole(there, 2)
    assert there.store.listed == [2, 2, 1]


def test_with_a_selector_nothing_is_said_of_what_remains(there):
    for limit in (1, 2, 3):
        names, metas = whole(there, limit, labelSelector="even")
        assert [name for part in names for name in part] == NAMES[::2]
        assert all("remainingItemCount" not in meta for meta in metas)


def test_a_limit_of_exactly_what_is_there_needs_no_second_part(there):
    assert listed(there, limit="7") == (NAMES, {"resourceVersion": str(there.store.now)})
    assert listed(there, limit="9")[0] == NAMES


def test_who_takes_what_is_there_gets_all_of_it(there):
    names, meta = listed(there, limit="2", resourceVersion="0")
    assert names == NAMES and "continue" not in meta


@pytest.mark.parametrize("selector", ["", "even", "!even", "even=no"])
def test_a_list_read_in_chunks_is_the_same_whatever_the_chunk(there, monkeypatch, selector):
    matches = selection.matcher(ConfigMap, {"labelSelector": selector})
    place = Place("/registry/core/configmaps/a/", 1)
    everything = parts.read(there, place, matches, 0).items
    for chunk in (1, 2, 7):
        monkeypatch.setattr(parts, "CHUNK", chunk)
        for limit in range(1, 9):
            items, at = [], place
            while True:
                part = parts.read(there, at, matches, limit)
                assert len(part.items) <= limit
                items += part.items
                if not part.more:
                    break
                at = parts.read_token(place.prefix, part.more["continue"])
            assert items == everything, (chunk, limit)


def encoded(**fields):
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


V1 = "meta.k8s.io/v1"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("nonsense", "continue key is not valid"),
        ("%%%", "continue key is not valid"),
        (encoded(v="v9", rv=1, start="x"), "server does not recognize this encoded version"),
        (encoded(v=V1, rv=0, start="x"), "incorrect encoded start resourceVersion"),
        (encoded(v=V1, rv=-7, start="x"), "incorrect encoded start resourceVersion"),
        (encoded(v=V1, rv=3, start=""), "encoded start key empty"),
        (encoded(v=V1, rv="3", start="x"), "continue key is not valid"),
    ],
)
def test_a_token_that_is_none_is_a_400(there, token, said):
    failure = refused(there, **{"continue": token})
    assert (failure.code, failure.status.reason) == (400, "BadRequest")
    assert failure.status.message.startswith("invalid continue token: ") and said in failure.status.message


def test_a_token_never_leads_out_of_its_list(there):
    token = encoded(v=V1, rv=3, start="../secrets/a/x")
    names, _ = listed(there, **{"continue": token})
    assert set(names) <= set(NAMES)


def test_a_forgotten_list_is_expired_and_can_go_on_in_the_present(there):
    _, meta = listed(there, limit="3")
    there.store.list_fault = Compacted(9)
    failure = refused(there, **{"continue": meta["continue"], "limit": "3"})
    assert (failure.code, failure.status.reason) == (410, "Expired")
    assert failure.status.message.startswith("The provided continue parameter is too old to display a consistent list")
    there.store.list_fault = None
    rest, _ = listed(there, **{"continue": failure.status.metadata.continue_})
    assert rest == NAMES[3:]


@pytest.mark.parametrize(
    ("fault", "code", "reason", "said"),
    [
        (Compacted(9), 410, "Expired", "The resourceVersion for the provided list is too old."),
        (FutureRevision(), 504, "Timeout", "Too large resource version: 3, current:"),
        (Unavailable("gone"), 503, "ServiceUnavailable", "etcd does not answer: gone"),
    ],
)
def test_what_the_store_cannot_give_is_told_in_upstreams_words(there, fault, code, reason, said):
    there.store.list_fault = fault
    for query in ({"resourceVersionMatch": "Exact"}, {"limit": "2"}):
        failure = refused(there, resourceVersion="3", **query)
        assert (failure.code, failure.status.reason) == (code, reason)
        assert said in failure.status.message


def test_a_version_from_the_future_names_its_cause(there):
    failure = refused(there, resourceVersion="999999")
    details = failure.status.details
    assert (failure.code, details.causes[0].reason) == (504, "ResourceVersionTooLarge")
    assert details.retryAfterSeconds == 1


WRONG = [
    ({"resourceVersionMatch": "Exact"}, "FieldValueForbidden", "forbidden unless resourceVersion is provided"),
    (
        {"resourceVersionMatch": "Newest", "resourceVersion": "3"},
        "FieldValueNotSupported",
        '"Newest": supported values',
    ),
    ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, "FieldValueForbidden", '"exact" is forbidden for'),
    (
        {"resourceVersionMatch": "NotOlderThan", "resourceVersion": "3", "continue": "x"},
        "FieldValueForbidden",
        "forbidden when continue is provided",
    ),
    ({"sendInitialEvents": "true"}, "FieldValueForbidden", "sendInitialEvents is forbidden for list"),
]


@pytest.mark.parametrize(("query", "reason", "said"), WRONG, ids=[case[2] for case in WRONG])
def test_a_query_that_contradicts_itself_is_invalid(there, query, reason, said):
    failure = refused(there, **query)
    assert (failure.code, failure.status.reason) == (422, "Invalid")
    assert failure.status.message.startswith('ListOptions.meta.k8s.io "" is invalid: ')
    (cause,) = failure.status.details.causes
    assert cause.reason == reason and said in cause.message


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "many"},
        {"resourceVersion": "new"},
        {"resourceVersion": "-1"},
        {"resourceVersion": "3", "continue": encoded(v=V1, rv=3, start="x")},
    ],
)
def test_a_query_that_cannot_be_read_is_a_400(there, query):
    assert refused(there, **query).code == 400


def test_a_version_is_a_lower_bound_unless_it_is_said_to_be_exact(there):
    assert listed(there, resourceVersion="2")[0] == NAMES
    assert there.store.listed == []
    assert listed(there, resourceVersion="2", resourceVersionMatch="NotOlderThan", limit="9")[0] == NAMES
    assert there.store.listed == []
    _, meta = listed(there, resourceVersion="2", resourceVersionMatch="Exact")
    assert there.store.listed == [7] and meta["resourceVersion"] == "2"
