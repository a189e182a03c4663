"""What would be ignored, or fail later where nobody looks, is refused at the door: a line for each, and its field."""

import pytest
import yaml

from minik8s.api import codec, defaults, kinds
from minik8s.api.validation import validate

C = "containers: [{name: c, image: 'i:1'%s}]"
KINDS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "EndpointSlice": "discovery.k8s.io/v1"}


def refused(kind, text):
    value = yaml.safe_load(text)
    value = {"apiVersion": KINDS.get(kind, "v1"), "kind": kind, "metadata": {"name": "v"}, **value}
    obj = codec.from_dict(kinds.by_kind(value["apiVersion"], kind), value)
    defaults.set_defaults(obj)
    return [cause.field for cause in validate(obj)]


def container(more):
    return "{spec: {" + C % f", {more}" + "}}"


def pod(more):
    return "{spec: {" + more + ", " + C % "" + "}}"


def deployment(spec="", template=""):
    inner = f"{{metadata: {{labels: {{a: b}}}}, spec: {{{template}{C % ''}}}}}"
    return f"{{spec: {{selector: {{matchLabels: {{a: b}}}}, {spec} template: {inner}}}}}"


ONE = "spec.containers[0]"
REFUSED = [
    ("Secret", "{data: {a: '!!!'}}", "data[a]"),
    ("ConfigMap", "{binaryData: {a: '!!!'}}", "binaryData[a]"),
    ("ConfigMap", "{metadata: {name: v, finalizers: [foo]}}", "metadata.finalizers[0]"),
    ("Pod", container("env: [{name: A, valueFrom: {resourceFieldRef: {resource: cpu}}}]"),
     f"{ONE}.env[0].valueFrom.resourceFieldRef.resource"),
    ("Pod", container("env: [{name: A, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: x}}}]"),
     f"{ONE}.env[0].valueFrom.resourceFieldRef.divisor"),
    ("Pod", pod("volumes: [{name: v, downwardAPI: {items: [{path: a, resourceFieldRef: {resource: limits.cpu}}]}}]"),
     "spec.volumes[0].downwardAPI.items[0].resourceFieldRef.containerName"),
    ("Pod", pod("volumes: [{name: v, hostPath: {path: ''}}]"), "spec.volumes[0].hostPath.path"),
    ("Deployment", deployment("minReadySeconds: 5, progressDeadlineSeconds: 5,"), "spec.progressDeadlineSeconds"),
    ("Deployment", deployment(template="activeDeadlineSeconds: 5, "), "spec.template.spec.activeDeadlineSeconds"),
    ("Pod", "{spec: {hostNetwork: true, " + C % ", ports: [{containerPort: 80, hostPort: 81}]" + "}}",
     f"{ONE}.ports[0].containerPort"),
    ("Pod", container("ports: [{containerPort: 80, hostPort: 8}, {containerPort: 81, hostPort: 8}]"),
     f"{ONE}.ports[1].hostPort"),
    ("Pod", container("ports: [{containerPort: 80, hostIP: foo}]"), f"{ONE}.ports[0].hostIP"),
    ("Pod", container("resources: {limits: {cpu: 1}, requests: {cpu: 2}}"), f"{ONE}.resources.requests"),
    ("Pod", container("resources: {requests: {cpus: 1}}"), f"{ONE}.resources.requests[cpus]"),
    ("Pod", container("env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.foo}}}]"),
     f"{ONE}.env[0].valueFrom.fieldRef.fieldPath"),
    ("Pod", container("env: [{name: A, valueFrom: {secretKeyRef: {key: x}}}]"),
     f"{ONE}.env[0].valueFrom.secretKeyRef.name"),
    ("Pod", container("envFrom: [{}]"), f"{ONE}.envFrom[0]"),
    ("Pod", container("envFrom: [{prefix: '1=', configMapRef: {name: a}}]"), f"{ONE}.envFrom[0].prefix"),
    ("Pod", container("livenessProbe: {httpGet: {port: 80}, successThreshold: 3}"),
     f"{ONE}.livenessProbe.successThreshold"),
    ("Pod", container("readinessProbe: {httpGet: {port: 80, scheme: FTP}}"), f"{ONE}.readinessProbe.httpGet.scheme"),
    ("Pod", container("readinessProbe: {exec: {}}"), f"{ONE}.readinessProbe.exec.command"),
    ("Pod", container("terminationMessagePolicy: Foo"), f"{ONE}.terminationMessagePolicy"),
    ("Pod", container("securityContext: {runAsUser: -1}"), f"{ONE}.securityContext.runAsUser"),
    ("Pod", "{spec: {containers: [{name: c, image: ' i:1'}]}}", f"{ONE}.image"),
    ("Pod", pod("tolerations: [{key: a, operator: Exists, value: b}]"), "spec.tolerations[0].operator"),
    ("Pod", pod("tolerations: [{operator: Equal}]"), "spec.tolerations[0].operator"),
    ("Pod", pod("tolerations: [{key: a, effect: Foo}]"), "spec.tolerations[0].effect"),
    ("Pod", pod("tolerations: [{key: a, effect: NoSchedule, tolerationSeconds: 5}]"), "spec.tolerations[0].effect"),
    ("Pod", pod("volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]"), "spec.volumes[1].name"),
    ("Pod", pod("volumes: [{name: V_, emptyDir: {}}]"), "spec.volumes[0].name"),
    ("Pod", pod("volumes: [{name: v, configMap: {}}]"), "spec.volumes[0].configMap.name"),
    ("Pod", pod("volumes: [{name: v, secret: {secretName: s, items: [{key: a, path: ../x}]}}]"),
     "spec.volumes[0].secret.items[0].path"),
    ("Pod", pod("volumes: [{name: v, configMap: {name: c, defaultMode: 9999}}]"),
     "spec.volumes[0].configMap.defaultMode"),
    ("Pod", "{spec: {volumes: [{name: v, emptyDir: {}}], "
     + C % ", volumeMounts: [{name: v, mountPath: /a}, {name: v, mountPath: /a}]" + "}}",
     f"{ONE}.volumeMounts[1].mountPath"),
    ("Pod", "{spec: {volumes: [{name: v, emptyDir: {}}], "
     + C % ", volumeMounts: [{name: v, mountPath: /a, subPath: ../x}]" + "}}", f"{ONE}.volumeMounts[0].subPath"),
    ("Pod", pod("activeDeadlineSeconds: 0"), "spec.activeDeadlineSeconds"),
    ("Pod", pod("dnsConfig: {nameservers: [foo]}"), "spec.dnsConfig.nameservers[0]"),
    ("Pod", pod("dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}"), "spec.dnsConfig.nameservers"),
    ("Pod", pod("dnsConfig: {searches: [-x]}"), "spec.dnsConfig.searches[0]"),
    ("Pod", pod(f"dnsConfig: {{searches: {[f'd{n}.x' for n in range(33)]}}}"), "spec.dnsConfig.searches"),
    ("Pod", pod(f"dnsConfig: {{searches: {['x' * 63 + f'.n{n}.x' for n in range(30)]}}}"), "spec.dnsConfig.searches"),
    ("Pod", pod("dnsConfig: {options: [{value: '2'}]}"), "spec.dnsConfig.options[0]"),
    ("Pod", pod("hostAliases: [{ip: 1.2.3.4, hostnames: [a_b]}]"), "spec.hostAliases[0].hostnames[0]"),
    ("Pod", pod("nodeSelector: {'a b': c}"), "spec.nodeSelector"),
    ("Pod", pod("preemptionPolicy: Foo"), "spec.preemptionPolicy"),
    ("Pod", pod("serviceAccountName: 'A B'"), "spec.serviceAccountName"),
    ("Service", "{spec: {ports: [{port: 80}], loadBalancerClass: x}}", "spec.loadBalancerClass"),
    ("Service", "{spec: {ports: [{port: 80}], allocateLoadBalancerNodePorts: false}}",
     "spec.allocateLoadBalancerNodePorts"),
    ("Service", "{spec: {type: LoadBalancer, ports: [{port: 80}], loadBalancerSourceRanges: [foo]}}",
     "spec.loadBalancerSourceRanges[0]"),
    ("Service", "{spec: {type: LoadBalancer, ports: [{port: 80}], loadBalancerClass: 'a b'}}",
     "spec.loadBalancerClass"),
    ("Service", "{spec: {type: LoadBalancer, ports: [{port: 80}]}, status: {loadBalancer: {ingress: [{ip: x}]}}}",
     "status.loadBalancer.ingress[0].ip"),
    ("Service", "{spec: {type: LoadBalancer, ports: [{port: 80}]}, "
     "status: {loadBalancer: {ingress: [{ip: 1.2.3.4, ipMode: Vip}]}}}", "status.loadBalancer.ingress[0].ipMode"),
    ("EndpointSlice", "{addressType: IPv4, endpoints: [{addresses: [1.2.3.4], hostname: A_}], ports: [{port: 1}]}",
     "endpoints[0].hostname"),
    ("Node", "{spec: {taints: [{key: '', effect: NoSchedule}]}}", "spec.taints[0].key"),
    ("Node", "{spec: {podCIDR: foo}}", "spec.podCIDR"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "field"), REFUSED)
def test_it_is_refused_and_the_field_named(kind, text, field):
    assert refused(kind, text) == [field]


ACCEPTED = [
    ("Secret", "{stringData: {a: '!!!'}}"),
    ("ConfigMap", "{metadata: {name: v, finalizers: [example.org/x, foregroundDeletion]}}"),
    ("Pod", container("resources: {limits: {cpu: 1, hugepages-2Mi: 2Mi, example.org/gpu: 1}, requests: {cpu: 500m}}")),
    ("Pod", container("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a.b/c']\"}}}]")),
    ("Pod", container("ports: [{containerPort: 80, hostPort: 8}, {containerPort: 81, hostPort: 8, protocol: UDP}]")),
    ("Pod", pod("tolerations: [{operator: Exists}, {key: a, value: b, effect: NoExecute, tolerationSeconds: 5}]")),
    ("Pod", pod("hostNetwork: true")),
    ("Deployment", deployment("progressDeadlineSeconds: 5,")),
]


@pytest.mark.parametrize(("kind", "text"), ACCEPTED)
def test_what_is_right_passes(kind, text):
    assert refused(kind, text) == []
