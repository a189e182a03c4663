"""Leaving out: a component, or one controller of the process that has them all; and changing one's mind."""

from dataclasses import replace

import pytest

from minik8s.cluster import launch, state, up

RECORD = state.Record("c", ("node-1",))
RUNNING = launch.expected(RECORD)


def test_the_ingress_runs_only_where_it_is_asked_for() -> None:
    assert "ingress@node-1" not in launch.expected(RECORD)
    assert "ingress@node-1" in launch.expected(replace(RECORD, ingress=True))


def test_a_sidecar_is_nobodys_to_expect_and_yet_known_by_name() -> None:
    assert "sidecar@node-1" not in launch.expected(RECORD)
    assert "sidecar@node-1" in launch.allowed(RECORD)
    assert launch.canonical("sidecar@node-1") == "sidecar@node-1"


def test_asked_for_and_asked_for_no_longer() -> None:
    served = up.merge(RECORD, up.Wish("c", ingress=True))
    assert served.ingress and up.merge(served, up.Wish("c")).ingress, "it is kept in the record"
    gone = up.merge(served, up.Wish("c", without=("ingress", "dns")))
    assert (gone.ingress, gone.without) == (False, ("dns",))


def test_a_controller_left_out_is_told_to_the_process_that_has_it() -> None:
    assert launch.controllers(RECORD) == "*"
    assert launch.controllers(replace(RECORD, without=("endpoints", "scheduler"))) == "*,-endpoints"


def test_a_name_that_is_neither_component_nor_controller_is_refused_with_those_there_are() -> None:
    assert launch.left_out(["kubelet", "endpoints", "none"]) == ("agent", "endpoints")
    with pytest.raises(LookupError, match=r"endpoint: .*endpoints"):
        launch.left_out(["endpoint"])


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({}, {"without": ("endpoints",)}, {"again": ["controllers"]}, id="a controller less"),
        pytest.param({"without": ("endpoints",)}, {}, {"again": ["controllers"]}, id="a controller more"),
        pytest.param({}, {"without": ("proxy",)}, {"stop": ["proxy@node-1"]}, id="a component less"),
        pytest.param({"without": ("proxy",)}, {}, {"start": ["proxy@node-1"]}, id="a component more"),
        pytest.param({}, {"ingress": True}, {"start": ["ingress@node-1"]}, id="ingress"),
        pytest.param({}, {"profile": "kubernetes"}, {"again": ["agent@node-1", "controllers"]}, id="other timers"),
        pytest.param({}, {"dns_ttl": 30}, {"again": ["dns@node-1"]}, id="another TTL"),
        pytest.param({}, {"dns_pods": "disabled"}, {"again": ["dns@node-1"]}, id="no names of Pods"),
        pytest.param({}, {"proxy_mode": "ipvs"}, {"again": ["proxy@node-1"]}, id="another proxy mode"),
        pytest.param(
            {"sidecars": True},
            {"proxy_mode": "sidecar"},
            {"again": ["proxy@node-1", "sidecar@node-1"]},
            id="what runs on demand is told too",
        ),
        pytest.param({"sidecars": True}, {"without": ("sidecar",)}, {"stop": ["sidecar@node-1"]}, id="no sidecars"),
        pytest.param({"without": ("sidecar",)}, {}, {"start": ["sidecar@node-1"]}, id="sidecars again, if any were"),
        pytest.param(
            {"without": ("endpoints",)},
            {"profile": "kubernetes", "proxy_mode": "ipvs"},
            {"again": ["agent@node-1", "controllers", "proxy@node-1"]},
            id="several at once",
        ),
        pytest.param({}, {"nodes": ("node-1", "node-2")}, {}, id="one node more: nothing of what runs"),
    ],
)
def test_what_runs_follows_a_changed_wish(before: dict, after: dict, change: dict) -> None:
    expected = {"stop": [], "start": [], "again": [], **change}
    running = [*RUNNING, *(["sidecar@node-1"] if before.pop("sidecars", False) else [])]
    assert launch.differing(replace(RECORD, **before), replace(RECORD, **after), running) == expected


def test_the_proxy_of_a_cluster_is_told_its_mode() -> None:
    where = state.paths("c")
    assert launch.options_for(where, RECORD, "proxy@node-1").proxy_mode == "nftables"
    assert launch.options_for(where, replace(RECORD, proxy_mode="ipvs"), "proxy@node-1").proxy_mode == "ipvs"


def test_the_dns_of_a_cluster_is_told_its_settings() -> None:
    record = replace(RECORD, dns_ttl=30, dns_pods="verified", upstream="192.0.2.53")
    told = launch.options_for(state.paths("c"), record, "dns@node-1", outside=7)
    assert (told.dns_ttl, told.dns_pods, told.upstream) == (30, "verified", "192.0.2.53")
    assert told.upstream_netns == "/proc/self/fd/7"


def test_what_the_user_stopped_is_not_started_by_other_timers() -> None:
    change = launch.differing(RECORD, replace(RECORD, profile="kubernetes"), ["agent@node-1"])
    assert change["again"] == ["agent@node-1"]
