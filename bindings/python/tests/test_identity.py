"""Client certificates: from files, bytes, PKCS#12, and with a key held elsewhere."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest
import trustme
from conftest import Authority
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from servers import connect, stdlib_server

import hubtls
from hubtls import HubTlsError, Identity


@pytest.fixture(params=[trustme.KeyType.ECDSA, trustme.KeyType.RSA], ids=["ecdsa", "rsa"])
def device(request: pytest.FixtureRequest, authority: Authority) -> trustme.LeafCert:
    """A device's certificate."""
    return authority.issue("device-1", key_type=request.param)


def parts(leaf: trustme.LeafCert) -> tuple[bytes, bytes]:
    return leaf.cert_chain_pems[0].bytes(), leaf.private_key_pem.bytes()


def private_key(leaf: trustme.LeafCert):
    return serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)


def encrypted(leaf: trustme.LeafCert, passphrase: bytes = b"secret") -> bytes:
    return private_key(leaf).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )


def signer(leaf: trustme.LeafCert):
    """What an HSM would do: it has the key, hubtls has not."""
    key = private_key(leaf)
    algorithms = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}

    def sign(scheme: str, message: bytes) -> bytes:
        algorithm = algorithms[scheme[-3:]]()
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(algorithm))
        assert isinstance(key, rsa.RSAPrivateKey)
        if "pss" in scheme:
            return key.sign(message, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
        return key.sign(message, padding.PKCS1v15(), algorithm)

    return sign


def seen_by(authority: Authority, identity: object, **options: object) -> list[bytes]:
    """The certificate that a server which demands one is shown."""
    seen = []

    def look(connection: ssl.SSLSocket) -> None:
        seen.append(connection.getpeercert(True))
        connection.sendall(b"welcome")

    with stdlib_server(authority.server_context(client_certificate=True), look) as port:
        context = hubtls.SSLContext(roots=authority.pem, identity=identity, **options)
        with connect(context, port) as connection:
            assert connection.recv(7) == b"welcome"
            assert connection.negotiated.client_certificate_requested
            connection.unwrap().close()
    return seen


@pytest.mark.parametrize("policy", ["iothub", "iothub-tls12"])
@pytest.mark.parametrize("form", ["pem", "der", "pkcs12", "encrypted", "files", "encrypted files", "signer"])
def test_a_server_sees_the_certificate(
    authority: Authority, device: trustme.LeafCert, form: str, policy: str, tmp_path: Path
) -> None:
    chain, key = parts(device)
    der = ssl.PEM_cert_to_DER_cert(chain.decode())
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key if form == "files" else encrypted(device))
    pkcs8 = private_key(device).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = x509.load_pem_x509_certificate(chain)
    identity = {
        "pem": lambda: Identity.from_pem(chain, key.decode()),
        "der": lambda: Identity.from_der([der], pkcs8),
        "pkcs12": lambda: Identity.from_pkcs12(
            pkcs12.serialize_key_and_certificates(
                b"device", private_key(device), certificate, None, serialization.BestAvailableEncryption(b"secret")
            ),
            "secret",
        ),
        "encrypted": lambda: Identity.from_pem(chain, encrypted(device), b"secret"),
        "files": lambda: (tmp_path / "chain.pem", tmp_path / "key.pem"),
        "encrypted files": lambda: (str(tmp_path / "chain.pem"), str(tmp_path / "key.pem"), "secret"),
        "signer": lambda: Identity.from_signer(chain, signer(device)),
    }[form]()
    assert seen_by(authority, identity, policy=policy) == [der]


def test_an_identity_tells_whose_it_is_and_shows_no_key(authority: Authority) -> None:
    device = authority.issue("device-1", key_type=trustme.KeyType.ECDSA)
    identity = Identity.from_pem(*parts(device))
    assert identity.key_algorithm == "P-256"
    assert identity.chain[0].names == ["device-1"]
    assert identity.subject in repr(identity)
    assert not [name for name in dir(identity) if "private" in name]


@pytest.mark.parametrize(
    ("chain", "key", "passphrase", "code"),
    [
        (b"", "own", None, "EMPTY_CHAIN"),
        ("own", b"nonsense", None, "INVALID_KEY"),
        ("own", "other", None, "KEY_MISMATCH"),
        ("own", "encrypted", None, "PASSPHRASE_REQUIRED"),
        ("own", "encrypted", "wrong", "WRONG_PASSPHRASE"),
        ("own", "encrypted", b"\xff", "INVALID_ARGUMENT"),
    ],
)
def test_what_is_wrong_with_an_identity_is_said(
    authority: Authority, chain: object, key: object, passphrase: object, code: str
) -> None:
    device, other = authority.issue("device-1"), authority.issue("device-2")
    forms = {"own": parts(device)[1], "other": parts(other)[1], "encrypted": encrypted(device)}
    with pytest.raises(HubTlsError) as raised:
        Identity.from_pem(parts(device)[0] if chain == "own" else chain, forms.get(key, key), passphrase)
    assert raised.value.code == code
    assert "secret" not in str(raised.value)


def test_files_that_are_missing_or_wrong_are_named(authority: Authority, tmp_path: Path) -> None:
    chain, _ = authority.files(authority.issue("device-1"))
    with pytest.raises(FileNotFoundError) as raised:
        hubtls.SSLContext(identity=(chain, tmp_path / "missing.key"))
    assert raised.value.filename.endswith("missing.key")
    with pytest.raises(HubTlsError, match="INVALID_KEY") as wrong:
        hubtls.SSLContext(identity=(chain, chain))
    assert str(chain) in str(wrong.value)


@pytest.mark.parametrize(
    ("sign", "says"),
    [
        (lambda scheme, message: b"nonsense", "not a ecdsa_secp256r1_sha256 signature"),
        (lambda scheme, message: "text", "not bytes"),
        (lambda scheme, message: None, "not bytes"),
        (lambda scheme, message: 1 / 0, "ZeroDivisionError"),
        (lambda: b"", "TypeError"),
    ],
)
def test_a_signer_that_does_not_sign_is_refused_when_it_is_given(authority: Authority, sign, says: str) -> None:
    chain, _ = parts(authority.issue("device-1"))
    with pytest.raises(HubTlsError) as raised:
        Identity.from_signer(chain, sign)
    assert raised.value.code == "SIGNER_FAILED"
    assert says in str(raised.value)


def test_a_signer_must_be_callable_and_its_schemes_known(authority: Authority) -> None:
    device = authority.issue("device-1")
    chain, key = parts(device)
    with pytest.raises(HubTlsError, match="cannot be called"):
        Identity.from_signer(chain, key)
    with pytest.raises(HubTlsError) as raised:
        Identity.from_signer(chain, signer(device), schemes=["rot13"])
    assert raised.value.code == "UNKNOWN_SIGNATURE_SCHEME"
    assert Identity.from_signer(chain, signer(device), schemes=["ecdsa_secp256r1_sha256"]).subject


def test_a_signer_that_fails_in_a_handshake_is_an_ssl_error_with_its_reason(authority: Authority) -> None:
    device = authority.issue("device-1")
    works, calls = signer(device), []

    def sign(scheme: str, message: bytes) -> bytes:
        calls.append(threading.get_ident())
        if len(calls) > 1:
            raise RuntimeError("the token was pulled")
        return works(scheme, message)

    identity = Identity.from_signer(parts(device)[0], sign)
    with stdlib_server(authority.server_context(client_certificate=True)) as port:
        with pytest.raises(ssl.SSLError, match="the token was pulled") as raised:
            connect(hubtls.SSLContext(roots=authority.pem, identity=identity), port)
        assert raised.value.code == "SIGNER_FAILED"
    assert calls == [threading.get_ident()] * 2


def test_other_threads_run_while_a_signer_waits(authority: Authority) -> None:
    device = authority.issue("device-1")
    works, asked, answered = signer(device), threading.Event(), threading.Event()
    slow = []

    def sign(scheme: str, message: bytes) -> bytes:
        if slow:
            asked.set()
            assert answered.wait(20)
        return works(scheme, message)

    identity = Identity.from_signer(parts(device)[0], sign)
    slow.append(True)
    with stdlib_server(authority.server_context(client_certificate=True)) as port:
        context = hubtls.SSLContext(roots=authority.pem, identity=identity)
        results = []
        thread = threading.Thread(target=lambda: results.append(connect(context, port)))
        thread.start()
        assert asked.wait(20)
        answered.set()
        thread.join(20)
        results[0].close()


def test_a_signer_that_calls_its_own_connection_is_told_so(authority: Authority) -> None:
    device = authority.issue("device-1")
    works, holder, seen = signer(device), [], []

    def sign(scheme: str, message: bytes) -> bytes:
        if holder:
            with pytest.raises(ssl.SSLError) as raised:
                holder[0].recv(1)
            seen.append(raised.value.code)
        return works(scheme, message)

    identity = Identity.from_signer(parts(device)[0], sign)
    with stdlib_server(authority.server_context(client_certificate=True)) as port:
        context = hubtls.SSLContext(roots=authority.pem, identity=identity)
        with connect(context, port, do_handshake_on_connect=False) as connection:
            holder.append(connection)
            connection.do_handshake()
    assert seen == ["IN_USE"]


def test_an_expired_certificate_is_a_warning_or_an_error(authority: Authority) -> None:
    identity = Identity.from_pem(*parts(authority.issue("device-1", expired=True)))
    config = hubtls.Config(roots=authority.pem, identity=identity)
    assert "expired" in config.warnings[0]
    assert config.identity.subject == identity.subject
    with pytest.raises(HubTlsError) as raised:
        hubtls.Config(identity=identity, refuse_invalid_identity=True)
    assert raised.value.code == "IDENTITY_EXPIRED"


def test_a_server_that_demands_a_certificate_and_gets_none_says_so(authority: Authority) -> None:
    for policy in ("iothub", "iothub-tls12"):
        with stdlib_server(authority.server_context(client_certificate=True)) as port:
            with pytest.raises(ssl.SSLError) as raised:
                connect(hubtls.SSLContext(roots=authority.pem, policy=policy), port).recv(1)
            assert raised.value.code == "CLIENT_CERTIFICATE_REQUIRED"
            assert raised.value.alert_received
