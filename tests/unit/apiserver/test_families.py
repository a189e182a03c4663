"""One address family or two: every way a Service can ask for them, and every change. Source of the rows: KEP-563."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import codec, defaults, validation
from minik8s.api.core import Service
from minik8s.apiserver.allocating import allocation, services
from minik8s.apiserver.allocating.allocation import Refused, View

FOUR, SIX, BOTH = ("IPv4",), ("IPv6",), ("IPv4", "IPv6")
A, B = "10.96.1.0", "fd00:96::100"  # what the ranges give first
OWN_A, OWN_B = "10.96.0.7", "fd00:96::7"  # what a user may choose
PREFER, REQUIRE, SINGLE = "PreferDualStack", "RequireDualStack", "SingleStack"
NAME = {"type": "ExternalName", "externalName": "example.org", "selector": None, "ports": []}


def service(**spec):
    """A Service with a selector, unless it says otherwise; `ips` stands for clusterIP and clusterIPs."""
    given = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    ips = given.pop("ips", None)
    if ips is not None:
        given |= {"clusterIP": ips[0], "clusterIPs": list(ips)}
    meta = {"name": "web", "namespace": "a"}
    return codec.from_dict(Service, {"metadata": meta, "spec": {k: v for k, v in given.items() if v is not None}})


def stored(new, old=None, cluster=BOTH):
    """The Service as the server would keep it; Refused with everything that the user is told, else."""
    defaults.set_defaults(new)
    services.prepare(new, old, cluster)
    causes = validation.validate(new, old)
    if causes:
        raise Refused(causes)
    allocation.plan(new, old, View(frozenset(), 0))
    return new


def shown(spec):
    return spec.ipFamilyPolicy, spec.ipFamilies, spec.clusterIPs


def said(work):
    with pytest.raises(Refused) as caught:
        work()
    return [f"{cause.field}: {cause.message}" for cause in caught.value.causes]


def bad(field, value, detail):
    return f"spec.{field}: Invalid value: {json.dumps(value, separators=(',', ':'))}: {detail}"


NEW = [
    # what is asked for, the cluster's families → policy, families, addresses
    ({}, BOTH, (SINGLE, ["IPv4"], [A])),
    ({"ipFamilyPolicy": SINGLE}, BOTH, (SINGLE, ["IPv4"], [A])),
    ({"ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv4", "IPv6"], [A, B])),
    ({"ipFamilyPolicy": REQUIRE}, BOTH, (REQUIRE, ["IPv4", "IPv6"], [A, B])),
    ({"ipFamilyPolicy": PREFER}, FOUR, (PREFER, ["IPv4"], [A])),
    ({"ipFamilyPolicy": PREFER}, SIX, (PREFER, ["IPv6"], [B])),
    ({"ipFamilies": ["IPv6"]}, BOTH, (SINGLE, ["IPv6"], [B])),
    ({"ipFamilies": ["IPv6"], "ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv6", "IPv4"], [B, A])),
    ({"ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": REQUIRE}, BOTH, (REQUIRE, ["IPv6", "IPv4"], [B, A])),
    ({"clusterIP": OWN_B}, BOTH, (SINGLE, ["IPv6"], [OWN_B])),
    ({"ips": [OWN_A], "ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv4", "IPv6"], [OWN_A, B])),
    ({"ips": [OWN_A, OWN_B], "ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv4", "IPv6"], [OWN_A, OWN_B])),
    ({"ips": [OWN_B, OWN_A], "ipFamilyPolicy": REQUIRE}, BOTH, (REQUIRE, ["IPv6", "IPv4"], [OWN_B, OWN_A])),
    ({"type": "NodePort", "ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv4", "IPv6"], [A, B])),
    ({"type": "LoadBalancer", "ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv4", "IPv6"], [A, B])),
    # headless: families, and no addresses
    ({"clusterIP": "None"}, BOTH, (SINGLE, ["IPv4"], ["None"])),
    ({"clusterIP": "None", "ipFamilyPolicy": PREFER}, BOTH, (PREFER, ["IPv4", "IPv6"], ["None"])),
    ({"clusterIP": "None", "ipFamilies": ["IPv6"]}, BOTH, (SINGLE, ["IPv6"], ["None"])),
    # headless and without selector: whatever the owner's slices hold, also where the cluster has one family only
    ({"clusterIP": "None", "selector": None}, BOTH, (REQUIRE, ["IPv4", "IPv6"], ["None"])),
    ({"clusterIP": "None", "selector": None}, FOUR, (REQUIRE, ["IPv4", "IPv6"], ["None"])),
    ({"clusterIP": "None", "selector": None}, SIX, (REQUIRE, ["IPv6", "IPv4"], ["None"])),
    ({"clusterIP": "None", "selector": None, "ipFamilyPolicy": SINGLE}, BOTH, (SINGLE, ["IPv4"], ["None"])),
    ({"clusterIP": "None", "selector": None, "ipFamilies": ["IPv6"]}, BOTH, (REQUIRE, ["IPv6", "IPv4"], ["None"])),
    # a name elsewhere has neither
    (NAME, BOTH, (None, [], [])),
]


@pytest.mark.parametrize("row", NEW, ids=lambda row: f"{row[0]} in {'+'.join(row[1])}")
def test_a_new_service_has_the_families_it_asks_for_or_the_clusters_first(row):
    spec, cluster, expected = row
    assert shown(stored(service(**spec), cluster=cluster).spec) == expected


SEVERAL_IPS = "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified"
SEVERAL_FAMILIES = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
REFUSED = [
    (
        {"ipFamilyPolicy": REQUIRE},
        FOUR,
        [bad("ipFamilyPolicy", "RequireDualStack", "this cluster is not configured for dual-stack services")],
    ),
    ({"ipFamilies": ["IPv6"]}, FOUR, [bad("ipFamilies[0]", "IPv6", "not configured on this cluster")]),
    ({"clusterIP": OWN_B}, FOUR, [bad("clusterIPs[0]", ["fd00:96::7"], "IPv6 is not configured on this cluster")]),
    (
        {"ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": REQUIRE},
        FOUR,
        [
            bad("ipFamilyPolicy", "RequireDualStack", "this cluster is not configured for dual-stack services"),
            bad("ipFamilies[0]", "IPv6", "not configured on this cluster"),
        ],
    ),
    ({"ipFamilies": ["IPv4", "IPv6"]}, BOTH, [bad("ipFamilyPolicy", "SingleStack", SEVERAL_FAMILIES)]),
    ({"ips": [OWN_A, OWN_B]}, BOTH, [bad("ipFamilyPolicy", "SingleStack", SEVERAL_IPS)]),
    ({"ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": PREFER}, BOTH, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']),
    (
        {"ipFamilies": ["IPv5"]},
        BOTH,
        ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'],
    ),
    (
        {"ipFamilyPolicy": "Both"},
        BOTH,
        [
            'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: '
            '"PreferDualStack", "RequireDualStack", "SingleStack"'
        ],
    ),
    (
        {"ips": [OWN_A, "10.96.0.8"], "ipFamilyPolicy": PREFER},
        BOTH,
        [bad("clusterIPs", ["10.96.0.7", "10.96.0.8"], "may specify no more than one IP for each IP family")],
    ),
    (
        {"ips": [OWN_A, OWN_B], "ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": PREFER},
        BOTH,
        [
            bad("clusterIPs[0]", "10.96.0.7", "expected an IPv6 value as indicated by `ipFamilies[0]`"),
            bad("clusterIPs[1]", "fd00:96::7", "expected an IPv4 value as indicated by `ipFamilies[1]`"),
        ],
    ),
    (
        {"ips": [OWN_A, "web"], "ipFamilyPolicy": PREFER},
        BOTH,
        [bad("clusterIPs[1]", "web", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")],
    ),
    (
        {"ips": ["None", OWN_B], "ipFamilyPolicy": PREFER},
        BOTH,
        [bad("clusterIPs", ["None", "fd00:96::7"], "'None' must be the first and only value")],
    ),
    (
        {"ips": [OWN_A, OWN_B, "10.96.0.8"], "ipFamilyPolicy": PREFER},
        BOTH,
        [bad("clusterIPs", ["10.96.0.7", "fd00:96::7", "10.96.0.8"], "may only hold up to 2 values")],
    ),
    (
        {"clusterIPs": [OWN_A]},
        BOTH,
        [bad("clusterIPs", ["10.96.0.7"], "must be empty when `clusterIP` is not specified")],
    ),
    (
        {"clusterIP": OWN_A, "clusterIPs": ["10.96.0.8"]},
        BOTH,
        [bad("clusterIPs", ["10.96.0.8"], "first value must match `clusterIP`")],
    ),
    (
        NAME | {"clusterIP": OWN_A, "ipFamilies": ["IPv4"], "ipFamilyPolicy": SINGLE},
        BOTH,
        [
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
            "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
            "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
        ],
    ),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row[0]} in {'+'.join(row[1])}")
def test_what_does_not_go_together_is_refused_in_upstreams_words(row):
    spec, cluster, expected = row
    assert said(lambda: stored(service(**spec), cluster=cluster)) == expected


def changed(before, change, cluster=BOTH):
    """The Service that is there, sent back with something changed (None: left out)."""
    old = stored(service(**before))
    raw = codec.to_dict(old)
    raw["spec"] = {k: v for k, v in {**raw["spec"], **change}.items() if v is not None}
    return stored(codec.from_dict(Service, raw), old, cluster)


HEADLESS = {"clusterIP": "None"}
ALONE, DUAL, NEEDS_BOTH = {}, {"ipFamilyPolicy": PREFER}, {"ipFamilyPolicy": REQUIRE}
SIX_FIRST = {"ipFamilyPolicy": PREFER, "ipFamilies": ["IPv6", "IPv4"]}
LEFT_OUT = {"clusterIP": None, "clusterIPs": None, "ipFamilies": None, "ipFamilyPolicy": None}
ONE, TWO = (SINGLE, ["IPv4"], [A]), (PREFER, ["IPv4", "IPv6"], [A, B])
CHANGES = [
    # before, change → policy, families, addresses
    # from one to two: by the policy alone, or by naming the second
    (ALONE, {"ipFamilyPolicy": PREFER}, TWO),
    (ALONE, {"ipFamilyPolicy": REQUIRE}, (REQUIRE, ["IPv4", "IPv6"], [A, B])),
    (ALONE, {"ipFamilyPolicy": PREFER, "ipFamilies": ["IPv4", "IPv6"]}, TWO),
    (ALONE, {"ipFamilyPolicy": PREFER, "clusterIPs": [A, OWN_B]}, (PREFER, ["IPv4", "IPv6"], [A, OWN_B])),
    ({"ipFamilies": ["IPv6"]}, {"ipFamilyPolicy": REQUIRE}, (REQUIRE, ["IPv6", "IPv4"], [B, A])),
    # from two to one: the policy is the word, the lists may follow it
    (DUAL, {"ipFamilyPolicy": SINGLE}, ONE),
    (DUAL, {"ipFamilyPolicy": SINGLE, "clusterIPs": [A]}, ONE),
    (DUAL, {"ipFamilyPolicy": SINGLE, "ipFamilies": ["IPv4"]}, ONE),
    (DUAL, {"ipFamilyPolicy": SINGLE, "clusterIPs": [A], "ipFamilies": ["IPv4"]}, ONE),
    (SIX_FIRST, {"ipFamilyPolicy": SINGLE}, (SINGLE, ["IPv6"], [B])),
    (NEEDS_BOTH, {"ipFamilyPolicy": SINGLE}, ONE),
    # between the two that have both
    (DUAL, {"ipFamilyPolicy": REQUIRE}, (REQUIRE, ["IPv4", "IPv6"], [A, B])),
    (NEEDS_BOTH, {"ipFamilyPolicy": PREFER}, TWO),
    # who knows nothing of families changes nothing about them
    (ALONE, LEFT_OUT, ONE),
    (DUAL, LEFT_OUT, TWO),
    (SIX_FIRST, LEFT_OUT, (PREFER, ["IPv6", "IPv4"], [B, A])),
    (DUAL, {"clusterIPs": None}, TWO),
    (DUAL, {"clusterIP": None}, TWO),
    (DUAL, {"ipFamilies": None}, TWO),
    (DUAL, {"type": "NodePort"}, TWO),
    # headless: no address, and families may change
    (HEADLESS, {"ipFamilyPolicy": PREFER}, (PREFER, ["IPv4", "IPv6"], ["None"])),
    (HEADLESS | DUAL, {"ipFamilyPolicy": SINGLE}, (SINGLE, ["IPv4"], ["None"])),
    (HEADLESS, {"ipFamilies": ["IPv6"]}, (SINGLE, ["IPv6"], ["None"])),
    # to and from a name elsewhere: both addresses go, and come anew
    (DUAL, NAME, (None, [], [])),
    (HEADLESS, NAME, (None, [], [])),
    (NAME, {"type": "ClusterIP", "externalName": None, "ports": [{"port": 80}]}, ONE),
    (NAME, {"type": "ClusterIP", "externalName": None, "ports": [{"port": 80}], "ipFamilyPolicy": PREFER}, TWO),
]


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: f"{row[0]} then {row[1]}")
def test_families_come_and_go_by_the_users_word_alone(row):
    before, change, expected = row
    assert shown(changed(before, change).spec) == expected


NOT_CHANGED = [
    (
        DUAL,
        {"clusterIPs": [A]},
        [bad("ipFamilyPolicy", "PreferDualStack", "must be 'SingleStack' to release the secondary cluster IP")],
    ),
    (
        DUAL,
        {"ipFamilies": ["IPv4"]},
        [bad("ipFamilyPolicy", "PreferDualStack", "must be 'SingleStack' to release the secondary IP family")],
    ),
    (
        NEEDS_BOTH,
        {"clusterIPs": [A], "ipFamilies": ["IPv4"]},
        [
            bad("ipFamilyPolicy", "RequireDualStack", "must be 'SingleStack' to release the secondary cluster IP"),
            bad("ipFamilyPolicy", "RequireDualStack", "must be 'SingleStack' to release the secondary IP family"),
        ],
    ),
    (
        ALONE,
        {"clusterIP": OWN_A, "clusterIPs": [OWN_A]},
        [bad("clusterIPs[0]", ["10.96.0.7"], "may not change once set")],
    ),
    (DUAL, {"clusterIPs": [A, OWN_B]}, [bad("clusterIPs[1]", ["10.96.1.0", "fd00:96::7"], "may not change once set")]),
    (
        ALONE,
        {"ipFamilies": ["IPv6"]},
        [bad("clusterIPs[0]", "10.96.1.0", "expected an IPv6 value as indicated by `ipFamilies[0]`")],
    ),
    (
        ALONE,
        {"clusterIP": OWN_B, "clusterIPs": [OWN_B, OWN_A], "ipFamilies": None, "ipFamilyPolicy": PREFER},
        [
            bad("clusterIPs[0]", ["fd00:96::7", "10.96.0.7"], "may not change once set"),
            bad("ipFamilies[0]", ["IPv6", "IPv4"], "may not change once set"),
        ],
    ),
    (
        DUAL,
        {"clusterIP": B, "clusterIPs": [B], "ipFamilies": ["IPv6"], "ipFamilyPolicy": SINGLE},
        [
            bad("clusterIPs[0]", ["fd00:96::100"], "may not change once set"),
            bad("ipFamilies[0]", ["IPv6"], "may not change once set"),
        ],
    ),
    (ALONE, {"clusterIP": "None", "clusterIPs": ["None"]}, [bad("clusterIPs[0]", ["None"], "may not change once set")]),
]


@pytest.mark.parametrize("row", NOT_CHANGED, ids=lambda row: f"{row[0]} then {row[1]}")
def test_the_primary_stays_and_nothing_is_released_by_accident(row):
    before, change, expected = row
    assert said(lambda: changed(before, change)) == expected


def test_a_service_that_prefers_both_stays_as_it_is_when_the_cluster_loses_or_wins_a_family():
    assert shown(changed(DUAL, {"selector": {"app": "other"}}, cluster=FOUR).spec) == TWO
    old = stored(service(**DUAL), cluster=FOUR)
    new = codec.from_dict(Service, codec.to_dict(old))
    new.spec.selector = {"app": "other"}
    assert shown(stored(new, old, BOTH).spec) == (PREFER, ["IPv4"], [A])


WISHES = st.fixed_dictionaries(
    {},
    optional={
        "ipFamilyPolicy": st.sampled_from([SINGLE, PREFER, REQUIRE, None]),
        "ipFamilies": st.sampled_from([["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"], None]),
        "clusterIP": st.sampled_from([OWN_A, OWN_B, "None", None]),
        "clusterIPs": st.sampled_from([[OWN_A], [OWN_B], [OWN_A, OWN_B], [OWN_B, OWN_A], ["None"], None]),
        "type": st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
        "selector": st.sampled_from([{"app": "web"}, None]),
    },
)


@given(st.lists(WISHES, min_size=1, max_size=8), st.sampled_from([FOUR, SIX, BOTH]))
def test_whatever_is_asked_for_in_whatever_order_the_claims_are_what_the_service_has(wishes, cluster):
    """And what it has goes together: an address for each family, none twice, the primary kept."""
    held: set[str] = set()
    old: Service | None = None
    for wish in wishes:
        raw = codec.to_dict(old or service())
        raw["spec"] = {k: v for k, v in {**raw["spec"], **wish, "externalName": "x"}.items() if v is not None}
        if raw["spec"].get("type") != "ExternalName":
            del raw["spec"]["externalName"]
        new = codec.from_dict(Service, raw)
        try:
            defaults.set_defaults(new)
            services.prepare(new, old, cluster)
            if validation.validate(new, old):
                continue
            plan = allocation.plan(new, old, View(held, 0))
        except Refused:
            continue
        taken = {claim.key for claim in plan.take}
        assert not taken & held and set(plan.release) <= held
        held = (held | taken) - set(plan.release)
        assert held == set(allocation.held_by(new))
        _fits(new, old)
        old = new


def _fits(new: Service, old: Service | None) -> None:
    spec = new.spec
    if spec.type == "ExternalName":
        assert shown(spec) == (None, [], [])
        return
    assert spec.clusterIP == spec.clusterIPs[0] and len(spec.ipFamilies) == len(set(spec.ipFamilies))
    assert len(spec.ipFamilies) == 1 or spec.ipFamilyPolicy != SINGLE
    if spec.clusterIP != "None":
        assert ["IPv6" if ":" in each else "IPv4" for each in spec.clusterIPs] == spec.ipFamilies
    if old is not None and old.spec.type != "ExternalName":
        assert spec.clusterIP == old.spec.clusterIP


def test_what_is_stored_may_be_sent_back_as_it_is():
    for spec, cluster, expected in NEW:
        old = stored(service(**spec), cluster=cluster)
        assert shown(stored(codec.from_dict(Service, codec.to_dict(old)), old, cluster).spec) == expected
