"""What is set on a `hubtls.native_context` holds for every name, whichever roots are believed about it."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Authority
from servers import connect, openssl_server, stdlib_server

import hubtls

#: Added roots are believed about one of them alone.
NAMES = ("localhost", "hub1.azure-devices.net")


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> Any:
    """The name that is connected to."""
    return request.param


@pytest.fixture
def native(authority: Authority, rsa_authority: Authority) -> hubtls.NativeContext:
    """`rsa_authority` vouches for Azure's names, `authority` was added and does not."""
    roots = hubtls.Roots.from_pem(rsa_authority.pem).vouching_for_azure()
    return hubtls.native_context(roots=roots, add_roots=authority.pem)


@contextlib.contextmanager
def server(authority: Authority, *arguments: str) -> Iterator[int]:
    chain, key = authority.files(authority.issue(*NAMES))
    with openssl_server("-cert", chain, "-key", key, *arguments) as port:
        yield port


def test_both_names_are_connected_to(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    with server(rsa_authority) as port, connect(native, port, name) as connection:
        assert connection.version() == "TLSv1.3"


def test_the_minimum_version(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    native.minimum_version = ssl.TLSVersion.TLSv1_3
    with server(rsa_authority, "-tls1_2") as port, pytest.raises(ssl.SSLError):
        connect(native, port, name)


def test_the_maximum_version(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    native.maximum_version = ssl.TLSVersion.TLSv1_2
    with server(rsa_authority) as port, connect(native, port, name) as connection:
        assert connection.version() == "TLSv1.2"


def test_the_options(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    native.options |= ssl.OP_NO_TLSv1_3
    with server(rsa_authority) as port, connect(native, port, name) as connection:
        assert connection.version() == "TLSv1.2"


def test_the_verify_flags(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    # There is no list of revoked certificates.
    native.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    with server(rsa_authority) as port, pytest.raises(ssl.SSLCertVerificationError, match="CRL"):
        connect(native, port, name)


@pytest.mark.parametrize(
    "cipherlist",
    ["ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE+AESGCM:!AES128"],
)
def test_the_suites(native: hubtls.NativeContext, rsa_authority: Authority, name: str, cipherlist: str) -> None:
    native.set_ciphers(cipherlist)
    with server(rsa_authority, "-tls1_2") as port, connect(native, port, name) as connection:
        assert connection.cipher()[0] == "ECDHE-RSA-AES256-GCM-SHA384"


@pytest.mark.parametrize("group", ["prime256v1", "secp256r1", "P-256", b"prime256v1"])
def test_the_group(native: hubtls.NativeContext, rsa_authority: Authority, name: str, group: str) -> None:
    native.set_ecdh_curve(group)
    with server(rsa_authority, "-groups", "P-384:X25519") as port, pytest.raises(ssl.SSLError):
        connect(native, port, name)


def test_the_key_log(native: hubtls.NativeContext, rsa_authority: Authority, name: str, tmp_path: Path) -> None:
    native.keylog_filename = str(tmp_path / "keys")
    with server(rsa_authority, "-tls1_2") as port:
        connect(native, port, name).close()
    assert "CLIENT_RANDOM" in (tmp_path / "keys").read_text()


def test_the_protocols(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    native.set_alpn_protocols(["mqtt"])
    with server(rsa_authority, "-alpn", "mqtt") as port, connect(native, port, name) as connection:
        assert connection.selected_alpn_protocol() == "mqtt"


def test_the_clients_certificate(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    native.load_cert_chain(*rsa_authority.files(rsa_authority.issue("device.example")))
    context = rsa_authority.server_context(*NAMES, client_certificate=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with stdlib_server(context) as port:
        connect(native, port, name).close()


def test_a_passphrase_is_asked_for_once(native: hubtls.NativeContext, rsa_authority: Authority) -> None:
    asked = []

    def passphrase() -> str:
        asked.append(1)
        return "unused"

    chain, key = rsa_authority.files(rsa_authority.issue("device.example"))
    encrypted = _encrypted(key, b"unused")
    native.load_cert_chain(chain, encrypted, passphrase)
    assert len(asked) == 1


def _encrypted(key: Path, passphrase: bytes) -> Path:
    from cryptography.hazmat.primitives import serialization as form

    loaded = form.load_pem_private_key(key.read_bytes(), None)
    protection = form.BestAvailableEncryption(passphrase)
    path = key.with_suffix(".encrypted")
    path.write_bytes(loaded.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, protection))
    return path


def test_the_answer_to_a_late_question_for_a_certificate(
    native: hubtls.NativeContext, rsa_authority: Authority, name: str
) -> None:
    def ask(connection: ssl.SSLSocket) -> None:
        connection.recv(1)
        try:
            connection.verify_client_post_handshake()
        except ssl.SSLError:
            connection.sendall(b"unwilling")
        else:
            connection.sendall(b"willing")

    native.post_handshake_auth = True
    context = rsa_authority.server_context(*NAMES)
    context.post_handshake_auth = True
    context.verify_mode = ssl.CERT_OPTIONAL
    with stdlib_server(context, ask, unwrap=False) as port, connect(native, port, name) as connection:
        connection.sendall(b"?")
        assert connection.recv(9) == b"willing"


def test_the_callback_for_messages(native: hubtls.NativeContext, rsa_authority: Authority, name: str) -> None:
    seen = []
    native._msg_callback = lambda *message: seen.append(message[3])
    with server(rsa_authority) as port:
        connect(native, port, name).close()
    assert seen


def test_suites_of_tls_13_cannot_be_chosen_by_the_list_for_tls_12(native: hubtls.NativeContext) -> None:
    with pytest.raises(hubtls.HubTlsError) as raised:
        native.set_ciphers("TLS_AES_256_GCM_SHA384")
    assert raised.value.code == "POLICY_EMPTY"


@pytest.mark.parametrize("group", ["brainpoolP256r1", "no group"])
def test_a_group_that_is_not_the_policys_is_refused(native: hubtls.NativeContext, group: str) -> None:
    with pytest.raises(ValueError, match=group):
        native.set_ecdh_curve(group)
