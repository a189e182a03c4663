"""Words for the group metrics.k8s.io: what nodes and Pods use just now."""

from minik8s.api import metrics
from minik8s.api.words.table import Words

_TIMESTAMP = "When the last of the two measurements was taken."
_WINDOW = "Time between the two measurements that CPU use is reckoned from, such as 15s."

WORDS: Words = {
    metrics.NodeMetrics: {
        "": "What a node uses just now. Measured when somebody asks, and kept nowhere.",
        "timestamp": _TIMESTAMP,
        "window": _WINDOW,
        "usage": "What its containers and its agent use: cpu in cores (250m is a quarter of one), memory in bytes.",
    },
    metrics.PodMetrics: {
        "": "What the containers of a Pod use just now. Measured when somebody asks, and kept nowhere.",
        "timestamp": _TIMESTAMP,
        "window": _WINDOW,
        "containers": "One entry for each container that has been measured twice.",
    },
    metrics.ContainerMetrics: {
        "": "What one container uses just now.",
        "name": "Name of the container.",
        "usage": "cpu in cores, memory in bytes: what it holds and could not give back at once.",
    },
}
