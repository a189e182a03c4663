"""What is asked of an agent."""

import pytest

from minik8s.api import codec
from minik8s.api.core import Node
from minik8s.apiserver import errors
from minik8s.apiserver.relaying import streaming

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "command=sh&command=-c&stdout=true",
    "HTTP_CONNECTION": "Upgrade",
    "HTTP_UPGRADE": "websocket",
    "HTTP_SEC_WEBSOCKET_KEY": "abc",
    "HTTP_SEC_WEBSOCKET_PROTOCOL": "v5.channel.k8s.io",
    "HTTP_SEC_WEBSOCKET_VERSION": "13",
    "HTTP_AUTHORIZATION": "Bearer secret",
    "HTTP_COOKIE": "secret",
    "wsgi.input": None,
}


def test_the_upgrade_is_passed_on_and_credentials_are_not():
    question = streaming.upgrade_question(("exec", "default", "web-1", "app"), ENVIRON)
    assert question.target == "/exec/default/web-1/app?command=sh&command=-c&stdout=true"
    names = {name.lower() for name in question.headers}
    assert names == {
        "connection",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
    }


def test_a_log_is_asked_for_by_namespace_pod_and_container():
    assert streaming.log_question(("default", "web", "app"), "follow=true").target == (
        "/containerLogs/default/web/app?follow=true"
    )
    assert streaming.log_question(("a", "../../run", "b"), "").target == "/containerLogs/a/..%2F..%2Frun/b"


def test_an_agent_is_dialled_at_its_nodes_internal_address():
    node = codec.from_dict(
        Node,
        {
            "metadata": {"name": "n"},
            "status": {
                "addresses": [
                    {"type": "Hostname", "address": "n"},
                    {"type": "InternalIP", "address": "192.168.56.11"},
                ]
            },
        },
    )
    assert streaming.address(node) == "192.168.56.11"
    with pytest.raises(errors.Failure):
        streaming.address(codec.from_dict(Node, {"metadata": {"name": "n"}}))
