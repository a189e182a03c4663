"""Validation as a table: one object a line, and exactly what is said about it."""

import pytest
import yaml

from minik8s.api import codec, defaults, kinds
from minik8s.api.validation import validate


def read(text):
    value = yaml.safe_load(text)
    obj = codec.from_dict(kinds.by_kind(value["apiVersion"], value["kind"]), value)
    defaults.set_defaults(obj)
    return obj


def said(text, old=None):
    return [f"{cause.field}: {cause.message}" for cause in validate(read(text), read(old) if old else None)]


def service(spec, name="web"):
    return f"{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{{spec}}}}}"


def pod(spec, name="web"):
    return f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{{spec}}}}}"


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %s
  selector: {matchLabels: {app: %s}}
  strategy: %s
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "minik8s/toolbox:1"}]}
"""

VALID = [
    service("ports: [{port: 80}]"),
    service("selector: {app: web}, type: NodePort, ports: [{port: 80, nodePort: 30080, targetPort: http}]"),
    service("clusterIP: None, clusterIPs: [None], selector: {app: web}"),
    service("type: ExternalName, externalName: example.com."),
    service("ports: [{name: a, port: 53, protocol: UDP}, {name: b, port: 53}]"),
    pod("containers: [{name: c, image: i}]"),
    DEPLOYMENT % (3, "web", "{}"),
    DEPLOYMENT % (0, "web", "{type: Recreate}"),
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a.b-c}, data: {key_1.txt: x}}",
    "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {generateName: web-}, addressType: IPv4, "
    "endpoints: [{addresses: [10.0.0.1]}], ports: [{port: 80}]}",
]

NODE_AFFINITY = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: %s}}}"
TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"

INVALID = [
    (
        pod(f"containers: [{{name: c, image: i}}], {NODE_AFFINITY % '[{matchFields: [{key: a, operator: Is}]}]'}"),
        [f'{TERMS}[0].matchFields[0].operator: Invalid value: "Is": not a valid selector operator'],
    ),
    (
        pod(f"containers: [{{name: c, image: i}}], {NODE_AFFINITY % '[]'}"),
        [f"{TERMS}: Required value: must have at least one node selector term"],
    ),
    (
        pod(
            "containers: [{name: c, image: i}], initContainers: [{name: d, image: i, "
            "lifecycle: {preStop: {sleep: {seconds: 1}}}, readinessProbe: {tcpSocket: {port: 1}}}]"
        ),
        [
            "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without "
            "restartPolicy=Always",
            "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without "
            "restartPolicy=Always",
        ],
    ),
    (
        pod("containers: [{name: c, image: i, lifecycle: {preStop: {}}}]"),
        ["spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"],
    ),
    (
        pod(
            "containers: [{name: c, image: i, lifecycle: {preStop: {sleep: {seconds: 1}, exec: {command: [a]}}}}]",
        ),
        ["spec.containers[0].lifecycle.preStop.sleep: Forbidden: may not specify more than 1 handler type"],
    ),
    (
        pod("containers: [{name: c, image: i}]").replace(
            "name: web}", "name: web, annotations: {minik8s.io/proxy: x}}"
        ),
        ['metadata.annotations[minik8s.io/proxy]: Unsupported value: "x": supported values: "nftables", "sidecar"'],
    ),
    (
        service("ports: [{port: 80}], ipFamilyPolicy: Both"),
        [
            'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: '
            '"PreferDualStack", "RequireDualStack", "SingleStack"'
        ],
    ),
    (
        service("ports: [{port: 70000, targetPort: 80}]"),
        ["spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    (service(""), ["spec.ports: Required value"]),
    (
        service("ports: [{port: 80}, {port: 81}]"),
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    (
        service("ports: [{name: a, port: 80}, {name: a, port: 81}]"),
        ['spec.ports[1].name: Duplicate value: "a"'],
    ),
    (
        service("ports: [{name: a, port: 80}, {name: b, port: 80}]"),
        ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
    ),
    (
        service("type: ClusterPort, ports: [{port: 80}]"),
        [
            'spec.type: Unsupported value: "ClusterPort": supported values: "ClusterIP", "ExternalName", '
            '"LoadBalancer", "NodePort"'
        ],
    ),
    (
        service("ports: [{port: 80, nodePort: 30000}]"),
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    (
        service("type: NodePort, ports: [{port: 80, nodePort: 80}]"),
        [
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. "
            "The range of valid ports is 30000-32767"
        ],
    ),
    (service("type: ExternalName"), ["spec.externalName: Required value"]),
    (pod("containers: []"), ["spec.containers: Required value"]),
    (pod("containers: [{name: c}]"), ["spec.containers[0].image: Required value"]),
    (
        pod("containers: [{name: c, image: i}, {name: c, image: i}]"),
        ['spec.containers[1].name: Duplicate value: "c"'],
    ),
    (
        pod("containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}]"),
        ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ),
    (
        pod("containers: [{name: c, image: i, readinessProbe: {}}]"),
        ["spec.containers[0].readinessProbe: Required value: must specify a handler type"],
    ),
    (
        DEPLOYMENT % (1, "other", "{}"),
        ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ),
    (
        DEPLOYMENT % (-1, "web", "{}"),
        ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ),
    (
        DEPLOYMENT % (1, "web", "{rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"),
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    (
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, "
        "endpoints: [{addresses: ['fd00::1']}, {addresses: []}]}",
        [
            'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be a valid IPv4 address',
            "endpoints[1].addresses: Required value: must contain at least 1 address",
        ],
    ),
]


@pytest.mark.parametrize("text", VALID)
def test_a_valid_object_is_left_in_peace(text):
    assert said(text) == []


@pytest.mark.parametrize(("text", "causes"), INVALID)
def test_a_mistake_is_told_with_its_field_in_kubernetes_words(text, causes):
    assert said(text) == causes


def test_a_service_name_must_begin_with_a_letter_for_it_becomes_a_dns_label():
    (cause,) = said(service("ports: [{port: 80}]", name="1web"))
    assert cause.startswith('metadata.name: Invalid value: "1web": a DNS-1035 label must consist of')


def test_a_cluster_ip_is_kept_for_life():
    old = service("clusterIP: 10.96.0.5, clusterIPs: [10.96.0.5], ports: [{port: 80}]")
    new = service("clusterIP: 10.96.0.6, clusterIPs: [10.96.0.6], ports: [{port: 80}]")
    assert said(new, old) == ['spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set']


def test_who_gives_a_load_balancer_its_address_is_immutable_while_it_is_one():
    text = "{apiVersion: v1, kind: Service, metadata: {name: w}, spec: {type: LoadBalancer, ports: [{port: 80}]%s}}"
    assert said(text % ", loadBalancerClass: a/b", text % "") == [
        'spec.loadBalancerClass: Invalid value: "a/b": field is immutable'
    ]
    assert said(text % ", loadBalancerClass: a/b", (text % "").replace("LoadBalancer", "NodePort")) == []


def test_a_selector_of_a_deployment_is_immutable():
    causes = said(
        DEPLOYMENT.replace("app: web}}", "app: web, a: b}}") % (1, "web, a: b", "{}"), DEPLOYMENT % (1, "web", "{}")
    )
    assert any(cause.endswith("field is immutable") and cause.startswith("spec.selector") for cause in causes)


def test_defaults_filled_in_twice_are_the_same():
    for text in VALID:
        obj = read(text)
        before = codec.encode(obj)
        defaults.set_defaults(obj)
        assert codec.encode(obj) == before


def test_an_image_without_tag_is_always_pulled_and_one_with_a_tag_is_not():
    one = read(pod("containers: [{name: a, image: web}, {name: b, image: 'web:1'}, {name: c, image: 'h:5000/web'}]"))
    assert [each.imagePullPolicy for each in one.spec.containers] == ["Always", "IfNotPresent", "Always"]


def test_a_target_port_left_out_is_the_services_own():
    assert read(service("ports: [{port: 80}]")).spec.ports[0].targetPort == 80
