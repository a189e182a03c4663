"""The object verbs as people type them, against a real API server: what they print and how they end."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from support.control_plane import Agents, Cluster

from minik8s.api.core import Namespace, Service
from minik8s.controllers import main as controllers
from minik8s.scheduler import main as scheduler

pytestmark = pytest.mark.system
EXAMPLES = Path(__file__).parents[2] / "labs" / "examples"


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


class Shell:
    """`minik8s …` as administrator, in a namespace of the test's own."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self.namespace = namespace

    def __call__(self, *words: str, stdin: str = "", code: int | None = 0) -> Ran:
        argv = [sys.executable, "-m", "minik8s.cli.main", words[0], "-n", self.namespace, *words[1:]]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, env=self.environment, timeout=60)
        assert code is None or done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cli"))
    made.run("scheduler", "system:kube-scheduler", scheduler.main)
    made.run("controllers", "system:kube-controller-manager", controllers.main)
    agents = Agents(made.client, ["node-1", "node-2"])
    yield made
    agents.close()
    made.close()


@pytest.fixture
def shell(cluster, request):
    kubeconfig = cluster.server.kubeconfig(cluster.folder / "admin.conf", "kubernetes-admin", "system:masters")
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
    made = Shell(kubeconfig, name)
    made("create", "-f", "-", stdin=f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
    yield made
    for service in cluster.client.list(Service, name).items:  # their node ports are wanted by the next test
        cluster.client.delete(Service, service.metadata.name, name)
    cluster.client.delete(Namespace, name)


SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
"""


def test_apply_creates_leaves_alone_and_configures(shell):
    assert shell("apply", "-f", "-", stdin=SERVICE).out == "service/web created\n"
    assert shell("apply", "-f", "-", stdin=SERVICE).out == "service/web unchanged\n"
    changed = SERVICE.replace("port: 80", "port: 81")
    assert shell("apply", "-f", "-", stdin=changed).out == "service/web configured\n"
    assert shell("get", "svc", "web", "-o", "jsonpath={.spec.ports[0].port}").out == "81"


def test_what_apply_took_out_of_the_manifest_goes_and_what_others_set_stays(shell):
    labelled = SERVICE.replace("  name: web\n", "  name: web\n  labels: {mine: a, also: b}\n")
    shell("apply", "-f", "-", stdin=labelled)
    shell("label", "svc", "web", "theirs=c")
    shell("apply", "-f", "-", stdin=labelled.replace(", also: b", ""))
    found = json.loads(shell("get", "svc", "web", "-o", "json").out)
    assert found["metadata"]["labels"] == {"mine": "a", "theirs": "c"}


def test_applying_again_keeps_the_node_port_that_was_allocated(shell):
    manifest = SERVICE.replace("spec:\n", "spec:\n  type: NodePort\n")
    shell("apply", "-f", "-", stdin=manifest)
    before = shell("get", "svc", "web", "-o", "jsonpath={.spec.ports[0].nodePort}").out
    shell("apply", "-f", "-", stdin=manifest.replace("app: web", "app: other"))
    assert shell("get", "svc", "web", "-o", "jsonpath={.spec.ports[0].nodePort}").out == before != ""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_is_applied_left_alone_and_deleted(shell, path):
    names = [f"{each['kind']}/{each['metadata']['name']}" for each in yaml.safe_load_all(path.read_text())]
    created = shell("apply", str(path)).out
    assert created.count(" created\n") == len(names)
    assert shell("apply", "-f", str(path)).out.count(" unchanged\n") == len(names)
    assert shell("delete", "-f", str(path)).out.count(" deleted\n") == len(names)


def test_a_deployment_comes_up_is_scaled_and_goes(shell):
    shell("apply", "-f", str(EXAMPLES / "web.yaml"))
    done = shell("rollout", "status", "deployment/web")
    assert done.out.endswith('deployment "web" successfully rolled out\n')
    (headings, line) = shell("get", "deploy").out.splitlines()
    assert headings.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert line.split()[:4] == ["web", "3/3", "3", "3"]
    assert shell("scale", "deployment/web", "--replicas", "1").out == "deployment.apps/web scaled\n"
    shell("rollout", "status", "deployment/web")
    assert shell("delete", "deploy", "web").out == 'deployment.apps "web" deleted\n'


def test_describe_shows_a_service_with_its_endpoints(shell):
    shell("apply", "-f", str(EXAMPLES / "web.yaml"))
    shell("rollout", "status", "deployment/web")
    text = shell("describe", "svc", "web").out
    fields = dict(re.findall(r"^([A-Z][A-Za-z ]+):\s+(.*)$", text, re.M))
    assert fields["Name"] == "web" and fields["Selector"] == "app=web" and fields["Type"] == "ClusterIP"
    assert fields["Port"] == "http  80/TCP" and fields["TargetPort"] == "http/TCP"
    for what in ("deployment/web", "node/node-1", "pods"):
        assert "Events:" in shell("describe", what).out


def test_nothing_found_is_said_in_kubectls_words(shell):
    found = shell("get", "pods")
    assert (found.out, found.err) == ("", f"No resources found in {shell.namespace} namespace.\n")
    missing = shell("get", "pod", "x", code=1)
    assert missing.err == 'Error from server (NotFound): pods "x" not found\n'
    assert shell("delete", "pod", "x", code=1).err == 'Error from server (NotFound): pods "x" not found\n'
    assert 'the server doesn\'t have a resource type "pots"' in shell("get", "pots", code=1).err


def test_delete_by_label_takes_only_what_has_it(shell):
    for name, label in (("one", "a"), ("two", "b"), ("three", "a")):
        shell("apply", "-f", "-", stdin=SERVICE.replace("name: web", f"name: {name}\n  labels: {{x: {label}}}"))
    assert shell("delete", "svc", "-l", "x=a").out.count(" deleted\n") == 2
    assert shell("get", "svc", "-o", "name").out == "service/two\n"
    assert shell("delete", "svc", "--all").out == 'service "two" deleted\n'


BAD = {
    "an unknown field": (
        SERVICE.replace("selector:", "selectr:"),
        6,
        'unknown field "spec.selectr"; did you mean "selector"?',
    ),
    "a wrong type": (
        SERVICE.replace("port: 80", "port: http"),
        9,
        'spec.ports[0].port: a whole number was expected; this is the text "http"',
    ),
    "a port beyond the range": (
        SERVICE.replace("port: 80", "port: 70000"),
        9,
        "spec.ports[0].port: Invalid value: 70000",
    ),
    "a selector that is no map": (SERVICE.replace("    app: web", "  - app"), 6, "spec.selector"),
    "no kind": (SERVICE.replace("kind: Service\n", ""), 1, "kind not set"),
    "a kind there is not": (
        SERVICE.replace("Service", "Servce"),
        2,
        'no matches for kind "Servce" in version "v1"; did you mean Service?',
    ),
    "a name that cannot be": (SERVICE.replace("name: web", "name: Web_1"), 4, "metadata.name: Invalid value"),
    "a key set twice": (SERVICE + "  ports: []\n", 10, 'key "ports" already set in map'),
    "not YAML": ("apiVersion: v1\nkind: [Service\nmetadata: x: y\n", 3, "error parsing YAML"),
    "no object": ("hello\n", 1, "an object was expected"),
}


@pytest.mark.parametrize(("text", "line", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_manifest_is_refused_with_file_line_and_field(shell, tmp_path, text, line, said):
    good = SERVICE.replace("name: web", "name: good")
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    other = tmp_path / "good.yaml"
    other.write_text(good)
    done = shell("apply", "-f", str(file), "-f", str(other), code=1)
    assert f"error: {file}:{line}: " in done.err and said in done.err, done.err
    assert done.out == "service/good created\n"
    assert shell("get", "svc", "-o", "name").out == "service/good\n"


def test_the_good_document_of_a_file_is_applied_and_the_bad_one_told(shell, tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(SERVICE.replace("port: 80", "prt: 80") + "---\n" + SERVICE.replace("name: web", "name: good"))
    done = shell("apply", "-f", str(file), code=1)
    assert done.out == "service/good created\n" and f"{file}:9: " in done.err


def test_a_name_that_comes_twice_in_a_file_is_told(shell, tmp_path):
    file = tmp_path / "two.yaml"
    file.write_text(SERVICE + "---\n" + SERVICE)
    done = shell("apply", "-f", str(file), code=1)
    assert done.out == "service/web created\n"
    assert f'{file}:14: Service "web" is already defined at {file}:4' in done.err


def test_five_megabytes_are_refused_at_once(shell, tmp_path):
    file = tmp_path / "big.yaml"
    file.write_text(SERVICE + "# " + "x" * 5_000_000)
    assert f"error: {file}: 4.8 MB is too long for a manifest" in shell("apply", "-f", str(file), code=1).err


def test_verbose_shows_each_request(shell):
    err = shell("get", "pods", "-v").err
    assert re.search(rf"^GET /api/v1/namespaces/{shell.namespace}/pods 200 in \d+ ms$", err, re.M)


def test_raw_prints_what_the_server_says(shell):
    assert json.loads(shell("get", "--raw", "/version").out)["major"] == "1"


def test_no_cluster_is_said_in_one_line(shell, tmp_path):
    shell.environment |= {"MINIK8S_HOME": str(tmp_path), "MINIK8S_CLUSTER": "nobody"}
    del shell.environment["KUBECONFIG"]
    done = shell("get", "pods", code=1)
    assert done.err == "error: there is no cluster nobody: bring one up with `minik8s up`\n"
