"""Who asks."""

from minik8s.apiserver.auth.authn import ANONYMOUS, certified, subject


def test_the_common_name_is_the_user_and_each_organisation_a_group():
    certificate = {"subject": ((("organizationName", "system:nodes"),), (("commonName", "system:node:node-1"),))}
    user = subject(certificate)
    assert user.name == "system:node:node-1"
    assert user.groups == ("system:nodes", "system:authenticated")
    assert not user.anonymous


def test_without_a_certificate_or_a_name_one_is_anonymous():
    nameless = {"subject": ((("organizationName", "system:masters"),),)}
    for certificate in (None, {}, nameless):
        assert subject(certificate) == ANONYMOUS
    assert certified({}) == certified({"gunicorn.socket": object()}) == ANONYMOUS
    assert ANONYMOUS.anonymous
