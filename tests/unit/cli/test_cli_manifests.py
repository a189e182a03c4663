"""Reading manifests: what is understood as Kubernetes understands it, and what is refused, with its line."""

import time

import pytest

from minik8s.cli.checking import check
from minik8s.cli.manifests import Manifest, Problem, files, read


def only(text: str) -> Manifest | Problem:
    (found,) = read("f.yaml", text.encode())
    return found


def values(text: str) -> list:
    return [each.value if isinstance(each, Manifest) else str(each) for each in read("f.yaml", text.encode())]


def test_documents_are_read_in_order_and_empty_ones_skipped():
    assert values("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]


def test_a_list_is_read_as_its_items_with_their_own_lines():
    text = "kind: List\napiVersion: v1\nitems:\n- kind: A\n  metadata:\n    name: x\n- 3\n"
    first, second = read("f.yaml", text.encode())
    assert isinstance(first, Manifest) and (first.kind, first.name, first.line("metadata.name")) == ("A", "x", 6)
    assert str(second) == "f.yaml:7: an object was expected in the list; this is the number 3"


def test_json_is_read_as_well():
    assert values('{"kind": "A", "items": [1, 2]}') == [{"kind": "A", "items": [1, 2]}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-31", "2024-01-31"),
        ("1:30", "1:30"),
        ("yes", True),
        ("~", None),
        ("0644", 420),
        ("1e3", "1e3"),
        ("'80'", "80"),
        ("=", "="),
    ],
)
def test_a_value_reads_as_kubernetes_reads_it(text, value):
    assert values(f"a: {text}") == [{"a": value}]


def test_keys_become_text():
    assert values("1: a\ntrue: b\n") == [{"1": "a", "true": "b"}]


def test_aliases_and_merges_are_followed():
    text = "a: &a {x: 1, y: 1}\nb:\n  <<: *a\n  y: 2\nc: *a\n"
    assert values(text) == [{"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 1}}]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 'key "a" already set in map'),
        ("a: b: c\n", 1, "error parsing YAML: mapping values are not allowed"),
        ("a:\n\t- b\n", 2, "error parsing YAML: found character that cannot start any token"),
        ("hello", 1, 'an object was expected, with apiVersion and kind; this is the text "hello"'),
        ("- a\n", 1, "an object was expected, with apiVersion and kind; this is a list"),
        ("a: !!python/object:os.system x\n", 1, "cannot read the value 'x'"),
        ("a: !!int x\n", 1, "cannot read the value 'x'"),
        ("? [a]\n: b\n", 1, "a key must be text"),
        ("[" * 100_000, 1, "nested deeper than 100 levels"),
        ("a: &x [*x]\n", 1, "nested deeper than 100 levels"),
        (BOMB, 1, "more than 200000 values"),
    ],
    ids=lambda value: str(value)[:20].strip() if isinstance(value, str) else None,
)
def test_what_cannot_be_read_is_told_with_its_line(text, line, said):
    found = only(text)
    assert isinstance(found, Problem) and found.line == line and said in str(found)


def test_five_megabytes_are_refused_without_being_read():
    began = time.monotonic()
    found = only("x: " + "y" * 5_000_000)
    assert str(found) == "f.yaml: 4.8 MB is too long for a manifest: 3 MB at most"
    assert time.monotonic() - began < 1


def test_documents_before_a_broken_one_are_read():
    first, second = read("f.yaml", b"a: 1\n---\nb: [\n")
    assert isinstance(first, Manifest) and isinstance(second, Problem)


def test_bytes_that_are_no_text_are_told():
    (found,) = read("f.yaml", b"a: b\nc: \xff\n")
    assert str(found) == "f.yaml:2: this is not text (UTF-8)"


def test_a_directory_is_its_manifests_in_the_order_of_their_names(tmp_path):
    for name in ("b.yaml", "a.json", "c.yml", "readme.md"):
        (tmp_path / name).write_text("{}")
    assert [path.name for _, path in files(str(tmp_path))] == ["a.json", "b.yaml", "c.yml"]


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(Problem, match='the path "nowhere" does not exist'):
        files("nowhere")


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: a
    image: x
    ports:
    - containerPort: 80
"""


def wrong(before: str, after: str) -> list[str]:
    found = only(POD.replace(before, after))
    assert isinstance(found, Manifest)
    try:
        return [str(problem) for problem in check(found)]
    except Problem as problem:
        return [str(problem)]


def test_a_manifest_that_fits_has_no_problems():
    assert wrong("", "") == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("image: x", "imagee: x", ['f.yaml:8: unknown field "spec.containers[0].imagee"; did you mean "image"?']),
        ("name: web", "nam: web", ['f.yaml:4: unknown field "metadata.nam"; did you mean "name"?']),
        (
            "containerPort: 80",
            "containerPort: http",
            [
                "f.yaml:10: spec.containers[0].ports[0].containerPort: "
                'a whole number was expected; this is the text "http"'
            ],
        ),
        ("image: x", "image: [x]", ["f.yaml:8: spec.containers[0].image: text was expected; this is a list"]),
        (
            "containers:\n  - name: a\n",
            "containers:\n  - args: []\n",
            ["f.yaml:7: spec.containers[0].name: Required value"],
        ),
        (
            "  name: web\n",
            "  name: web\n  labels:\n    a: b\n    app.io/n: 2\n",
            ["f.yaml:7: metadata.labels.app.io/n: text was expected; this is the number 2"],
        ),
        ("kind: Pod\n", "", ["f.yaml:1: kind not set: every object says what it is"]),
        ("apiVersion: v1\n", "", ["f.yaml:1: apiVersion not set: every object says what it is"]),
        ("kind: Pod", "kind: Pood", ['f.yaml:2: no matches for kind "Pood" in version "v1"; did you mean Pod?']),
        (
            "apiVersion: v1",
            "apiVersion: apps/v1",
            ['f.yaml:2: no matches for kind "Pod" in version "apps/v1"; Pod is in v1'],
        ),
        ("  name: web\n", "  labels: {a: b}\n", ["f.yaml:3: metadata.name: an object needs a name"]),
        (
            "metadata:\n  name: web",
            "metadata: web",
            ['f.yaml:3: metadata: a map was expected, with a name; this is the text "web"'],
        ),
    ],
)
def test_what_does_not_fit_its_kind_is_told_with_line_and_field(before, after, said):
    assert wrong(before, after) == said


def test_everything_that_is_wrong_is_told_at_once():
    text = POD.replace("image: x", "imagee: x").replace("name: web", "nam: web")
    found = only(text)
    assert isinstance(found, Manifest)
    assert [problem.line for problem in check(found)] == [4, 8]
