"""Every code of the doctor has its page, and every page its code."""

import re
from pathlib import Path

import minik8s.explain
from minik8s.explain import faults

EXPLAIN = Path(minik8s.explain.__file__).parent
PARTS = ("**Means**", "**See**", "**Mend**", "**In Kubernetes**")


def codes() -> set[str]:
    return {code for path in EXPLAIN.rglob("*.py") for code in re.findall(r'"(MK-[A-Z-]+)"', path.read_text())}


def pages() -> dict[str, str]:
    parts = re.split(r"^### (MK-[A-Z-]+)$", (EXPLAIN / "README.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_code_has_a_page_and_every_page_a_code():
    assert codes() == set(pages())


def test_a_page_says_what_it_means_how_to_see_and_mend_it_and_what_kubernetes_users_do():
    lacking = {code: part for code, page in pages().items() for part in PARTS if part not in page}
    assert not lacking


def test_the_doctor_has_a_word_for_each_fault():
    assert {fault.code for fault in faults.FAULTS} <= codes()
    assert [fault.number for fault in faults.FAULTS] == [1, 2, 3, 4, 5]
