"""Bodies in protobuf: what kubectl sends so is understood, and no bytes are a surprise."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_store import ADMIN, ask, registry

from minik8s.api import effects, kinds, times
from minik8s.api.apps import Deployment
from minik8s.api.core import Namespace, Secret, Service
from minik8s.api.meta import Condition
from minik8s.api.shapes import shapes
from minik8s.apiserver import admission
from minik8s.apiserver.errors import Failure
from minik8s.apiserver.request import Request
from minik8s.apiserver.routes import Target
from minik8s.apiserver.verbs import Verbs
from minik8s.apiserver.wire import numbers, protobuf

# --- An encoder, written apart from the decoder: values in the JSON form → bytes, every field that is there -----------


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = []
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def moment(text: str) -> bytes:
    whole, rest = divmod(round(times.parse(text) * 1_000_000), 1_000_000)
    return field(1, whole) + field(2, rest * 1000)


def int_or_text(value: int | str) -> bytes:
    if isinstance(value, int):
        return field(1, 0) + field(2, value) + field(3, b"")
    return field(1, 1) + field(2, 0) + field(3, value.encode())


WRITERS = {
    "": str.encode,
    "int": int,
    "bool": int,
    "bytes": base64.b64decode,
    "raw": bytes,
    "Time": moment,
    "MicroTime": moment,
    "Quantity": lambda value: field(1, value.encode()),
    "IntOrString": int_or_text,
    "Port": int_or_text,
    "Json": lambda value: field(1, json.dumps(value).encode()),
    "ExtraValue": lambda value: b"".join(field(1, each.encode()) for each in value),
}


def scalar(kind: str, value) -> int | bytes:
    return WRITERS[kind](value) if kind in WRITERS else message(kind, value)


def message(name: str, value: dict) -> bytes:
    out = b""
    for number, known in numbers.messages()[name].items():
        if known.form == ">":
            inner = {each.name for each in numbers.messages()[known.type].values()}
            out += field(number, message(known.type, {key: value[key] for key in value if key in inner}))
        elif known.name not in value:
            continue
        elif known.form == "*":
            out += b"".join(field(number, scalar(known.type, each)) for each in value[known.name])
        elif known.form == "%":
            for key, each in value[known.name].items():
                out += field(number, field(1, key.encode()) + field(2, scalar(known.type, each)))
        else:
            out += field(number, scalar(known.type, value[known.name]))
    return out


def body(value: dict) -> bytes:
    kind = {name: value[name] for name in ("apiVersion", "kind")}
    name = numbers.message_of(value["apiVersion"], value["kind"])
    return protobuf.MAGIC + message("Unknown", {"typeMeta": kind, "raw": message(name, value)})


# --- What is understood -----------------------------------------------------------------------------------------------

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web", "empty": ""}},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "image": "i",
                        "args": ["a", ""],
                        "env": [{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}],
                        "resources": {"limits": {"cpu": "100m"}},
                        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 3},
                    }
                ],
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "m"}}],
                "enableServiceLinks": False,
            },
        },
    },
}
VALUES = [
    DEPLOYMENT,
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "AP8="}, "type": "Opaque"},
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}], "clusterIP": "None"},
    },
    {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "orphanDependents": False},
    {"apiVersion": "apps/v1", "kind": "DeleteOptions", "gracePeriodSeconds": -1, "dryRun": ["All"]},
    {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p"},
        "deleteOptions": {"gracePeriodSeconds": 0},
    },
    {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": ["a"], "expirationSeconds": 600, "boundObjectRef": {"kind": "Pod", "uid": "u"}},
    },
    {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 3}},
    {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "u", "groups": ["g"], "extra": {"k": ["a", "b"]}, "resourceAttributes": {"verb": "get"}},
    },
    {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "n"}},
    {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "l", "creationTimestamp": "2023-11-14T22:08:20Z"},
        "spec": {"renewTime": "2023-11-14T22:08:20.123456Z", "leaseDurationSeconds": 15, "holderIdentity": ""},
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "i"},
        "spec": {"rules": [{"host": "a.test", "http": {"paths": [{"path": "/", "pathType": "Prefix"}]}}]},
    },
]


@pytest.mark.parametrize("value", VALUES, ids=[value["kind"] for value in VALUES])
def test_a_body_says_what_its_json_would_say(value):
    assert protobuf.decode(body(value)) == value


def test_what_go_writes_of_values_that_nobody_set_is_dropped():
    bare = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "generateName": "", "generation": 0},
        "spec": {
            "ports": [{"port": 80, "nodePort": 0, "targetPort": 0, "name": ""}],
            "publishNotReadyAddresses": False,
        },
        "status": {"loadBalancer": {}},
    }
    assert protobuf.decode(body(bare)) == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}]},
    }


def test_no_time_is_no_time_and_not_the_year_one():
    raw = field(1, b"s") + field(8, b"")  # metadata: name, creationTimestamp
    given = protobuf.MAGIC + message(
        "Unknown", {"typeMeta": {"apiVersion": "v1", "kind": "Namespace"}, "raw": field(1, raw)}
    )
    assert protobuf.decode(given)["metadata"] == {"name": "s"}


def test_numbers_may_come_packed_or_one_by_one():
    for wire in (field(4, varint(1) + varint(300)), field(4, 1) + field(4, 300)):
        assert protobuf._message(wire, "PodSecurityContext", None) == {"supplementalGroups": [1, 300]}


@pytest.mark.parametrize(
    ("volume", "found"),
    [
        (field(7, field(1, b"server")), {"nfs": {"server": "server"}}),
        (field(8, field(1, b"portal")), {"iscsi": True}),
        (field(8, field(3, 0)), {}),
        (field(999, field(1, b"x")), {"(field 999)": True}),
        (field(999, b""), {}),
    ],
)
def test_a_field_that_nobody_here_knows_is_kept_under_some_name_unless_it_is_empty(volume, found):
    assert protobuf._message(field(1, b"v") + field(2, volume), "Volume", None) == {"name": "v", **found}


# --- The table --------------------------------------------------------------------------------------------------------


def test_every_message_and_type_that_the_table_names_exists():
    table = numbers.messages()
    for name, fields in table.items():
        for each in fields.values():
            assert each.type in ("", *numbers.TYPES) or each.type in table, (name, each)
        assert len({each.name for each in fields.values()}) == len(fields), name


# One type of ours that is several messages: it has the fields of all of them.
SHARED = (Condition,)


def without_number(cls, name, seen):
    """Fields of a type and all types below it that the table does not have, or does not open."""
    if (cls, name) in seen:
        return
    seen.add((cls, name))
    fields = {}
    for each in numbers.messages()[name].values():
        fields |= {f.name: f for f in numbers.messages()[each.type].values()} if each.form == ">" else {each.name: each}
    for key, shape in shapes(cls).items():
        if cls in SHARED or (key in ("apiVersion", "kind") and "metadata" in shapes(cls)):
            continue  # who an object is stands outside of its message
        known = fields.get(key)
        if known is None:
            yield f"{name}.{key}"
        elif shape.cls is not None and known.type not in numbers.messages():
            yield f"{name}.{key} is {known.type}"
        elif shape.cls is not None:
            yield from without_number(shape.cls, known.type, seen)


@pytest.mark.parametrize("cls", kinds.KINDS, ids=lambda cls: cls.resource.qualified)
def test_every_field_of_every_kind_has_its_number(cls):
    name = numbers.message_of(cls.resource.apiVersion, cls.resource.kind)
    assert name is not None
    assert list(without_number(cls, name, set())) == []


# --- Any bytes -----------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=5)
SCALARS = {
    "": st.text(min_size=1, max_size=5),
    "int": st.integers(-(1 << 63), (1 << 63) - 1).filter(bool),
    "bool": st.just(True),
    "bytes": st.binary(min_size=1, max_size=5).map(lambda data: base64.b64encode(data).decode()),
    "Time": st.integers(0, 1 << 32).map(times.rfc3339),
    "MicroTime": st.integers(0, 1 << 40).map(lambda micros: times.rfc3339(micros / 1_000_000, micro=True)),
    "Quantity": st.sampled_from(["1", "100m", "2Gi"]),
    "IntOrString": st.integers(1, 100) | st.text(min_size=1, max_size=5),
    "Port": st.integers(1, 100) | st.text(min_size=1, max_size=5),
    "Json": st.dictionaries(TEXTS, st.integers(0, 9), min_size=1, max_size=2),
    "ExtraValue": st.lists(TEXTS, min_size=1, max_size=2),
}


@st.composite
def values(draw, name, depth=0):
    """A message with some of its fields, each of which says something."""
    found = {}
    for each in numbers.messages()[name].values():
        if each.type == "closed" or (each.form != ">" and not draw(st.booleans())):
            continue
        if each.form == ">":
            found |= draw(values(each.type, depth + 1))
            continue
        if each.type not in SCALARS and depth > 4:
            continue
        inner = SCALARS[each.type] if each.type in SCALARS else values(each.type, depth + 1)
        if each.form == "*":
            inner = st.lists(inner, min_size=1, max_size=2)
        elif each.form == "%":
            inner = st.dictionaries(TEXTS, inner, min_size=1, max_size=2)
        value = draw(inner)
        if value or each.form:
            found[each.name] = value
    return {key: value for key, value in found.items() if value}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_is_encoded_is_decoded_again(data):
    name = data.draw(st.sampled_from(["Service", "Secret", "Lease", "Role", "SubjectAccessReview", "Ingress", "Probe"]))
    value = data.draw(values(name))
    assert protobuf._message(message(name, value), name, None) == value


def sent(cls, data: bytes) -> Request:
    namespace = "a" if cls.resource.namespaced else ""
    return Request(Target(cls, namespace, ""), "create", ADMIN, {}, protobuf.MEDIA_TYPE, data)


def refused(request) -> bool:
    try:
        admission.decode(request, admission.document(request))
    except Failure as failure:
        assert failure.code in (400, 422), failure
        return True
    return False


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_an_object_or_a_400(data):
    kind = {"apiVersion": "v1", "kind": "Pod"}
    refused(sent(kinds.find("pods"), data))
    refused(sent(kinds.find("pods"), protobuf.MAGIC + data))
    refused(sent(kinds.find("pods"), protobuf.MAGIC + message("Unknown", {"typeMeta": kind, "raw": data})))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_body_with_a_byte_changed_or_cut_short_is_an_object_or_a_400(data):
    whole = bytearray(body(DEPLOYMENT))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    refused(sent(Deployment, bytes(whole)))
    refused(sent(Deployment, body(DEPLOYMENT)[:at]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}", "it does not begin with the four bytes"),
        (b"k8s\0", 'no kind "" is registered for version ""'),
        (b"k8s\0\x0a\xff", "it ends in the middle of a number"),
        (b"k8s\0\x0a\x05a", "it ends in the middle of a field"),
        (b"k8s\0\x0b", "there is no wire type 3"),
        (b"k8s\0" + b"\xff" * 11, "a number has more than ten bytes"),
        (b"k8s\0\x08\x01", "bytes are expected, there is a number"),
    ],
)
def test_what_cannot_be_read_is_a_400_that_says_why(data, said):
    with pytest.raises(Failure, match=said) as failed:
        admission.document(sent(Namespace, data))
    assert (failed.value.code, failed.value.status.reason) == (400, "BadRequest")


def test_a_message_that_nobody_here_reads_is_told_of_by_the_name_of_its_field():
    value = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [], "hostPID": True}}
    raw = message("Pod", value | {"spec": value["spec"] | {"volumes": []}})
    raw += field(2, field(1, field(1, b"v") + field(2, field(8, field(1, b"portal")))))
    kind = {"apiVersion": "v1", "kind": "Pod"}
    request = sent(kinds.find("pods"), protobuf.MAGIC + message("Unknown", {"typeMeta": kind, "raw": raw}))
    pod = admission.decode(request, admission.document(request))
    assert any(each.startswith("spec.volumes[0].iscsi: ") for each in effects.without_effect(pod))


def test_an_object_is_created_from_its_bytes_and_deleted_by_options_in_bytes():
    verbs = Verbs(registry())
    assert verbs.create(ask("create", Namespace, body={"metadata": {"name": "a"}})).code == 201
    made = verbs.create(sent(Secret, body(VALUES[1])))
    assert json.loads(made.body)["data"] == {"k": "AP8="}
    request = sent(Secret, body({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}))
    assert admission.delete_options(request).gracePeriodSeconds == 0


def test_the_kind_inside_must_be_the_one_of_the_path():
    request = sent(Service, body(VALUES[1]))
    with pytest.raises(Failure, match="does not match the expected kind"):
        admission.decode(request, admission.document(request))
