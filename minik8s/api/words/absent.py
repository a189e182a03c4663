"""Words for the kinds of which there are none: that there are none."""

from minik8s.api.absent import BARE
from minik8s.api.words.table import Words

WORDS: Words = {
    cls: {"": f"A kind of Kubernetes of which minik8s has none: {cls.resource.plural} can be listed, and none be made."}
    for cls in BARE
}
