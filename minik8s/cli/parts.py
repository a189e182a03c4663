"""What the descriptions of several kinds share. Pure. Read next: described.py."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

from minik8s.api import times
from minik8s.api.meta import Condition, Object, controller_of
from minik8s.cli.report import NONE, Report

# A copy of the manifest, kept for `apply`: no news to whoever wrote it.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def labels(report: Report, obj: Object) -> None:
    """Labels and annotations."""
    shown = {key: value for key, value in obj.metadata.annotations.items() if key != LAST_APPLIED}
    report.pairs("Labels", obj.metadata.labels)
    report.pairs("Annotations", shown, ": ")


def moment(text: str | None) -> str:
    """`Mon, 02 Jan 2006 15:04:05 +0000`."""
    return format_datetime(datetime.fromtimestamp(int(times.parse(text)), UTC)) if text else NONE


def conditions(report: Report, found: Sequence[Condition], headings: Sequence[str]) -> None:
    if not found:
        return
    report.head("Conditions")
    fields = {"Type": "type", "Status": "status", "Reason": "reason", "Message": "message"}
    report.table(headings, [[getattr(each, fields[heading]) for heading in headings] for each in found])


def owner(obj: Object) -> str:
    """`ReplicaSet/web-7d4bf`, or nothing."""
    found = controller_of(obj)
    return f"{found.kind}/{found.name}" if found else ""


def lines(values: Mapping[str, str], sign: str) -> str:
    return "\n".join(f"{key}{sign}{value}" for key, value in sorted(values.items())) or NONE
