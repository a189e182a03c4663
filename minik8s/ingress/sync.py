"""Look, plan, act, for HAProxy; and what to tell.

Invariant: one thread syncs. A configuration that is refused leaves the old one in force, and the Ingress to blame
hears of it: the one without which it would be accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from minik8s.api.meta import ref
from minik8s.api.networking import Ingress
from minik8s.host.journal import Journal
from minik8s.ingress.plan import Action, Load, Objects, Wish, endpoints, plan, wish
from minik8s.ingress.rules import Trouble
from minik8s.ingress.world import Refused, World

REFUSED = "ConfigurationRefused"


@dataclass
class Syncer:
    """Keeps HAProxy as the objects want it. The fields are read by the debug pages and by the status."""

    world: World
    journal: Journal
    tell: Callable[[Trouble], None]  # an Event
    wanted: Wish | None = None
    serves: bool = False  # HAProxy runs: by the newest wish, or by an older one because that was refused
    reloads: int = 0
    _refused: str = ""  # the generation that was refused last
    _accepted: dict[str, str] = field(default_factory=dict)  # uid → resourceVersion, of the Ingresses in force

    def sync(self, objects: Objects) -> None:
        """Raises Refused when HAProxy does not take it: it goes on by the old configuration."""
        self.wanted = wish(objects, self.world.site)
        try:
            for action in plan(self.wanted.config, self.world.observe()):
                self._do(self.wanted, action)
        except Refused as error:
            self._go_on(objects, str(error))
            raise
        except BaseException:
            self.serves = False
            raise
        self._accepted = {each.metadata.uid: each.metadata.resourceVersion for each in self.wanted.ingresses}
        self.serves = True

    def _do(self, wanted: Wish, action: Action) -> None:
        if isinstance(action, Load):
            generation = wanted.config.generation
            self.world.load(generation, wanted.config.files(action.slots, generation))
            self.reloads += not action.start
            data = {"generation": generation, "start": action.start}
        else:
            self.world.fill(action.slots)
            data = {"slots": {name: dict(slots) for name, slots in action.slots.items()}}
        names = {rule.ingress for rule in wanted.config.rules if rule.target.name in action.slots}
        seen = [each for each in wanted.ingresses if f"{each.metadata.namespace}/{each.metadata.name}" in names]
        refs = [ref(each).rpartition("@") for each in seen]
        self.journal.record("ingress", action.because, [at for at, _, _ in refs], [r for _, _, r in refs], **data)

    def _go_on(self, objects: Objects, said: str) -> None:
        """By the old rules, but not with the old endpoints; and the word about it once for each refused wish."""
        assert self.wanted is not None
        running = self.world.observe()
        self.serves = bool(running.generation)
        for action in endpoints(self.wanted.config, running):
            self._do(self.wanted, action)
        if self.wanted.config.generation != self._refused:
            self._refused = self.wanted.config.generation
            self._blame(objects, said)

    def _blame(self, objects: Objects, said: str) -> None:
        """Which of the Ingresses that are new or changed is it? The one without which HAProxy would not complain."""
        assert self.wanted is not None
        suspects = [each for each in self.wanted.ingresses if self._is_new(each)] or list(self.wanted.ingresses)
        guilty = [each for each in suspects if self._accepted_without(objects, each)] or suspects
        for each in guilty:
            self.tell(Trouble(each, REFUSED, f"HAProxy does not take it, and goes on as before: {said}"))
        self.journal.record("ingress", f"refused: {said}", [ref(each).rpartition("@")[0] for each in guilty])

    def _is_new(self, ingress: Ingress) -> bool:
        return self._accepted.get(ingress.metadata.uid) != ingress.metadata.resourceVersion

    def _accepted_without(self, objects: Objects, suspect: Ingress) -> bool:
        rest = [each for each in objects.ingresses if each is not suspect]
        config = wish(replace(objects, ingresses=rest), self.world.site).config
        return self.world.accepts(config.files({}, config.generation))
