"""`lab watch`: checks again at each save and at each change of the lab's namespace.

The cluster tells by watches. Files do not tell, so their times are looked at a few times a second; a lab whose steps
look at what tells nobody (rules of the kernel, processes) says in lab.toml how often to look (`look_every`). What must
hold: a check that changes the cluster for a moment does not wake itself for ever: what counts is whether the cluster
is another one than after the last check.

Read next: lab.py.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minik8s.api import codec
from minik8s.api.apps import Deployment
from minik8s.api.core import Pod, Service
from minik8s.api.discovery import EndpointSlice
from minik8s.api.meta import Object, key
from minik8s.api.pods import is_ready
from minik8s.cli import labfolder
from minik8s.cli.labworld import World
from minik8s.client.informer import Informer

LOOK_S = 0.25  # how soon a saved file is noticed
CALM_S = 0.3  # changes come in swarms: one check for all of them
_pause = threading.Event().wait


def watch(here: World, tell: Callable[[], None]) -> None:
    """Tell now and at each change; ends with Ctrl-C."""
    changed = threading.Event()
    informers: list[Informer[Any]] = [
        Informer(here.client, cls, namespace=here.namespace) for cls in (Pod, Service, EndpointSlice, Deployment)
    ]
    for each in informers:
        each.on_change(lambda old, new: changed.set())
        each.start()
    try:
        for each in informers:
            each.wait_synced(5)
        follow(here, informers, changed, tell)
    finally:
        for each in informers:
            each.stop()


def follow(here: World, informers: list[Informer[Any]], changed: threading.Event, tell: Callable[[], None]) -> None:
    files = times(here)
    while True:
        tell()
        changed.clear()
        cluster, waited = shape(informers), 0.0
        while True:
            woken = changed.wait(LOOK_S)
            waited += LOOK_S
            now = times(here)
            if now != files:
                swap(here, files, now)
                files = now
                break
            if woken:
                _pause(CALM_S)
                changed.clear()
                if shape(informers) != cluster:
                    break
            if here.lab.look_every and waited >= here.lab.look_every:
                break


def times(here: World) -> dict[str, float]:
    """When each of the learner's files was saved."""
    names = [file.name for file in labfolder.files(here.lab, "start")]
    paths = [here.folder / name for name in names]
    return {path.name: path.stat().st_mtime for path in paths if path.exists()}


def swap(here: World, old: dict[str, float], new: dict[str, float]) -> None:
    """Run the learner's program as it is now, if it was saved."""
    name = here.lab.program
    if here.program and new.get(name) != old.get(name) and Path(here.program.file).exists():
        here.program.start()


def shape(informers: list[Informer[Any]]) -> dict[str, Any]:
    """What of the cluster a check could see: names, settings, endpoints, who is ready; no times, no revisions."""
    return {f"{each.cls.__name__} {key(obj)}": of(obj) for each in informers for obj in each.values()}


def of(obj: Object) -> Any:
    if isinstance(obj, Pod):
        return obj.metadata.labels, is_ready(obj), bool(obj.metadata.deletionTimestamp), obj.status.podIP
    if isinstance(obj, EndpointSlice):
        return codec.to_dict(obj).get("endpoints"), codec.to_dict(obj).get("ports")
    return codec.to_dict(obj).get("spec")
