"""Whether and when a container that ended is started again: restartPolicy and the back-off. Pure.

The first restart comes at once, the next after 10 s, then 20 s, … up to five minutes. A container that ran for ten
minutes starts with a clean slate. The streak is a label on the container itself, so a restarted agent goes on
counting where it was. Read next: plan.py.
"""

from minik8s import params
from minik8s.agent.observed import Container


def wants_restart(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def next_streak(ended: Container) -> int:
    """The streak of the attempt that follows."""
    ran = ended.finished_at - ended.started_at
    return 0 if ran >= params.CONTAINER_BACKOFF_RESET_S else ended.streak + 1


def delay(streak: int) -> float:
    """How long to wait before the attempt with this streak."""
    first, most = params.CONTAINER_BACKOFF_S
    return 0.0 if streak <= 1 else min(first * 2.0 ** min(streak - 2, 30), most)


def image_delay(failures: int) -> float:
    first, most = params.IMAGE_BACKOFF_S
    return min(first * 2.0 ** min(max(failures - 1, 0), 30), most)


def restart_at(ended: Container) -> float:
    """The moment from which the container may be started again."""
    return ended.finished_at + delay(next_streak(ended))
