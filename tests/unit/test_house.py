"""The house keeps its laws: who may import which driver, how long a file and a function may be, that each chapter
opens.

Read from the source with `ast`, so a module that nobody imports is checked too. To raise a budget or to open a door,
change the table here in the commit that says why; DESIGN's table of doors is the same list.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ROOT / "minik8s"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40  # without its docstring

# Programs that run inside containers, where there is no minik8s to import: they use Python alone.
GUESTS = ("cluster/toolbox/",)

# module: the only files that may import it. A key stands for everything below it too.
DOORS = {
    "docker": {"agent/world/docker.py", "cluster/engine.py"},
    "pyroute2": {"host/netlink.py", "proxy/ipvs.py"},
    "etcd3": {"store/etcd.py"},
    "grpc": {"store/etcd.py"},
    "flask": {"apiserver/http.py", "apiserver/main.py"},
    "werkzeug": {"apiserver/http.py", "apiserver/main.py"},
    "gunicorn": {"apiserver/main.py", "apiserver/serving/worker.py"},
    "subprocess": {"host/processes.py"},
    "multiprocessing": set(),
    "pty": set(),
    "urllib3": {"client/rest.py"},
    "requests": set(),
    # Not for the API: a probe asks a container, and the agent's server relays the pages of its neighbours.
    "http.client": {"agent/pages.py", "agent/world/probes.py"},
    "urllib.request": set(),
    "time": {"host/clock.py"},
    "random": {"host/clock.py"},
    "secrets": {"host/clock.py"},
    "uuid": {"host/clock.py"},
    "ctypes": {
        "cluster/listeners.py",  # pidfd_getfd, which Python has no function for
        "dns/datagrams.py",  # recvmmsg and sendmmsg, likewise
        "host/mounts.py",
        "host/namespaces.py",
        "host/processes.py",
        "nft/kernel.py",
    },
    "asyncio": set(),
}
# What does the same without an import of its own: calls, by the last two words of the name.
CALLS = {
    "msgspec.convert": {"api/codec.py"},  # which sees to it that only one thread is the first
    "os.system": set(),
    "os.popen": set(),
    "os.urandom": set(),
    "datetime.now": set(),
    "datetime.utcnow": set(),
    "datetime.today": set(),
}
# Below these, nothing touches the outside at all.
PURE = re.compile(r"api/.*|params\.py|cluster/topology\.py|(.*/)?plan\.py")
OUTSIDE = ("os", "socket", "threading", "logging", "select", "selectors", "shutil", "tempfile", "signal", "fcntl")
LET_IN = {("api/codec.py", "threading")}  # a lock: what it keeps from threads is nothing outside


@cache
def sources() -> list[str]:
    """Every module of minik8s, by its path below the package."""
    paths = (path.relative_to(CODE).as_posix() for path in CODE.rglob("*.py"))
    return sorted(path for path in paths if not path.startswith(GUESTS))


@cache
def tree(source: str) -> ast.Module:
    return ast.parse((CODE / source).read_text(), source)


@cache
def imports(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def uses(source: str, module: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in imports(source))


@cache
def calls(source: str) -> set[str]:
    found = (ast.unparse(node.func) for node in ast.walk(tree(source)) if isinstance(node, ast.Call))
    return {".".join(name.split(".")[-2:]) for name in found}


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body
    docstring = body[0] if ast.get_docstring(function) else None
    words = 0 if docstring is None else docstring.end_lineno - docstring.lineno + 1
    return function.end_lineno - function.lineno + 1 - words


@pytest.mark.parametrize("module", DOORS)
def test_each_driver_is_imported_by_its_door_alone(module):
    intruders = [source for source in sources() if uses(source, module) and source not in DOORS[module]]
    assert not intruders, f"{module} belongs to {sorted(DOORS[module]) or 'nobody'}"


@pytest.mark.parametrize("call", CALLS)
def test_no_call_goes_round_a_door(call):
    intruders = [source for source in sources() if call in calls(source) and source not in CALLS[call]]
    assert not intruders, f"{call} is for {sorted(CALLS[call]) or 'nobody'}"


def test_decisions_and_the_api_touch_nothing_outside():
    touching = {
        source: sorted(name for name in OUTSIDE if uses(source, name) and (source, name) not in LET_IN)
        for source in sources()
        if PURE.fullmatch(source)
    }
    assert not {source: names for source, names in touching.items() if names}


def test_only_the_api_server_opens_the_store():
    intruders = [s for s in sources() if uses(s, "minik8s.store") and not s.startswith(("apiserver/", "store/"))]
    assert not intruders


def test_controllers_know_nothing_of_each_other():
    folders = sorted(path.name for path in (CODE / "controllers").iterdir() if path.is_dir() and path.name[0] != "_")
    meetings = [
        (source, other)
        for source in sources()
        for other in folders
        if source.startswith("controllers/") and source.count("/") == 2 and source.split("/")[1] != other
        if uses(source, f"minik8s.controllers.{other}")
    ]
    assert not meetings


@pytest.mark.parametrize("source", sources())
def test_a_module_opens_with_what_it_is_for(source):
    assert ast.get_docstring(tree(source))


def test_every_folder_of_code_is_a_package():
    bare = {path.parent for path in CODE.rglob("*.py")} - {path.parent for path in CODE.rglob("__init__.py")}
    assert not bare


def test_no_file_is_longer_than_can_be_read_in_one_sitting():
    long = {source: n for source in sources() if (n := len((CODE / source).read_text().splitlines())) > MAX_FILE_LINES}
    assert not long, f"more than {MAX_FILE_LINES} lines"


def test_no_function_is_longer_than_a_screen():
    long = [
        (f"{source}:{node.lineno} {node.name}", length(node))
        for source in sources()
        for node in ast.walk(tree(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > MAX_FUNCTION_LINES
    ]
    assert not long, f"more than {MAX_FUNCTION_LINES} lines"


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_tests_of_the_real_machine_are_marked():
    unmarked = [
        path.name
        for path in (ROOT / "tests" / "integration").glob("test_*.py")
        if "pytestmark = pytest.mark.system" not in path.read_text()
    ]
    assert not unmarked


def test_the_root_holds_nothing_else():
    known = {"README.md", "pyproject.toml", "Makefile", "Vagrantfile", "labs", "tests", "minik8s", "minik8s.egg-info"}
    work = re.compile(r"lab-\d\d")  # a learner's own files, if they work here
    assert {path.name for path in ROOT.iterdir() if path.name[0] != "." and not work.fullmatch(path.name)} <= known
