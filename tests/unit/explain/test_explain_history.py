"""What led to what, in small worlds."""

import pytest
from explain_worlds import (
    APPLIED,
    APPLY,
    DELETED,
    DIED,
    SILENT,
    SLICE,
    T0,
    WEB,
    A,
    B,
    C,
    deed,
    known,
    rules,
    slice_write,
    write,
)

from minik8s.explain import tell
from minik8s.explain.plan import history


def stages(episode):
    """Each stage as (seconds since the cause, stage, who)."""
    return [(round(stage.total, 2), stage.fact.stage, stage.fact.who) for stage in episode.stages]


def step(episode, stage, who=""):
    return round(episode.first(stage, who).step, 2)


def test_one_apply_of_several_objects_is_one_cause_with_every_stage_until_the_rules():
    (episode,) = history(known(*APPLIED), WEB).episodes
    assert tell.cause(episode.cause) == APPLY
    assert stages(episode) == [
        (0.0, "stored", "minik8s-cli"),
        (0.01, "stored", "minik8s-cli"),
        (0.05, "made", "controllers"),
        (0.06, "endpoints", "controllers"),
        (0.07, "names", "dns@node-1"),
        (0.10, "made", "controllers"),
        (0.11, "bound", "scheduler"),
        (0.11, "made", "controllers"),
        (0.12, "bound", "scheduler"),
        (0.40, "sandbox", "agent@node-1"),
        (0.41, "sandbox", "agent@node-2"),
        (0.60, "started", "agent@node-1"),
        (0.61, "started", "agent@node-2"),
        (1.60, "probe", "agent@node-1"),
        (1.61, "ready", "agent@node-1"),
        (1.61, "probe", "agent@node-2"),
        (1.62, "ready", "agent@node-2"),
        (1.63, "endpoints", "controllers"),
        (1.64, "rules", "proxy@node-1"),
        (1.65, "rules", "proxy@node-2"),
    ]


@pytest.mark.parametrize(
    ("stage", "who", "seconds"),
    [
        ("made", "", 0.05),
        ("bound", "", 0.01),
        ("sandbox", "agent@node-1", 0.28),
        ("started", "agent@node-1", 0.20),
        ("probe", "agent@node-1", 1.00),
        ("ready", "agent@node-1", 0.01),
        ("rules", "proxy@node-1", 0.01),
        ("rules", "proxy@node-2", 0.02),
    ],
)
def test_a_step_is_the_time_since_what_set_it_off(stage, who, seconds):
    (episode,) = history(known(*APPLIED), WEB).episodes
    assert step(episode, stage, who) == seconds


def test_a_death_begins_an_episode_at_the_moment_docker_saw_it():
    _, died = history(known(*APPLIED, *DIED), WEB).episodes
    assert died.cause.wall == T0 + 60.0
    assert stages(died) == [
        (0.0, "died", "agent@node-1"),
        (0.04, "not ready", "agent@node-1"),
        (0.05, "endpoints", "controllers"),
        (0.06, "rules", "proxy@node-1"),
        (0.20, "started", "agent@node-1"),
        (0.50, "rules", "proxy@node-2"),
    ]


def test_the_window_is_how_long_an_endpoint_stayed_in_each_nodes_rules():
    (window,) = history(known(*APPLIED, *DIED), WEB).episodes[1].windows
    assert [(node, round(seconds, 2)) for node, seconds in window.left] == [("node-1", 0.06), ("node-2", 0.5)]
    assert (window.endpoint, window.endpoints, round(window.expected(50), 3)) == ("10.244.1.2:8080", 2, 12.5)


def test_a_delayed_proxy_makes_its_own_stage_longer_and_no_other():
    on_time = DIED
    held = tuple(rules(63.0, "node-2", 41, removed=("10.244.1.2:8080",)) if each is DIED[4] else each for each in DIED)
    before, after = (history(known(*APPLIED, *world), WEB).episodes[1] for world in (on_time, held))
    grown = [
        (new.fact.who, new.fact.stage)
        for old, new in zip(before.stages, after.stages, strict=True)
        if new.step > old.step + 0.001
    ]
    assert grown == [("proxy@node-2", "rules")]


def test_a_client_that_gives_no_reason_is_a_cause_without_a_cause():
    deleted = history(known(*APPLIED, *DELETED), WEB).episodes[-1]
    assert tell.cause(deleted.cause).endswith("gave no reason: a cause without a cause")
    assert (0.02, "made", "controllers") in stages(deleted)


def test_a_node_falls_silent_at_its_last_heartbeat():
    silent = history(known(*APPLIED, *SILENT), WEB).episodes[-1]
    assert tell.cause(silent.cause) == "the last heartbeat of node-2"
    assert stages(silent)[:5] == [
        (0.0, "heartbeat", "agent@node-2"),
        (4.0, "node", "controllers"),
        (4.01, "not ready", "controllers"),
        (4.02, "endpoints", "controllers"),
        (4.03, "rules", "proxy@node-1"),
    ]


def test_the_window_of_a_node_cut_off_leaves_out_its_own_rules():
    (window,) = history(known(*APPLIED, *SILENT), WEB).episodes[-1].windows
    assert [(node, round(seconds, 2)) for node, seconds in window.left] == [("node-1", 4.03)]


def test_a_heartbeat_after_the_silence_is_not_its_cause():
    back = write(190.0, 70, "agent@node-2", "patch", "leases/kube-node-lease/node-2", "heartbeat")
    assert history(known(*APPLIED, *SILENT, back), WEB).episodes[-1].cause.wall == T0 + 180.0


def test_a_silence_begins_with_a_heartbeat_also_when_only_one_is_remembered():
    told = write(0.5, 3, "agent@node-2", "patch", "nodes/node-2:status", "the node's agent started")
    beat = write(180.0, 60, "agent@node-2", "patch", "leases/kube-node-lease/node-2", "heartbeat", "nodes/node-2@3")
    assert history(known(*APPLIED, told, beat, *SILENT[1:]), WEB).episodes[-1].cause.wall == T0 + 180.0


def test_a_pod_that_is_gone_at_once_is_still_the_cause_of_its_successor():
    lines = (
        *APPLIED,
        write(120.00, 50, "cli", "delete", B, "minik8s delete pod web-rs-b --force"),
        write(120.02, 52, "controllers", "create", C, "replica missing", "replicasets/default/web-rs@12"),
        slice_write(120.03, 53, "Pod default/web-rs-b is gone"),
    )
    last = history(known(*lines), WEB).episodes[-1]
    assert stages(last) == [
        (0.0, "deleted", "minik8s-cli"),
        (0.02, "made", "controllers"),
        (0.03, "endpoints", "controllers"),
    ]


def test_a_readiness_that_is_lost_while_running_is_a_cause_of_its_own():
    lost = (
        deed(90.0, "agent@node-1", "probe", f"{A}@23", "it is not ready (Readiness: HTTP 503)", ready=False),
        write(90.01, 80, "agent@node-1", "patch", f"{A}:status", "Running; backend running, not ready", f"{A}@23"),
        slice_write(90.02, 81, "became not ready", f"{A}@80"),
    )
    last = history(known(*APPLIED, *lost), WEB).episodes[-1]
    assert [stage for _, stage, _ in stages(last)] == ["probe", "endpoints"]


def test_a_proxy_that_starts_anew_is_not_blamed_on_the_last_change():
    anew = rules(300.0, "node-1", 31, because="the proxy started: the whole table, 1 Services")
    first, last = history(known(*APPLIED, anew), WEB).episodes
    assert len([one for one in first.stages if one.fact.stage == "rules"]) == 2
    assert last.cause.because.startswith("the proxy started")


def test_questions_and_tokens_changed_nothing_although_the_audit_has_them():
    asked = [
        write(5.0, 12, "kubectl", "create", "selfsubjectaccessreviews/", code=201),
        write(5.1, 12, "agent@node-1", "create", "serviceaccounts/default/default:token", seen=f"{A}@12", code=201),
    ]
    assert known(*APPLIED, *asked) == known(*APPLIED)


def test_refused_writes_changed_nothing():
    refused = write(5.0, 12, "cli", "patch", "deployments/default/web", "again", code=409)
    assert len(history(known(*APPLIED, refused), WEB).episodes) == 1


def test_other_services_are_left_out():
    other = (
        write(7.0, 90, "cli", "create", "services/default/db", "minik8s apply -f db.yaml: db.yaml:1"),
        deed(
            7.1, "proxy@node-1", "rules", "services/default/db@90", "new", services=["default/db"], added=[], removed=[]
        ),
    )
    world = known(*APPLIED, *other)
    assert len(history(world, WEB).episodes) == 1
    assert [stage for _, stage, _ in stages(history(world, "services/default/db").episodes[0])] == ["stored", "rules"]


def test_rules_of_two_services_written_in_one_go_belong_to_each_services_own_cause():
    """A proxy that takes up two changes at once must not bring another namespace's Pods into this history."""
    theirs, slice_ = "services/shop/db", "endpointslices/shop/db-s"
    both = (
        *DIED[:3],
        write(60.05, 90, "cli", "create", theirs, "minik8s apply -f db.yaml: db.yaml:1"),
        write(60.055, 91, "controllers", "create", slice_, "the Service has no slice", f"{theirs}@90"),
        deed(
            60.06,
            "proxy@node-1",
            "rules",
            f"{SLICE}@41 {slice_}@91 {WEB}@11 {theirs}@90",
            "both changed",
            services=["default/web", "shop/db"],
            added=[],
            removed=["default/web:http 10.244.1.2:8080"],
        ),
    )
    ours = history(known(*APPLIED, *both), WEB).episodes
    assert [tell.cause(each.cause) for each in ours][1:] == ["Pod web-rs-a: exit code 137 (agent@node-1)"]
    assert not [stage for each in ours for stage in each.stages if "shop" in stage.fact.object]
    assert stages(history(known(*APPLIED, *both), theirs).episodes[0])[-1] == (0.01, "rules", "proxy@node-1")


def test_a_proxy_that_starts_anew_is_a_cause_also_when_it_names_other_services_first():
    anew = deed(
        300.0,
        "proxy@node-1",
        "rules",
        f"services/default/api@2 {SLICE}@31 {WEB}@11",
        "the proxy started: the whole table, 2 Services",
        services=["default/api", "default/web"],
        added=[],
        removed=[],
    )
    last = history(known(*APPLIED, anew), WEB).episodes[-1]
    assert tell.cause(last.cause) == "the proxy started: the whole table, 2 Services (proxy@node-1)"


def test_a_pods_history_has_its_own_steps_and_the_rules_that_name_it():
    (episode,) = history(known(*APPLIED), A).episodes
    own = [(stage, who) for _, stage, who in stages(episode) if who in ("agent@node-2", "dns@node-1")]
    assert not own
    assert [who for _, stage, who in stages(episode) if stage == "rules"] == ["proxy@node-1", "proxy@node-2"]


def test_a_deployments_history_has_the_pods_of_its_replicasets():
    (episode,) = history(known(*APPLIED), "deployments/default/web").episodes
    assert {stage.fact.object for stage in episode.stages} >= {A, B}


def test_a_pod_that_no_slice_names_belongs_to_the_service_that_selects_it():
    waiting = (
        write(0.0, 11, "cli", "create", WEB, f"{APPLY}: web.yaml:1"),
        write(0.1, 20, "cli", "create", A, f"{APPLY}: web.yaml:9"),
        write(0.2, 21, "scheduler", "create", f"{A}:binding", "fits", f"{A}@20"),
    )
    (episode,) = history(known(*waiting), WEB, selected={WEB: [A]}).episodes
    assert [stage for _, stage, _ in stages(episode)] == ["stored", "made", "bound"]


def test_only_what_is_recent_is_told_when_asked_for():
    everything = known(*APPLIED, *DIED, *DELETED)
    assert len(history(everything, WEB, since=T0 + 100).episodes) == 1


def test_the_order_in_which_journals_are_read_makes_no_difference():
    lines = [*APPLIED, *DIED, *DELETED, *SILENT]
    assert history(known(*lines), WEB) == history(known(*reversed(lines)), WEB)


def test_the_same_reason_ten_seconds_later_is_told_on_a_line_of_its_own():
    again = (
        write(71.9, 43, "agent@node-1", "patch", f"{A}:status", "Running; backend ended with exit code 137", f"{A}@40"),
        slice_write(72.0, 42, DIED[2][1]["because"], f"{A}@43"),
    )
    told = tell.text(history(known(*APPLIED, *DIED, *again), WEB))
    assert [line for line in told.splitlines() if "@41" in line or "@42" in line] == [
        "     +50 ms     10 ms  EndpointSlice web-s written @41 (controllers)",
        "    +12.0 s    100 ms  EndpointSlice web-s written @42 (controllers)",
    ]


@pytest.mark.parametrize("target", [WEB, "deployments/default/web", A, C, "services/default/none"])
def test_the_text_fits_eighty_columns(target):
    told = tell.text(history(known(*APPLIED, *DIED, *DELETED, *SILENT), target))
    assert told.strip()
    assert all(len(line) <= 80 for line in told.splitlines())


def test_a_journal_that_could_not_be_read_is_named():
    from dataclasses import replace

    partly = replace(history(known(*APPLIED), WEB), silent=("proxy@node-2",), machines=3)
    told = tell.text(partly)
    assert "No answer from proxy@node-2" in told
    assert "3 machines" in told
    assert tell.values(partly)["sharedClock"] is False


def test_an_announced_address_belongs_to_the_apply_and_a_lost_node_begins_a_story_of_its_own():
    given = write(0.02, 13, "controllers", "patch", f"{WEB}:status", "it was free", f"{WEB}@11")
    at = {"address": "192.168.56.200", "services": ["default/web"]}
    new = deed(0.03, "proxy@node-1", "announced", f"{WEB}@13", "nobody announced it", **at)
    lost = deed(60.0, "proxy@node-2", "announced", "", "node-1 was lost", **at)
    first, last = history(known(*APPLIED, given, new, lost), WEB).episodes
    assert "announced: Service web at 192.168.56.200 (proxy@node-1)" in tell.episode_text(first)
    assert tell.cause(last.cause) == "Service web: node-1 was lost (proxy@node-2)"
