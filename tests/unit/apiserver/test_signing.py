"""Signed tokens: what is read is what was signed, and nothing else counts."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from minik8s.apiserver.auth.signing import BadToken, Keys, decode, encode

KEYS = Keys(ec.generate_private_key(ec.SECP256R1()))
CLAIMS = {"iss": "https://here", "sub": "me", "aud": ["you"], "exp": 12}


def parts(token):
    return token.split(".")


def other_header(token, **more):
    header = {**json.loads(decode(parts(token)[0])), **more}
    return ".".join([encode(json.dumps(header).encode()), *parts(token)[1:]])


def test_a_token_says_what_was_signed():
    assert KEYS.read(KEYS.sign(CLAIMS)) == CLAIMS


def test_one_changed_letter_anywhere_makes_a_token_worthless():
    token = KEYS.sign(CLAIMS)
    for at in range(0, len(token) - 1, 7):  # the last letter holds bits that mean nothing
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(BadToken):
            KEYS.read(changed)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", ""])
def test_a_token_does_not_choose_how_it_is_checked(algorithm):
    with pytest.raises(BadToken, match="not signed by a key of this cluster"):
        KEYS.read(other_header(KEYS.sign(CLAIMS), alg=algorithm))


def test_a_token_of_another_cluster_is_none_of_ours_even_with_our_key_s_name():
    token = Keys(ec.generate_private_key(ec.SECP256R1())).sign(CLAIMS)
    for claimed in (token, other_header(token, kid=KEYS.id)):
        with pytest.raises(BadToken):
            KEYS.read(claimed)


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "a.b.c.d", "....", "é.é.é", "e30.e30.e30", "A" * 9000])
def test_what_is_no_token_is_refused_and_nothing_breaks(text):
    with pytest.raises(BadToken):
        KEYS.read(text)


def test_anybody_can_check_a_token_with_the_published_key():
    (key,) = KEYS.public()["keys"]
    x, y = (int.from_bytes(decode(key[name]), "big") for name in ("x", "y"))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert (key["kid"], key["kty"], key["alg"]) == (KEYS.id, "EC", "ES256")
    assert public == KEYS._public


def test_a_key_of_another_sort_is_refused_with_its_file(tmp_path):
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path / "sa.key"
    plain = serialization.NoEncryption()
    file.write_bytes(made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    with pytest.raises(ValueError, match=r"sa\.key: a key for signing tokens must be an elliptic one"):
        Keys.load(file)
