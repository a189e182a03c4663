"""Validation of Ingress and IngressClass as a table: one object a line, and exactly what is said about it."""

import pytest
import yaml

from minik8s.api import codec, kinds
from minik8s.api.validation import ingresses, validate

WEB = "service: {name: web, port: {number: 80}}"


def read(text):
    value = yaml.safe_load(text)
    return codec.from_dict(kinds.by_kind(value["apiVersion"], value["kind"]), value)


def said(text, old=None):
    return [f"{cause.field}: {cause.message}" for cause in validate(read(text), read(old) if old else None)]


def ingress(spec, more=""):
    return f"{{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {{name: w{more}}}, spec: {{{spec}}}}}"


def path(text, host="a.test"):
    return ingress(f"rules: [{{host: '{host}', http: {{paths: [{{{text}}}]}}}}]")


def a_class(controller, more=""):
    kind = "apiVersion: networking.k8s.io/v1, kind: IngressClass"
    return f"{{{kind}, metadata: {{name: w}}, spec: {{controller: '{controller}'{more}}}}}"


def backend(text):
    return path(f"path: /, pathType: Prefix, backend: {{{text}}}")


HERE = "spec.rules[0].http.paths[0]"

VALID = [
    ingress(f"defaultBackend: {{{WEB}}}"),
    ingress("rules: [{host: a.test}]"),
    path(f"path: /a, pathType: Exact, backend: {{{WEB}}}"),
    path(f"path: /a, pathType: Prefix, backend: {{{WEB}}}", "*.a.test"),
    path(f"pathType: ImplementationSpecific, backend: {{{WEB}}}", ""),
    path(f"path: '/a;//b', pathType: ImplementationSpecific, backend: {{{WEB}}}"),
    backend("service: {name: web, port: {name: http}}"),
    backend("resource: {kind: Bucket, name: b}"),
    ingress(f"defaultBackend: {{{WEB}}}, tls: [{{hosts: [a.test, '*.b.test'], secretName: s}}, {{}}]"),
    a_class("minik8s.io/ingress"),
]
INVALID = [
    (ingress(""), 'spec: Invalid value: "": either `defaultBackend` or `rules` must be specified'),
    (ingress("rules: [{host: a.test, http: {}}]"), "spec.rules[0].http.paths: Required value"),
    (path(f"path: /, backend: {{{WEB}}}"), f"{HERE}.pathType: Required value: pathType must be specified"),
    (path(f"path: /, pathType: Any, backend: {{{WEB}}}"),
     f'{HERE}.pathType: Unsupported value: "Any": supported values: "Exact", "ImplementationSpecific", "Prefix"'),
    (path(f"path: a, pathType: Exact, backend: {{{WEB}}}"),
     f'{HERE}.path: Invalid value: "a": must be an absolute path'),
    (path(f"pathType: Prefix, backend: {{{WEB}}}"), f'{HERE}.path: Invalid value: "": must be an absolute path'),
    (path(f"path: a, pathType: ImplementationSpecific, backend: {{{WEB}}}"),
     f'{HERE}.path: Invalid value: "a": must be an absolute path'),
    (path(f"path: /a//b, pathType: Prefix, backend: {{{WEB}}}"),
     f"{HERE}.path: Invalid value: \"/a//b\": must not contain '//'"),
    (path(f"path: /a%2Fb, pathType: Exact, backend: {{{WEB}}}"),
     f"{HERE}.path: Invalid value: \"/a%2Fb\": must not contain '%2F'"),
    (path(f"path: /a/.., pathType: Exact, backend: {{{WEB}}}"),
     f"{HERE}.path: Invalid value: \"/a/..\": cannot end with '/..'"),
    (backend(""), f'{HERE}.backend: Invalid value: "": resource or service backend is required'),
    (backend("service: {name: web}"), f"{HERE}.backend: Required value: port name or number is required"),
    (backend("service: {port: {number: 80}}"), f"{HERE}.backend.service.name: Required value"),
    (backend("service: {name: web, port: {name: http, number: 80}}"),
     f'{HERE}.backend: Invalid value: "": cannot set both port name & port number'),
    (backend("service: {name: web, port: {number: 70000}}"),
     f"{HERE}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"),
    (backend("service: {name: web, port: {name: '80'}}"),
     f'{HERE}.backend.service.port.name: Invalid value: "80": must contain at least one letter (a-z)'),
    (backend(f"{WEB}, resource: {{kind: B, name: b}}"),
     f'{HERE}.backend: Invalid value: "": cannot set both resource and service backends'),
    (path(f"path: /, pathType: Exact, backend: {{{WEB}}}", "*.*.test"),
     f'spec.rules[0].host: Invalid value: "*.*.test": {ingresses.WILDCARD_MESSAGE}'),
    (path(f"path: /, pathType: Exact, backend: {{{WEB}}}", "10.0.0.1"),
     'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'),
    (ingress(f"ingressClassName: x, defaultBackend: {{{WEB}}}", ", annotations: {kubernetes.io/ingress.class: y}"),
     'annotations.kubernetes.io/ingress.class: Invalid value: "y": can not be set when the class field is also set'),
    (a_class(""), "spec.controller: Required value"),
    (a_class("nginx"),
     'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")'),
    (a_class("a.io/b", ", parameters: {kind: '', name: x}"), "spec.parameters.kind: Required value: kind is required"),
]  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_a_good_ingress_is_taken(text):
    assert said(text) == []


@pytest.mark.parametrize(("text", "cause"), INVALID)
def test_a_mistake_is_told_in_kubernetes_words(text, cause):
    assert said(text) == [cause]


@pytest.mark.parametrize("field", ["rules: [{host: %s}]", "tls: [{hosts: [%s]}], rules: [{}]"])
@pytest.mark.parametrize("host", ["'a b'", "'a\"b'", "'a;b'", '"a\\nb"', "'ä.test'", "'A.test'", "'-a'"])
def test_a_host_that_is_no_dns_name_is_refused(field, host):
    (cause,) = said(ingress(field % host))
    assert "a lowercase RFC 1123 subdomain must consist of" in cause


def test_the_controller_of_a_class_stays():
    assert said(a_class("b.io/c"), a_class("a.io/c")) == [
        'spec.controller: Invalid value: "b.io/c": field is immutable'
    ]
