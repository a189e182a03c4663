"""Schemathesis against the server's own OpenAPI: what the document allows is answered as it promises.

Every operation of some kinds is asked with generated parameters and bodies, as an administrator. A success has to be
one that the document lists. Upstream's document lists no failure but 401; here a failure is one of `FAILURES`, says so
in a Status, and is never the server's.
"""

import json
import warnings

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from support.apiserver import Certificates, Etcd, Http, Server

pytestmark = pytest.mark.system

FAILURES = {400, 403, 404, 405, 406, 409, 410, 413, 415, 422}
EXAMPLES = 3
# One of each sort: with a spec and without, namespaced and not, with addresses to hand out, with scale and status.
KINDS = {
    "api/v1": ("configmaps", "services", "namespaces", "pods", "secrets"),
    "apis/apps/v1": ("deployments",),
    "apis/networking.k8s.io/v1": ("ingresses",),
    "apis/coordination.k8s.io/v1": ("leases",),
    "apis/rbac.authorization.k8s.io/v1": ("clusterroles",),
}
# What is carried to a node's agent, and there is none here.
CARRIED = ("exec", "attach", "portforward", "proxy", "log")
# Whoever may do everything could otherwise delete what the other examples need.
SPARED = ("default", "kube-system", "kube-public", "kube-node-lease")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A server and a store of its own, for everything in it may be deleted; it waits for no revision that is not."""
    folder = tmp_path_factory.mktemp("schema")
    etcd, certificates = Etcd(folder), Certificates(folder)
    server = Server(folder, etcd, certificates, "schema", None, FRESH_READ_TIMEOUT_S=1.0)
    trust = {"verify": certificates.ca, "cert": certificates.client("kubernetes-admin", "system:masters")}
    (pid,) = server.workers()
    yield server, requests.Session(), trust
    assert server.workers() == [pid], "the worker was replaced: it has died"
    assert "Traceback" not in server.log(), server.log()[-3000:]
    server.close()
    etcd.close()


def operations(server, group):
    document = Http(server, "kubernetes-admin", "system:masters").get(f"/openapi/v3/{group}")
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation = found.ok()
        parts = operation.path.split("/")
        if parts[-1] not in CARRIED and "watch" not in parts and any(kind in parts for kind in KINDS[group]):
            yield operation


def judged(response, operation, case) -> str:
    """What is wrong with an answer; "" if nothing."""
    documented = {str(code) for code in operation.definition.raw["responses"]}
    code = response.status_code
    if str(code) in documented:
        return ""
    if code == 504 and case.query and case.query.get("resourceVersion"):
        return ""  # a revision of the future: upstream's own answer
    if code not in FAILURES:
        return f"{code} is not documented"
    status = response.json()
    return "" if (status.get("kind"), status.get("code")) == ("Status", code) else f"{code} without a Status"


def complaints(operation, server, session, trust) -> list[str]:
    """Ask an operation some things that its document allows; what is wrong with the answers."""
    wrong = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case):
        for name in ("watch", "timeoutSeconds"):
            if case.query:
                case.query.pop(name, None)
        if operation.method.upper() == "DELETE" and case.path_parameters.get("name", "") in SPARED:
            return
        response = case.call(base_url=server.url, session=session, timeout=20, **trust)
        complaint = judged(response, operation, case)
        if complaint:
            wrong.append(f"{operation.method.upper()} {response.request.url}: {complaint}: {response.text[:300]}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ask()
    return wrong


@pytest.mark.parametrize("group", KINDS)
def test_what_the_document_allows_is_answered_as_promised(asked, group):
    wrong = [line for operation in operations(asked[0], group) for line in complaints(operation, *asked)]
    assert not wrong, json.dumps(wrong[:20], indent=1)
