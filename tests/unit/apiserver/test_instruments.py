"""Under which labels a request is counted."""

import pytest
from memory_store import ask

from minik8s.api.core import Namespace, Pod
from minik8s.apiserver.serving import instruments

CASES = {
    ("get", Pod, "x", ""): ("GET", "", "resource"),
    ("create", Pod, "", ""): ("POST", "", "namespace"),
    ("update", Pod, "x", "status"): ("PUT", "status", "resource"),
    ("patch", Pod, "x", ""): ("PATCH", "", "resource"),
    ("deletecollection", Pod, "", ""): ("DELETECOLLECTION", "", "namespace"),
    ("list", Namespace, "", ""): ("LIST", "", "cluster"),
    ("watch", Namespace, "", ""): ("WATCH", "", "cluster"),
    ("create", Pod, "x", "exec"): ("CONNECT", "exec", "resource"),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_request_is_counted_as_upstream_names_it(case):
    verb, cls, name, subresource = case
    request = ask(verb, cls, name, subresource=subresource)
    wanted = CASES[case]
    labels = {
        "verb": wanted[0],
        "group": "",
        "version": "v1",
        "resource": cls.resource.plural,
        "subresource": wanted[1],
        "scope": wanted[2],
        "component": "apiserver",
        "dry_run": "",
        "code": "418",
    }
    before = instruments.REQUESTS.value(**labels)
    instruments.answered(request, 418, 0.1, stream=verb == "watch")
    assert instruments.REQUESTS.value(**labels) == before + 1


def test_a_path_that_a_client_made_up_is_no_label():
    instruments.answered_page("/made/up", 404, 0.1)
    instruments.answered_page("/version", 200, 0.1)
    text = instruments.REGISTRY.text()
    assert "/made/up" not in text and 'subresource="/version"' in text


def test_a_stream_is_long_running_as_long_as_it_lasts_and_no_duration():
    request = ask("watch", Pod)
    labels = {name: value for name, value in instruments._labels_of(request).items()}
    instruments.stream_began(request)
    assert instruments.LONG_RUNNING.value(**labels) == 1
    instruments.stream_ended(request)
    assert instruments.LONG_RUNNING.value(**labels) == 0
