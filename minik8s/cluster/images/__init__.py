"""The two images every cluster needs, built on the spot, so that no registry does.

`pause` holds a Pod's network namespace open; `toolbox` has a shell, curl, Python and the labs' own programs. Both are
packed as plain tar archives and uploaded through the Engine's API. Each carries the hash of its content as a label: an
Engine that has the same one is left alone.
Reads: programs installed on this machine. Writes: images in the Engine, a cache in `$MINIK8S_HOME/cache`.

Read first: `pause.py`, then `tar.py` and `toolbox.py`.
"""

import hashlib
from pathlib import Path
from typing import Protocol

from minik8s import params
from minik8s.cluster.images import pause, toolbox

LABEL_CONTENT = "io.minik8s.content"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Engine(Protocol):
    """What is asked of the Engine: `cluster/engine.py` gives it, tests give another."""

    def architecture(self) -> str: ...
    def image_label(self, image: str, label: str) -> str: ...
    def import_image(self, image: str, layer: bytes, changes: list[str]) -> None: ...


def load(engine: Engine, cache: Path) -> list[str]:
    """Bring both images into the Engine; the names of those that had to be imported."""
    return [*load_pause(engine), *load_toolbox(engine, cache)]


def load_pause(engine: Engine) -> list[str]:
    """The sandbox's image, wanted first: node sandboxes wait for it."""
    layer = pause.layer(engine.architecture())
    digest = hashlib.sha256(layer).hexdigest()[:16]
    if engine.image_label(params.PAUSE_IMAGE, LABEL_CONTENT) == digest:
        return []
    engine.import_image(params.PAUSE_IMAGE, layer, ['ENTRYPOINT ["/pause"]', f"LABEL {LABEL_CONTENT}={digest}"])
    return [params.PAUSE_IMAGE]


def load_toolbox(engine: Engine, cache: Path) -> list[str]:
    """The labs' image."""
    path, digest = toolbox.archive(cache)
    if engine.image_label(params.TOOLBOX_IMAGE, LABEL_CONTENT) == digest:
        return []
    changes = [f"ENV {PATH}", 'ENTRYPOINT ["python3", "-u", "/app/backend.py"]', f"LABEL {LABEL_CONTENT}={digest}"]
    engine.import_image(params.TOOLBOX_IMAGE, path.read_bytes(), changes)
    return [params.TOOLBOX_IMAGE]
