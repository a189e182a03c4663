"""What a row says of each kind: kubectl's headings, and cells made for people."""

import json

import pytest

from minik8s.api import codec, kinds
from minik8s.apiserver import tables

NOW = 1_700_000_000.0
BORN = "2023-11-14T22:08:20Z"  # five minutes before
META = {"name": "web", "namespace": "shop", "creationTimestamp": BORN}
TEMPLATE = {"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "j"}]}}
SELECTOR = {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]}


def shown(word, value):
    """The headings (those of -o wide after a bar) and the cells of an object."""
    cls = kinds.find(word)
    row = json.loads(tables.row(cls, json.dumps({"metadata": META, **value}).encode(), NOW))
    columns = json.loads(tables.definitions(cls))
    assert len(columns) == len(row["cells"])
    marked = [("|" if column["priority"] else "") + column["name"].upper() for column in columns]
    return " ".join(name.replace(" ", "_") for name in marked), row["cells"]


WORKLOAD = "|CONTAINERS |IMAGES |SELECTOR"
ROWS = [
    (
        "services",
        {
            "spec": {
                "type": "NodePort",
                "clusterIP": "10.96.1.1",
                "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}],
                "selector": {"b": "2", "a": "1"},
            }
        },
        "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE |SELECTOR",
        ["web", "NodePort", "10.96.1.1", "<none>", "80:30080/TCP,53/UDP", "5m", "a=1,b=2"],
    ),
    (
        "services",
        {"spec": {"type": "ExternalName", "externalName": "a.test"}},
        "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE |SELECTOR",
        ["web", "ExternalName", "<none>", "a.test", "<none>", "5m", "<none>"],
    ),
    (
        "services",
        {
            "spec": {"type": "LoadBalancer", "externalIPs": ["10.0.0.1"]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.168.56.201"}, {"ip": "192.168.56.200"}]}},
        },
        "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE |SELECTOR",
        ["web", "LoadBalancer", "<none>", "192.168.56.200,192.168.56.201,10.0.0.1", "<none>", "5m", "<none>"],
    ),
    (
        "services",
        {"spec": {"type": "LoadBalancer"}},
        "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE |SELECTOR",
        ["web", "LoadBalancer", "<none>", "<pending>", "<none>", "5m", "<none>"],
    ),
    (
        "deployments",
        {
            "spec": {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE},
            "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1},
        },
        f"NAME READY UP-TO-DATE AVAILABLE AGE {WORKLOAD}",
        ["web", "2/3", 3, 1, "5m", "c,d", "i,j", "app=web,!old"],
    ),
    (
        "replicasets",
        {"spec": {"replicas": 0, "template": TEMPLATE}, "status": {"replicas": 2, "readyReplicas": 1}},
        f"NAME DESIRED CURRENT READY AGE {WORKLOAD}",
        ["web", 0, 2, 1, "5m", "c,d", "i,j", "<none>"],
    ),
    (
        "statefulsets",
        {"spec": {"replicas": 3, "template": TEMPLATE}, "status": {"replicas": 3, "readyReplicas": 2}},
        "NAME READY AGE |CONTAINERS |IMAGES",
        ["web", "2/3", "5m", "c,d", "i,j"],
    ),
    (
        "daemonsets",
        {
            "spec": {
                "selector": SELECTOR,
                "template": {"spec": TEMPLATE["spec"] | {"nodeSelector": {"z": "1", "a": "2"}}},
            },
            "status": {
                "desiredNumberScheduled": 6,
                "currentNumberScheduled": 5,
                "numberReady": 4,
                "updatedNumberScheduled": 3,
                "numberAvailable": 2,
                "numberMisscheduled": 1,
            },
        },
        f"NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE_SELECTOR AGE {WORKLOAD}",
        ["web", 6, 5, 4, 3, 2, "a=2,z=1", "5m", "c,d", "i,j", "app=web,!old"],
    ),
    (
        "controllerrevisions",
        {
            "metadata": META
            | {
                "ownerReferences": [
                    {"apiVersion": "example.com/v1", "kind": "Strange", "name": "s", "uid": "u", "controller": True}
                ]
            },
            "revision": 3,
        },
        "NAME CONTROLLER REVISION AGE",
        ["web", "strange.example.com/s", 3, "5m"],
    ),
    (
        "rolebindings",
        {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [
                {"kind": "User", "name": "jane"},
                {"kind": "User", "name": "joe"},
                {"kind": "Group", "name": "devs"},
                {"kind": "ServiceAccount", "name": "robot", "namespace": "shop"},
            ],
        },
        "NAME ROLE AGE |USERS |GROUPS |SERVICEACCOUNTS",
        ["web", "ClusterRole/view", "5m", "jane, joe", "devs", "shop/robot"],
    ),
    ("roles", {}, "NAME CREATED_AT", ["web", BORN]),
    (
        "endpoints",
        {"subsets": [{"addresses": [{"ip": f"10.0.0.{i}"} for i in range(5)], "ports": [{"port": 80}]}]},
        "NAME ENDPOINTS AGE",
        ["web", "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more...", "5m"],
    ),
    (
        "endpoints",
        {"subsets": [{"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 80}]}, {"addresses": [{"ip": "10.0.0.1"}]}]},
        "NAME ENDPOINTS AGE",
        ["web", "[fd00::1]:80,10.0.0.1", "5m"],
    ),
    (
        "endpoints",
        {"subsets": [{"notReadyAddresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
        "NAME ENDPOINTS AGE",
        ["web", "", "5m"],
    ),
    ("endpoints", {}, "NAME ENDPOINTS AGE", ["web", "<none>", "5m"]),
    (
        "endpointslices",
        {"addressType": "IPv4"},
        "NAME ADDRESSTYPE PORTS ENDPOINTS AGE",
        ["web", "IPv4", "<unset>", "<unset>", "5m"],
    ),
    (
        "endpointslices",
        {
            "addressType": "IPv6",
            "ports": [{"port": 80}, {"name": "all"}, {}],
            "endpoints": [{"addresses": ["fd00::1"]}, {"addresses": ["fd00::2"]}],
        },
        "NAME ADDRESSTYPE PORTS ENDPOINTS AGE",
        ["web", "IPv6", "80,all,*", "fd00::1,fd00::2", "5m"],
    ),
    (
        "ingresses",
        {
            "spec": {"ingressClassName": "minik8s", "tls": [{}], "rules": [{"host": "a.test"}, {}]},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.168.56.12"}, {"ip": "192.168.56.11"}]}},
        },
        "NAME CLASS HOSTS ADDRESS PORTS AGE",
        ["web", "minik8s", "a.test", "192.168.56.11,192.168.56.12", "80, 443", "5m"],
    ),
    (
        "ingresses",
        {"spec": {"rules": [{}]}},
        "NAME CLASS HOSTS ADDRESS PORTS AGE",
        ["web", "<none>", "*", "", "80", "5m"],
    ),
    (
        "ingressclasses",
        {"spec": {"controller": "a.io/b", "parameters": {"apiGroup": "a.io", "kind": "Config", "name": "x"}}},
        "NAME CONTROLLER PARAMETERS AGE",
        ["web", "a.io/b", "Config.a.io/x", "5m"],
    ),
    (
        "ipaddresses",
        {"spec": {"parentRef": {"resource": "services", "namespace": "shop", "name": "web"}}},
        "NAME PARENTREF AGE",
        ["web", "services/shop/web", "5m"],
    ),
    ("configmaps", {"data": {"a": "1"}, "binaryData": {"b": "Mg=="}}, "NAME DATA AGE", ["web", 2, "5m"]),
    ("secrets", {"type": "Opaque", "data": {"a": "MQ=="}}, "NAME TYPE DATA AGE", ["web", "Opaque", 1, "5m"]),
    ("serviceaccounts", {}, "NAME SECRETS AGE", ["web", 0, "5m"]),
    ("namespaces", {"status": {"phase": "Active"}}, "NAME STATUS AGE", ["web", "Active", "5m"]),
    ("leases", {"spec": {"holderIdentity": "me"}}, "NAME HOLDER AGE", ["web", "me", "5m"]),
    ("leases", {}, "NAME HOLDER AGE", ["web", "", "5m"]),
    (
        "nodes",
        {
            "metadata": META
            | {"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge", "a": "b"}},
            "spec": {"unschedulable": True},
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}],
                "addresses": [
                    {"type": "InternalIP", "address": "192.168.56.11"},
                    {"type": "InternalIP", "address": "fd00:56::11"},
                ],
                "nodeInfo": {
                    "kubeletVersion": "v1.33.0",
                    "kernelVersion": "6.1",
                    "osImage": "Debian",
                    "containerRuntimeVersion": "docker://20",
                },
            },
        },
        "NAME STATUS ROLES AGE VERSION |INTERNAL-IP |EXTERNAL-IP |OS-IMAGE |KERNEL-VERSION |CONTAINER-RUNTIME",
        [
            "web",
            "Ready,SchedulingDisabled",
            "edge,worker",
            "5m",
            "v1.33.0",
            "192.168.56.11",
            "<none>",
            "Debian",
            "6.1",
            "docker://20",
        ],
    ),
    (
        "events",
        {
            "involvedObject": {"kind": "Pod", "name": "web-1", "fieldPath": "spec.containers{c}"},
            "reason": "Started",
            "message": "said\n",
            "type": "Normal",
            "source": {"component": "kubelet", "host": "node-1"},
            "firstTimestamp": BORN,
            "lastTimestamp": "2023-11-14T22:13:10Z",
            "count": 3,
        },
        "LAST_SEEN TYPE REASON OBJECT |SUBOBJECT |SOURCE MESSAGE |FIRST_SEEN |COUNT |NAME",
        ["10s", "Normal", "Started", "pod/web-1", "spec.containers{c}", "kubelet, node-1", "said", "5m", 3, "web"],
    ),
    (
        "events",
        {
            "eventTime": BORN,
            "series": {"count": 9, "lastObservedTime": "2023-11-14T22:13:10Z"},
            "reportingComponent": "a",
        },
        "LAST_SEEN TYPE REASON OBJECT |SUBOBJECT |SOURCE MESSAGE |FIRST_SEEN |COUNT |NAME",
        ["10s", "", "", "", "", "a", "", "5m", 9, "web"],
    ),
]


@pytest.mark.parametrize(
    ("word", "value", "headings", "cells"), ROWS, ids=[f"{at}-{row[0]}" for at, row in enumerate(ROWS)]
)
def test_a_row_has_kubectls_headings_and_cells(word, value, headings, cells):
    assert shown(word, value) == (headings, cells)


@pytest.mark.parametrize("cls", kinds.KINDS, ids=lambda cls: cls.resource.qualified)
def test_every_kind_has_a_row_even_of_an_empty_object(cls):
    row = json.loads(tables.row(cls, codec.encode(cls()), NOW))
    columns = json.loads(tables.definitions(cls))
    assert len(row["cells"]) == len(columns)
    assert [column["name"] for column in columns if column["format"] == "name"] == ["Name"]
    assert all(column["description"] and column["type"] for column in columns)


def test_a_kind_without_columns_of_its_own_shows_when_it_was_created():
    class Strange(kinds.KINDS[0]):
        pass

    row = json.loads(tables.row(Strange, json.dumps({"metadata": META}).encode(), NOW))
    assert row == {"cells": ["web", BORN]}
    assert [column["name"] for column in json.loads(tables.definitions(Strange))] == ["Name", "Created At"]
