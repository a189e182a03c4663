"""What Kubernetes stores for what was left out, to the letter; and how it writes quantities."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import codec, defaults, kinds, quantity

POD_SPEC = """
  dnsPolicy: ClusterFirst
  restartPolicy: Always
  schedulerName: default-scheduler
  securityContext: {}
  terminationGracePeriodSeconds: 30
"""
CONTAINER = """
      - name: c
        image: web:1
        imagePullPolicy: IfNotPresent
        resources: {}
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
"""
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "web:1"}]}}
FULL = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {**yaml.safe_load(POD_SPEC), "containers": yaml.safe_load(CONTAINER)},
}

# What is given as spec, and what is stored as spec; `+` is what is given.
STORED = [
    (
        "Deployment",
        "{}",
        "{replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600,"
        " strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}}",
    ),
    (
        "Deployment",
        "{replicas: 0, strategy: {type: Recreate}}",
        "{replicas: 0, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {type: Recreate}}",
    ),
    ("ReplicaSet", "{}", "{replicas: 1}"),
    (
        "StatefulSet",
        "{}",
        "{replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: OrderedReady,"
        " updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 0}},"
        " persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}}",
    ),
    (
        "DaemonSet",
        "{}",
        "{revisionHistoryLimit: 10, updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0,"
        " maxUnavailable: 1}}}",
    ),
]


def filled(kind, api="apps/v1", **fields):
    obj = codec.from_dict(kinds.by_kind(api, kind), {"metadata": {"name": "x"}, **fields})
    defaults.set_defaults(obj)
    return codec.to_dict(obj)


@pytest.mark.parametrize(("kind", "spec", "stored"), STORED)
def test_workloads_are_stored_as_kubernetes_stores_them(kind, spec, stored):
    found = filled(kind, spec={**yaml.safe_load(spec), "template": TEMPLATE})["spec"]
    assert found == {**yaml.safe_load(stored), "template": FULL}


def test_a_pod_is_stored_as_kubernetes_stores_it():
    container = {
        "name": "c",
        "image": "web:1",
        "resources": {"limits": {"cpu": 0.5, "memory": "0.5Gi"}},
        "ports": [{"containerPort": 80}],
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "readinessProbe": {"httpGet": {"port": 80}},
        "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
    }
    volumes = [{"name": "v", "configMap": {"name": "m"}}, {"name": "w", "secret": {"secretName": "s"}}]
    stored = yaml.safe_load(
        POD_SPEC
        + """
  enableServiceLinks: true
  hostNetwork: true
  preemptionPolicy: PreemptLowerPriority
  priority: 0
  serviceAccount: default
  serviceAccountName: default
  volumes:
  - {name: v, configMap: {name: m, defaultMode: 420}}
  - {name: w, secret: {secretName: s, defaultMode: 420}}
  containers:
  - name: c
    image: web:1
    imagePullPolicy: IfNotPresent
    resources: {limits: {cpu: 500m, memory: 512Mi}, requests: {cpu: 500m, memory: 512Mi}}
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
    ports: [{containerPort: 80, hostPort: 80, protocol: TCP}]
    env: [{name: A, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: metadata.name}}}]
    lifecycle: {preStop: {httpGet: {path: /, port: 80, scheme: HTTP}}}
    readinessProbe:
      failureThreshold: 3
      httpGet: {path: /, port: 80, scheme: HTTP}
      periodSeconds: 10
      successThreshold: 1
      timeoutSeconds: 1
"""
    )
    spec = {"containers": [container], "volumes": volumes, "hostNetwork": True}
    assert filled("Pod", "v1", spec=spec)["spec"] == stored


def test_what_a_pod_gets_when_it_is_made_is_not_in_its_template():
    limited = {"name": "c", "image": "web:1", "resources": {"limits": {"cpu": 1}}, "ports": [{"containerPort": 80}]}
    template = {"metadata": {}, "spec": {"containers": [limited], "hostNetwork": True, "serviceAccountName": "sa"}}
    spec = filled("Deployment", spec={"template": template})["spec"]["template"]["spec"]
    assert spec["containers"][0]["resources"] == {"limits": {"cpu": "1"}}
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert (spec["serviceAccount"], "enableServiceLinks" in spec, "priority" in spec) == ("sa", False, False)


SERVICES = [
    (
        "{}",
        "{type: ClusterIP, sessionAffinity: None, internalTrafficPolicy: Cluster}",
    ),
    (
        "{ports: [{port: 80}], externalIPs: [1.2.3.4], sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}}",
        "{type: ClusterIP, sessionAffinity: None, internalTrafficPolicy: Cluster, externalTrafficPolicy: Cluster,"
        " externalIPs: [1.2.3.4], ports: [{port: 80, protocol: TCP, targetPort: 80}]}",
    ),
    (
        "{type: LoadBalancer, sessionAffinity: ClientIP}",
        "{type: LoadBalancer, sessionAffinity: ClientIP, internalTrafficPolicy: Cluster,"
        " externalTrafficPolicy: Cluster, allocateLoadBalancerNodePorts: true,"
        " sessionAffinityConfig: {clientIP: {timeoutSeconds: 10800}}}",
    ),
    (
        "{type: ExternalName, externalName: a.b, ports: [{port: 80}]}",
        "{type: ExternalName, externalName: a.b, sessionAffinity: None,"
        " ports: [{port: 80, protocol: TCP, targetPort: 80}]}",
    ),
]


@pytest.mark.parametrize(("spec", "stored"), SERVICES)
def test_services_are_stored_as_kubernetes_stores_them(spec, stored):
    assert filled("Service", "v1", spec=yaml.safe_load(spec))["spec"] == yaml.safe_load(stored)


WRITTEN = {
    "0.5": "500m", "1000m": "1", "1024Mi": "1Gi", "0.5Gi": "512Mi", "1500Mi": "1500Mi", "100.5Mi": "102912Ki",
    "1e3": "1e3", "1.5e3": "1500", "12E": "12E", "1000": "1k", "2000000": "2M", "0Mi": "0", "0.1Ki": "102400m",
    "-1000m": "-1", "0.5n": "1n", ".5": "500m", "+1": "1",
}  # fmt: skip


@pytest.mark.parametrize(("given", "stored"), WRITTEN.items())
def test_a_quantity_has_one_way_to_be_written(given, stored):
    assert quantity.canonical(given) == stored


@given(
    st.integers(-(10**6), 10**6),
    st.integers(0, 3),
    st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"]),
)
def test_a_quantity_stays_the_same_number_in_the_same_words(number, places, suffix):
    text = f"{number / 10**places:.{places}f}{suffix}"
    once = quantity.canonical(text)
    assert quantity.parse(once) == quantity.parse(text)
    assert quantity.canonical(once) == once
