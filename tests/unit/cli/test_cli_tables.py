"""Tables and words: what `get` prints of each kind, how long ago, and what a Pod's STATUS says."""

import pytest

from minik8s.api import codec, kinds
from minik8s.api.pods import Pod
from minik8s.cli import jsonpath, output, podstatus, rollouts, tables
from minik8s.cli.durations import human
from minik8s.cli.hints import selector_hint
from minik8s.cli.report import Report

NOW = 1_700_000_000.0
BORN = "2023-11-14T22:08:20Z"  # five minutes before
META = {"name": "web", "namespace": "shop", "creationTimestamp": BORN}


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


ROWS = {
    "services": (
        {
            "spec": {
                "type": "NodePort",
                "clusterIP": "10.96.1.1",
                "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}],
                "selector": {"b": "2", "a": "1"},
            }
        },
        ["web", "NodePort", "10.96.1.1", "<none>", "80:30080/TCP,53/UDP", "5m", "a=1,b=2"],
    ),
    "deployments": (
        {
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}},
            },
            "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
        },
        ["web", "2/3", "3", "1", "5m", "c", "i", "app=web"],
    ),
    "endpoints": (
        {"subsets": [{"addresses": [{"ip": f"10.0.0.{i}"} for i in range(5)], "ports": [{"port": 80}]}]},
        ["web", "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more...", "5m"],
    ),
    "ingresses": (
        {
            "spec": {"ingressClassName": "minik8s", "tls": [{}], "rules": [{"host": "a.test"}, {}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.168.56.11"}, {"ip": "192.168.56.12"}]}},
        },
        ["web", "minik8s", "a.test,*", "192.168.56.11,192.168.56.12", "80, 443", "5m"],
    ),
    "ingressclasses": (
        {"spec": {"controller": "a.io/b", "parameters": {"apiGroup": "a.io", "kind": "Config", "name": "x"}}},
        ["web", "a.io/b", "Config.a.io/x", "5m"],
    ),
    "endpointslices": ({"addressType": "IPv4"}, ["web", "IPv4", "<unset>", "<unset>", "5m"]),
    "configmaps": ({"data": {"a": "1", "b": "2"}}, ["web", "2", "5m"]),
    "nodes": (
        {
            "metadata": META | {"labels": {"node-role.kubernetes.io/control-plane": ""}},
            "spec": {"unschedulable": True},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "addresses": [{"type": "InternalIP", "address": "192.168.56.11"}],
                "nodeInfo": {
                    "kubeletVersion": "v1.33.0",
                    "kernelVersion": "6.1",
                    "osImage": "Debian",
                    "containerRuntimeVersion": "docker://20",
                },
            },
        },
        [
            "web",
            "Ready,SchedulingDisabled",
            "control-plane",
            "5m",
            "v1.33.0",
            "192.168.56.11",
            "<none>",
            "Debian",
            "6.1",
            "docker://20",
        ],
    ),
}


@pytest.mark.parametrize(("word", "row"), ROWS.items(), ids=ROWS.keys())
def test_a_row_has_kubectls_cells(word, row):
    value, cells = row
    cls = kinds.find(word)
    obj = codec.from_dict(cls, {"metadata": META, **value})
    headings, (found,) = tables.rows(cls, [obj], NOW, wide=True)
    assert found == cells and len(headings) == len(cells)


@pytest.mark.parametrize("cls", kinds.KINDS, ids=lambda cls: cls.resource.plural)
def test_every_kind_has_a_table_even_of_an_empty_object(cls):
    for wide in (False, True):
        headings, (cells,) = tables.rows(cls, [cls()], NOW, wide)
        assert len(headings) == len(cells)


def test_columns_are_three_blanks_apart_and_keep_their_width():
    assert tables.layout(["NAME", "AGE"], [["longname", "5m"], ["b", "1s"]]) == [
        "NAME       AGE",
        "longname   5m",
        "b          1s",
    ]
    assert tables.layout(["NAME", "AGE"], [["b", "1s"]], [8, 3])[1] == "b          1s"


def pod(**status) -> Pod:
    deleted = status.pop("deleted", None)
    spec = {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}
    return codec.from_dict(Pod, {"metadata": {"deletionTimestamp": deleted}, "spec": spec, "status": status})


RUNNING = {"name": "a", "ready": True, "state": {"running": {}}}
DONE = {"name": "i", "state": {"terminated": {"exitCode": 0}}}
WORDS = {
    "Pending": {"phase": "Pending"},
    "Running": {"phase": "Running", "containerStatuses": [RUNNING]},
    "CrashLoopBackOff": {
        "phase": "Running",
        "containerStatuses": [RUNNING, {"name": "b", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
    },
    "Error": {
        "phase": "Running",
        "containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}],
    },
    "ExitCode:3": {"phase": "Failed", "containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": 3}}}]},
    "Signal:9": {
        "phase": "Failed",
        "containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": 137, "signal": 9}}}],
    },
    "Init:0/1": {"phase": "Pending", "initContainerStatuses": [{"name": "i", "state": {"running": {}}}]},
    "Init:Error": {
        "phase": "Pending",
        "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}],
    },
    "ErrImagePull": {
        "phase": "Pending",
        "initContainerStatuses": [DONE],
        "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ErrImagePull"}}}],
    },
    "Terminating": {"phase": "Running", "deleted": BORN, "containerStatuses": [RUNNING]},
    "Evicted": {"phase": "Failed", "reason": "Evicted"},
    "NotReady": {
        "phase": "Running",
        "containerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}, RUNNING],
    },
}


@pytest.mark.parametrize(("word", "status"), WORDS.items(), ids=WORDS.keys())
def test_a_pods_status_is(word, status):
    assert podstatus.reason(pod(**dict(status))) == word


def test_restarts_say_when_the_last_was():
    status = {"name": "a", "restartCount": 2, "lastState": {"terminated": {"finishedAt": "2023-11-14T22:13:05Z"}}}
    assert podstatus.restarts(pod(containerStatuses=[status]), NOW) == "2 (15s ago)"
    assert podstatus.restarts(pod(), NOW) == "0"


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
