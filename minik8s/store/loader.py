"""Make etcd3 0.12.0 importable beside a modern protobuf.

The message classes that come with etcd3 were generated in 2020, and today's protobuf refuses to load such files.
But each of them carries its own description as bytes, and that format is stable. So: read the bytes out of the
files, let the installed protobuf build the classes (with its fast C backend), and register them under the names
that etcd3 imports.

Invariant: after `install()`, `import etcd3` works and nothing of etcd3 had to be copied or changed. Read next: etcd.py.
"""

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# Each file may use only those before it.
FILES = ("kv", "auth", "rpc")
PACKAGE = "etcd3.etcdrpc"


def install() -> None:
    """Register `etcd3.etcdrpc` and its modules, once."""
    if PACKAGE in sys.modules:
        return
    folder = _folder()
    everything = ModuleType(PACKAGE)
    everything.__path__ = [str(folder)]
    pool = descriptor_pool.DescriptorPool()
    for name in FILES:
        messages = _messages(pool, (folder / f"{name}_pb2.py").read_text())
        sys.modules[f"{PACKAGE}.{name}_pb2"] = _module(f"{PACKAGE}.{name}_pb2", messages)
        everything.__dict__.update(messages)
        setattr(everything, f"{name}_pb2", sys.modules[f"{PACKAGE}.{name}_pb2"])
    everything.__dict__.update(_stubs(folder / "rpc_pb2_grpc.py", everything))
    sys.modules[PACKAGE] = everything


def _folder() -> Path:
    spec = importlib.util.find_spec("etcd3")  # finds it without importing it
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("etcd3 is not installed")
    return Path(spec.submodule_search_locations[0]) / "etcdrpc"


def description(source: str) -> bytes:
    """The serialized file description inside the text of a generated `*_pb2.py`."""
    found = re.search(r"serialized_pb=_b\((('(?:[^'\\]|\\.)*'))\)", source)
    if found is None:
        raise ImportError("no description in the generated file")
    text: str = ast.literal_eval(found.group(1))
    return text.encode("latin1")


def _messages(pool: descriptor_pool.DescriptorPool, source: str) -> dict[str, object]:
    proto = descriptor_pb2.FileDescriptorProto.FromString(description(source))
    pool.Add(proto)
    file = pool.FindFileByName(proto.name)
    return {name: message_factory.GetMessageClass(message) for name, message in file.message_types_by_name.items()}


def _module(name: str, content: dict[str, object]) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(content)
    return module


def _stubs(path: Path, messages: ModuleType) -> dict[str, object]:
    """Run etcd3's own service stubs. They import `etcd3.etcdrpc`, so stand-ins wait there until the real package is
    imported.
    """
    parked = {"etcd3": ModuleType("etcd3"), PACKAGE: messages}
    parked["etcd3"].__path__ = [str(path.parent.parent)]
    parked["etcd3"].etcdrpc = messages  # type: ignore[attr-defined]
    sys.modules.update(parked)
    try:
        stubs: dict[str, object] = {"__name__": f"{PACKAGE}.rpc_pb2_grpc"}
        exec(compile(path.read_text(), str(path), "exec"), stubs)
    finally:
        del sys.modules["etcd3"], sys.modules[PACKAGE]
    return {name: value for name, value in stubs.items() if name.endswith("Stub")}
