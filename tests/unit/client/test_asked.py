"""What a component remembers of its requests: sorts, not names."""

import pytest

from minik8s import params
from minik8s.client.asked import Asked, sort_of

SORTS = [
    # url, path, names of parameters
    ("/api/v1/pods", "/api/v1/pods", ()),
    ("/api/v1/nodes/node-1", "/api/v1/nodes/{name}", ()),
    ("/api/v1/nodes/node-1/status", "/api/v1/nodes/{name}/status", ()),
    ("/api/v1/namespaces", "/api/v1/namespaces", ()),
    ("/api/v1/namespaces/shop", "/api/v1/namespaces/{name}", ()),
    ("/api/v1/namespaces/shop/finalize", "/api/v1/namespaces/{name}/finalize", ()),
    ("/api/v1/namespaces/shop/pods", "/api/v1/namespaces/{namespace}/pods", ()),
    ("/api/v1/namespaces/shop/pods/web/binding", "/api/v1/namespaces/{namespace}/pods/{name}/binding", ()),
    ("/apis/apps/v1/deployments?watch=true&limit=", "/apis/apps/v1/deployments", ("limit", "watch")),
    ("/apis/apps/v1/namespaces/a/deployments/b", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", ()),
    ("/api/v1/nodes/n/proxy/debug/dns/healthz", "/api/v1/nodes/{name}/proxy/{path}", ()),
    ("/readyz", "/readyz", ()),
    ("/openapi/v3/apis/apps/v1", "/openapi/v3/apis/apps/v1", ()),
]


@pytest.mark.parametrize("url, path, names", SORTS)
def test_a_sort_of_request_names_no_object(url, path, names):
    assert sort_of("GET", url, "application/json") == ("GET", path, names, "application/json")


def test_each_sort_is_counted_and_there_are_never_too_many():
    asked = Asked()
    for number in range(params.ASKED_SORTS + 5):
        asked.note("GET", f"/path-{number}", 200, "")
        asked.note("GET", f"/api/v1/nodes/node-{number}", 200, "")
    page = asked.page()
    assert len(page) == params.ASKED_SORTS
    nodes = {"method": "GET", "path": "/api/v1/nodes/{name}", "query": [], "contentType": ""}
    assert {**nodes, "count": params.ASKED_SORTS + 5} in page
