"""An informer shows our own writes at once, and never an object that is gone."""

from hypothesis import given
from hypothesis import strategies as st

from minik8s.api import codec
from minik8s.api.core import ConfigMap
from minik8s.client.informer import Informer
from minik8s.client.rest import Listing, WatchEvent


def cm(revision: int, uid: str = "u1", name: str = "a") -> ConfigMap:
    meta = {"name": name, "namespace": "default", "uid": uid, "resourceVersion": str(revision)}
    return codec.from_dict(ConfigMap, {"metadata": meta})


class Played(Informer):
    """An informer without a server: the test plays the watch."""

    def __init__(self) -> None:
        super().__init__(None, ConfigMap)
        self._take(Listing([], "10"))

    def told(self, type: str, obj: ConfigMap) -> None:
        self._apply(WatchEvent(type, obj))

    @property
    def revisions(self) -> list[str]:
        return [each.metadata.resourceVersion for each in self.values()]


def test_a_write_is_read_before_the_watch_tells_of_it():
    informer = Played()
    informer.wrote(cm(12))
    assert informer.get("default/a") is not None and informer.revisions == ["12"]
    informer.told("ADDED", cm(12))
    assert informer.revisions == ["12"]


def test_an_older_event_does_not_hide_a_newer_write():
    informer = Played()
    informer.told("ADDED", cm(11))
    informer.wrote(cm(13))
    informer.told("MODIFIED", cm(12))
    assert informer.revisions == ["13"]
    informer.told("MODIFIED", cm(14))
    assert informer.revisions == ["14"]


def test_an_answer_that_comes_after_the_deletion_does_not_bring_the_object_back():
    informer = Played()
    informer.told("ADDED", cm(12))
    informer.told("DELETED", cm(13))
    informer.wrote(cm(12))
    assert informer.values() == []


def test_a_write_that_was_undone_while_the_watch_was_away_is_forgotten_by_the_next_list():
    informer = Played()
    informer.wrote(cm(12))
    informer._take(Listing([], "20"))
    assert informer.values() == []


def test_what_we_removed_is_gone_at_once_and_its_successor_is_not():
    informer = Played()
    informer.told("ADDED", cm(11))
    informer.removed(cm(11))
    informer.told("MODIFIED", cm(12))
    assert informer.get("default/a") is None and informer.values() == []
    informer.told("DELETED", cm(13))
    informer.told("ADDED", cm(14, uid="u2"))
    assert informer.revisions == ["14"]


@given(st.data())
def test_after_the_watch_has_caught_up_the_copy_is_exactly_what_the_watch_told(data):
    """Random interleavings of writes, of the watch telling of them, and of answers that come late."""
    informer, truth, revision = Played(), {}, 10
    untold, answers = [], []
    for _ in range(data.draw(st.integers(1, 25))):
        step = data.draw(st.sampled_from(["write", "delete", "tell", "answer"]))
        name = data.draw(st.sampled_from(["a", "b"]))
        if step == "write":
            revision += 1
            uid = truth[name].metadata.uid if name in truth else f"u{revision}"
            truth[name] = cm(revision, uid, name)
            untold.append(("MODIFIED", truth[name]))
            answers.append(("wrote", truth[name]))
        elif step == "delete" and name in truth:
            revision += 1
            gone = truth.pop(name)
            untold.append(("DELETED", cm(revision, gone.metadata.uid, name)))
            answers.append(("removed", gone))
        elif step == "tell" and untold:
            informer.told(*untold.pop(0))
        elif step == "answer" and answers:
            call, obj = answers.pop(data.draw(st.integers(0, len(answers) - 1)))
            getattr(informer, call)(obj)
    for event in untold:
        informer.told(*event)
    for call, obj in answers:
        getattr(informer, call)(obj)
    informer.told("BOOKMARK", cm(revision + 1, name="bookmark"))
    assert {each.metadata.name: each.metadata.resourceVersion for each in informer.values()} == {
        name: each.metadata.resourceVersion for name, each in truth.items()
    }
