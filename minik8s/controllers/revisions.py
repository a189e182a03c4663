"""Earlier templates, kept as ControllerRevisions: which is the present one, and which may be forgotten. Pure.

A StatefulSet or DaemonSet has no ReplicaSets to remember what it was; `kubectl rollout history` and `undo` read these
instead. `data` is a strategic merge patch that puts the template back, so `undo` just sends it. Invariants: one
revision for each template, the present one's number is the highest; what was put back takes the next number.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from minik8s.api import codec
from minik8s.api.apps import ControllerRevision, DaemonSet, StatefulSet
from minik8s.api.meta import ObjectMeta, owner_of
from minik8s.api.pods import PodTemplateSpec
from minik8s.controllers import templates
from minik8s.controllers.actions import Action, Create, Delete, Patch
from minik8s.controllers.owners import claim

LABEL = "controller-revision-hash"  # on Pods: which revision they were made from
HISTORY_LIMIT = 10  # upstream's default of revisionHistoryLimit
Owner = StatefulSet | DaemonSet


def look(
    owner: Owner, candidates: Sequence[ControllerRevision]
) -> tuple[ControllerRevision, list[ControllerRevision], list[Action]]:
    """The revision of the present template (perhaps one only just being made), all of the owner's, and the writes."""
    mine, actions = claim(owner, owner.spec.selector, candidates)
    ordered = sorted(mine, key=_order)
    present = [each for each in ordered if templates.same(template_of(each), owner.spec.template)]
    following = ordered[-1].revision + 1 if ordered else 1
    if not present:
        made = _new(owner, following, {each.metadata.name for each in ordered})
        return made, [*ordered, made], [*actions, Create(made, "no revision has the present template")]
    newest = present[-1]
    if newest is ordered[-1]:
        return newest, ordered, actions
    newest = msgspec.structs.replace(newest, revision=following)
    change = {"revision": following}
    return newest, ordered, [*actions, Patch(present[-1], change, "an earlier template was put back")]


def _order(revision: ControllerRevision) -> tuple[int, str, str]:
    return revision.revision, revision.metadata.creationTimestamp or "", revision.metadata.name


def template_of(revision: ControllerRevision) -> PodTemplateSpec:
    plain: dict[str, Any] = (revision.data or {}).get("spec", {}).get("template", {})
    return codec.from_dict(PodTemplateSpec, plain)


def _new(owner: Owner, number: int, taken: set[str]) -> ControllerRevision:
    template, attempt = owner.spec.template, 0
    while f"{owner.metadata.name}-{templates.name_of(template, attempt)}" in taken:
        attempt += 1
    mark = templates.name_of(template, attempt)
    return ControllerRevision(
        metadata=ObjectMeta(
            name=f"{owner.metadata.name}-{mark}",
            namespace=owner.metadata.namespace,
            labels={**template.metadata.labels, LABEL: mark, "controller.kubernetes.io/hash": mark},
            annotations=dict(owner.metadata.annotations),
            ownerReferences=[owner_of(owner)],
        ),
        # The mark makes a strategic merge patch replace the whole template instead of merging into it.
        data={"spec": {"template": {**codec.to_dict(template), "$patch": "replace"}}},
        revision=number,
    )


def forget(owner: Owner, mine: Sequence[ControllerRevision], live: Collection[str]) -> list[Action]:
    """Deletions of the oldest revisions that nothing is made from any more. `live` are names in use."""
    limit = HISTORY_LIMIT if owner.spec.revisionHistoryLimit is None else owner.spec.revisionHistoryLimit
    idle = [each for each in mine if each.metadata.name not in live and each.metadata.deletionTimestamp is None]
    surplus = idle[: max(0, len(idle) - limit)]
    return [Delete(each, f"only {limit} old revisions are kept") for each in surplus]
