"""What the command line makes of what the server says: columns, jsonpaths, hints, a rollout's progress."""

import pytest

from minik8s.api import codec, defaults, kinds
from minik8s.cli import jsonpath, output, rollouts, tables
from minik8s.cli.hints import selector_hint
from minik8s.cli.report import Report


def test_columns_are_three_blanks_apart_and_keep_their_width():
    assert tables.layout(["NAME", "AGE"], [["longname", "5m"], ["b", "1s"]]) == [
        "NAME       AGE",
        "longname   5m",
        "b          1s",
    ]
    assert tables.layout(["NAME", "AGE"], [["b", "1s"]], [8, 3])[1] == "b          1s"


@pytest.mark.parametrize(("cell", "text"), [(3, "3"), (True, "true"), (None, ""), ("a\nb", "a..."), ("a", "a")])
def test_a_cell_is_one_line_of_text(cell, text):
    assert tables.text(cell) == text


VALUE = {
    "kind": "List",
    "items": [
        {
            "metadata": {"name": "a", "labels": {"x.y/z": "1"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            "n": 1,
        },
        {"metadata": {"name": "b"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}, "n": 2},
    ],
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "a b"),
        (".kind", "List"),
        ("kind", "List"),
        ("{.items[0].metadata.labels.x\\.y/z}", "1"),
        ("{.items[0].metadata.labels['x.y/z']}", "1"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0:1].metadata.name}", "a"),
        ("{.items[?(@.n>1)].metadata.name}", "b"),
        ('{.items[*].status.conditions[?(@.type=="Ready")].status}', "True False"),
        ("{.items[?(@.metadata.labels)].metadata.name}", "a"),
        ("{..name}", "a b"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.n}{"\\n"}{end}', "a\t1\nb\t2\n"),
        ("{.items[0].metadata}", '{"name":"a","labels":{"x.y/z":"1"}}'),
        ("{.nothing}", ""),
        ("{$.kind}: {.items[0]['metadata'].name}", "List: a"),
    ],
)
def test_a_jsonpath_gives(template, text):
    assert jsonpath.render(template, VALUE) == text


@pytest.mark.parametrize("template", ["{.items[}", "{.items[x]}", "{range .items[*]}", "{.a", "{.items[?(@.n ~ 1)]}"])
def test_a_jsonpath_that_cannot_be_read_is_refused(template):
    with pytest.raises(ValueError, match="jsonpath"):
        jsonpath.render(template, VALUE)


def test_several_objects_are_a_list_and_bookkeeping_is_left_out():
    values = [{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "managedFields": [1]}}] * 2
    assert output.render("name", values, single=False) == "pod/a\npod/a\n"
    assert output.render("yaml", values[:1], single=True) == "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"
    assert output.render("yaml", values, single=False).startswith("apiVersion: v1\nitems:\n- apiVersion: v1\n")
    with pytest.raises(ValueError, match='output format "xml"'):
        output.check("xml")


@pytest.mark.parametrize(
    ("selector", "pods", "hint"),
    [
        ({"app": "web"}, [{"app": "web"}], ""),
        ({}, [], ""),
        ({"app": "web"}, [], "No Pod has app=web: there are no Pods in this namespace."),
        ({"app": "web"}, [{"app": "wbe"}] * 3, "No Pod has app=web. 3 Pods have app=wbe."),
        ({"app": "web"}, [{"run": "web"}], "No Pod has app=web. 1 Pod has run=web."),
        (
            {"app": "web", "tier": "front"},
            [{"app": "web", "tier": "frnt"}],
            "No Pod has app=web,tier=front. 1 Pod has tier=frnt.",
        ),
        ({"app": "web"}, [{"color": "blue"}], "No Pod has app=web. Pods here have: color=blue."),
        ({"app": "web"}, [{"app": "database"}, {"app": "Web"}], "No Pod has app=web. 1 Pod has app=Web."),
    ],
)
def test_a_selector_without_pods_is_told_what_it_nearly_matches(selector, pods, hint):
    assert selector_hint(selector, pods) == hint


@pytest.mark.parametrize(
    ("status", "text", "done"),
    [
        ({"observedGeneration": 1}, "Waiting for deployment spec update to be observed...", False),
        ({"updatedReplicas": 1}, "1 out of 3 new replicas have been updated...", False),
        ({"updatedReplicas": 3, "replicas": 4}, "1 old replicas are pending termination...", False),
        (
            {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 2},
            "2 of 3 updated replicas are available...",
            False,
        ),
        (
            {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3},
            'deployment "web" successfully rolled out',
            True,
        ),
    ],
)
def test_a_rollouts_progress_is_told(status, text, done):
    value = {
        "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 2, **status},
    }
    said, over = rollouts.progress(codec.from_dict(kinds.find("deploy"), value))
    assert said.endswith(text) and over == done


def test_a_description_has_its_values_in_one_column():
    report = Report()
    report.field("Name", "web")
    report.pairs("Labels", {"b": "2", "a": "1"})
    report.head("IPs")
    report.field("IP", "10.0.0.1", 1)
    report.table(["Type", "Age"], [["Normal", "5s"]])
    assert report.lines() == [
        "Name:    web",
        "Labels:  a=1",
        "         b=2",
        "IPs:",
        "  IP:  10.0.0.1",
        "  Type    Age",
        "  ----    ---",
        "  Normal  5s",
    ]


SETS = [
    ({"replicas": 2}, {"readyReplicas": 1}, "Waiting for 1 pods to be ready...", False),
    ({"replicas": 2}, {"readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"},
     "waiting for statefulset rolling update to complete 1 pods at revision b...", False),
    ({"replicas": 2}, {"readyReplicas": 2, "currentReplicas": 2, "currentRevision": "b", "updateRevision": "b"},
     "statefulset rolling update complete 2 pods at revision b...", True),
    ({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}, {"readyReplicas": 3, "updatedReplicas": 1},
     "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...", False),
    ({"updateStrategy": {"type": "OnDelete"}}, {},
     "error: rollout status is only available for RollingUpdate strategy type, not OnDelete", True),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "status", "said", "over"), SETS)
def test_a_stateful_sets_rollout_is_told_in_kubectls_words(spec, status, said, over):
    obj = codec.from_dict(kinds.find("sts"), {"metadata": {"name": "db"}, "spec": spec, "status": status})
    defaults.set_defaults(obj)
    assert rollouts.progress(obj) == (said, over)


DAEMONS = [
    ({"updatedNumberScheduled": 1}, "1 out of 3 new pods have been updated...", False),
    ({"updatedNumberScheduled": 3, "numberAvailable": 2}, "2 of 3 updated pods are available...", False),
    ({"updatedNumberScheduled": 3, "numberAvailable": 3}, 'daemon set "log" successfully rolled out', True),
]


@pytest.mark.parametrize(("status", "said", "over"), DAEMONS)
def test_a_daemon_sets_rollout_is_told_in_kubectls_words(status, said, over):
    plain = {"metadata": {"name": "log"}, "status": {"desiredNumberScheduled": 3, **status}}
    obj = codec.from_dict(kinds.find("ds"), plain)
    defaults.set_defaults(obj)
    text, done = rollouts.progress(obj)
    assert text.endswith(said) and done is over
