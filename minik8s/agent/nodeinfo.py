"""What a node says of itself: size, addresses, software, conditions. Pure, but for `read_machine`, which looks at
/proc once.

Nodes of one machine share its processors and memory; each says it has them all, as virtual machines with a generous
host do. Read next: heartbeat.py.
"""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minik8s import params
from minik8s.api import times
from minik8s.api.core import (
    ContainerImage,
    DaemonEndpoint,
    Node,
    NodeAddress,
    NodeDaemonEndpoints,
    NodeSystemInfo,
)
from minik8s.api.core import NodeStatus as Status
from minik8s.api.meta import Condition, ObjectMeta
from minik8s.api.pods import condition

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_IMAGES = 50  # upstream's nodeStatusMaxImages


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What does not change while the agent runs."""

    name: str
    addresses: tuple[str, ...]  # of each family one
    cpus: int
    memory_kib: int
    architecture: str
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str
    runtime: str  # docker://20.10.24


def read_machine(name: str, addresses: tuple[str, ...], runtime: str) -> Machine:
    return Machine(
        name=name,
        addresses=addresses,
        cpus=os.cpu_count() or 1,
        memory_kib=_memory_kib(),
        architecture=_ARCHITECTURES.get(platform.machine(), platform.machine()),
        kernel=platform.release(),
        os_image=_os_image(),
        machine_id=_text("/etc/machine-id"),
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
        runtime=runtime,
    )


def _memory_kib() -> int:
    lines = _text("/proc/meminfo").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("MemTotal")), 0)


def _os_image() -> str:
    lines = _text("/etc/os-release").splitlines()
    return next((line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")), "Linux")


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""  # a machine without one


def labels(machine: Machine) -> dict[str, str]:
    return {
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
    }


def node(machine: Machine) -> Node:
    """The Node as it is first made; its status follows."""
    return Node(metadata=ObjectMeta(name=machine.name, labels=labels(machine)))


def status(machine: Machine, before: Node, images: Sequence[tuple[list[str], int]], state: tuple[str, float]) -> Status:
    """The status now. `state`: what is wrong with the node ("" for nothing), and the time."""
    wrong, now = state
    size = {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory_kib}Ki",
        "pods": str(params.MAX_PODS_PER_NODE),
    }
    return Status(
        capacity=dict(size),
        allocatable=dict(size),
        addresses=[
            *(NodeAddress(type="InternalIP", address=each) for each in machine.addresses),
            NodeAddress(type="Hostname", address=machine.name),
        ],
        conditions=conditions(before, wrong, now),
        daemonEndpoints=NodeDaemonEndpoints(kubeletEndpoint=DaemonEndpoint(Port=params.KUBELET_PORT)),
        nodeInfo=NodeSystemInfo(
            machineID=machine.machine_id,
            systemUUID=machine.machine_id,
            bootID=machine.boot_id,
            kernelVersion=machine.kernel,
            osImage=machine.os_image,
            containerRuntimeVersion=machine.runtime,
            kubeletVersion=params.KUBELET_VERSION,
            kubeProxyVersion=params.KUBELET_VERSION,
            operatingSystem="linux",
            architecture=machine.architecture,
        ),
        images=[ContainerImage(names=list(names), sizeBytes=size) for names, size in images[:_IMAGES]],
    )


def conditions(before: Node, wrong: str, now: float) -> list[Condition]:
    """Those a kubelet reports; conditions of other writers are kept in their places."""
    ready = Condition(type="Ready", status="True", reason="KubeletReady", message="kubelet is posting ready status")
    if wrong:
        ready = Condition(type="Ready", status="False", reason="KubeletNotReady", message=wrong)
    wanted = [
        _fine("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        _fine("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        _fine("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ready,
    ]
    mine = {c.type for c in wanted}
    old = before.status.conditions
    for each in wanted:
        told = condition(old, each.type)
        same = told is not None and told.status == each.status
        each.lastTransitionTime = (told.lastTransitionTime if told and same else None) or times.rfc3339(now)
        each.lastHeartbeatTime = times.rfc3339(now)
    return [*wanted, *(c for c in old if c.type not in mine)]


def _fine(kind: str, reason: str, message: str) -> Condition:
    return Condition(type=kind, status="False", reason=reason, message=message)


def same_but_heartbeat(one: Status, other: Status) -> bool:
    """Do two statuses differ in nothing but the time of the report?"""
    return _timeless(one) == _timeless(other)


def _timeless(status: Status) -> tuple[object, ...]:
    told = sorted((c.type, c.status, c.reason, c.message) for c in status.conditions)
    return (told, status.capacity, status.allocatable, status.addresses, status.nodeInfo, status.images)
