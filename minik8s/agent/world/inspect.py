"""Docker's answers as the values that decisions are made from. Pure; no import of docker. Read next: docker.py."""

from datetime import UTC, datetime
from typing import Any

from minik8s import params
from minik8s.agent.observed import Container, Sandbox

_NEVER = "0001-01-01T00:00:00Z"


def moment(text: str) -> float:
    """Docker's time (nine digits behind the dot, or "never") as unix seconds; 0 for never."""
    if not text or text == _NEVER:
        return 0.0
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp() + float(f"0.{rest or 0}")


def sandbox(answer: dict[str, Any]) -> Sandbox:
    state, labels = answer["State"], answer["Config"]["Labels"]
    return Sandbox(
        id=answer["Id"],
        running=bool(state["Running"]),
        addresses=addresses(labels),
        created_at=moment(answer["Created"]),
        pid=state["Pid"],
    )


def container(answer: dict[str, Any]) -> Container:
    state, labels = answer["State"], answer["Config"]["Labels"]
    kind, error = _state(state), state.get("Error", "")
    return Container(
        id=answer["Id"],
        name=labels[params.LABEL_CONTAINER],
        attempt=int(labels.get(params.LABEL_ATTEMPT, 0)),
        streak=int(labels.get(params.LABEL_STREAK, 0)),
        sandbox=labels.get(params.LABEL_SANDBOX, ""),
        spec_hash=labels.get(params.LABEL_SPEC_HASH, ""),
        state=kind,
        image=answer["Config"]["Image"],
        image_id=answer["Image"],
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        error=error,
        started_at=moment(state["StartedAt"]),
        # A container that could not be started at all never finished either: it ended when it was made.
        finished_at=moment(state["FinishedAt"]) or (moment(answer["Created"]) if kind == "exited" else 0.0),
        stop_signal=answer["Config"].get("StopSignal") or "SIGTERM",
    )


def _state(state: dict[str, Any]) -> str:
    if state["Running"]:
        return "running"
    failed_to_start = state["Status"] == "created" and state["ExitCode"]
    return "exited" if failed_to_start or state["Status"] in ("exited", "dead") else "created"


def addresses(labels: dict[str, str]) -> tuple[str, ...]:
    """The Pod addresses that a sandbox has; none when it has those of its node."""
    return tuple(each for each in labels.get(params.LABEL_ADDRESS, "").split(",") if each)


def is_sandbox(labels: dict[str, str]) -> bool:
    return params.LABEL_CONTAINER not in labels


def pod_key(labels: dict[str, str]) -> str:
    return f"{labels[params.LABEL_POD_NAMESPACE]}/{labels[params.LABEL_POD_NAME]}"


def has_registry(image: str) -> bool:
    """Does the name say where to fetch it from? `127.0.0.1:9/none:1` does, `minik8s/toolbox:1` does not."""
    host, slash, _ = image.partition("/")
    return bool(slash) and (host == "localhost" or "." in host or ":" in host)


def split_image(image: str) -> tuple[str, str]:
    """Repository and tag; a digest is given as the tag."""
    if "@" in image:
        repository, _, digest = image.partition("@")
        return repository, digest
    repository, colon, tag = image.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (image, "latest")
