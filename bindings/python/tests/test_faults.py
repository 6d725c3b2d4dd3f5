"""Peers that do what they should not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading

import pytest
from conftest import Authority
from servers import PATIENCE, connect, listening, openssl_server, stdlib_server

import hubtls


def code_of(context: ssl.SSLContext, port: int, name: str = "localhost") -> str:
    with pytest.raises(ssl.SSLError) as raised:
        connect(context, port, name)
    assert isinstance(raised.value, hubtls.HubTlsError)
    assert len(raised.value.args) == 2
    assert raised.value.hint in str(raised.value)
    return raised.value.code


@pytest.mark.parametrize(
    ("name", "names", "expired", "trusted", "code", "number"),
    [
        ("localhost", ["other.example"], False, True, "HOST_NAME_MISMATCH", 62),
        ("localhost", ["localhost"], True, True, "CERTIFICATE_EXPIRED", 10),
        ("localhost", ["localhost"], False, False, "UNKNOWN_ROOT", 20),
    ],
)
def test_a_certificate_that_is_wrong_is_refused_as_ssl_refuses_it(
    authority: Authority, name: str, names: list[str], expired: bool, trusted: bool, code: str, number: int
) -> None:
    with stdlib_server(authority.server_context(*names, expired=expired)) as port:
        context = hubtls.SSLContext(roots=authority.pem) if trusted else hubtls.SSLContext()
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            connect(context, port, name)
        native = ssl.create_default_context(cadata=authority.pem.decode() if trusted else None)
        with pytest.raises(ssl.SSLCertVerificationError) as expected:
            connect(native, port, name)
    error = raised.value
    assert (error.code, error.verify_code) == (code, number)
    assert expected.value.verify_code in (number, 18, 19)
    assert error.args[0] == expected.value.args[0] == ssl.SSL_ERROR_SSL
    assert (error.library, error.reason) == (expected.value.library, expected.value.reason)
    assert "CERTIFICATE_VERIFY_FAILED" in error.strerror
    assert error.verify_message == error.message


def test_old_versions_are_refused(rsa_authority: Authority) -> None:
    chain, key = rsa_authority.files(rsa_authority.issue("localhost"))
    options = ("-cert", chain, "-key", key, "-cipher", "DEFAULT:@SECLEVEL=0")
    with openssl_server(*options, "-tls1_1") as port:
        assert code_of(hubtls.SSLContext(roots=rsa_authority.pem), port) == "PROTOCOL_VERSION"


def test_weak_suites_are_refused(rsa_authority: Authority) -> None:
    chain, key = rsa_authority.files(rsa_authority.issue("localhost"))
    with openssl_server("-cert", chain, "-key", key, "-tls1_2", "-cipher", "AES128-SHA") as port:
        assert code_of(hubtls.SSLContext(roots=rsa_authority.pem), port) == "NO_COMMON_SUITE"


def test_a_peer_that_speaks_no_tls_is_told_apart(context: hubtls.SSLContext) -> None:
    with listening(lambda sock: sock.sendall(b"220 mail.example ESMTP\r\n") or sock.recv(1000)) as port:
        assert code_of(context, port) == "NOT_TLS"


def test_a_peer_that_hangs_up_in_the_handshake_is_told_apart(context: hubtls.SSLContext) -> None:
    with listening(lambda sock: sock.recv(10_000)) as port, pytest.raises(ssl.SSLEOFError) as raised:
        connect(context, port)
    assert raised.value.code == "CLOSED_IN_HANDSHAKE"


def test_a_peer_that_stays_silent_runs_into_the_time_limit(context: hubtls.SSLContext) -> None:
    release = threading.Event()
    with listening(lambda sock: release.wait(PATIENCE)) as port:
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.settimeout(0.2)
            with pytest.raises(TimeoutError, match="handshake operation timed out"):
                context.wrap_socket(sock, server_hostname="localhost")
        release.set()


def test_a_peer_that_trickles_does_not_stretch_the_time_limit(context: hubtls.SSLContext) -> None:
    """The limit is for the handshake, not for each byte of it."""
    gone = threading.Event()

    def trickle(sock: socket.socket) -> None:
        # A handshake record that never ends.
        sock.sendall(b"\x16\x03\x03\x40\x00")
        with contextlib.suppress(OSError):
            while not gone.wait(0.05):
                sock.sendall(b"\x00")

    with listening(trickle) as port, socket.create_connection(("127.0.0.1", port)) as sock:
        sock.settimeout(0.3)
        with pytest.raises((TimeoutError, ssl.SSLError)):
            context.wrap_socket(sock, server_hostname="localhost")
        gone.set()


def test_a_reset_is_a_connection_reset(authority: Authority, context: hubtls.SSLContext) -> None:
    def reset(connection: ssl.SSLSocket) -> None:
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Without TLS's own farewell.
        socket.socket(fileno=connection.detach()).close()

    with stdlib_server(authority.server_context(), reset, unwrap=False) as port, connect(context, port) as connection:
        connection.send(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_an_end_in_mid_record_is_told_if_asked_for(authority: Authority, context: hubtls.SSLContext) -> None:
    """`suppress_ragged_eofs`, the default of `ssl`, makes it an end like any other."""
    server = authority.server_context()

    def cut(sock: socket.socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = server.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65_536))
        tls.write(b"whole")
        sock.sendall(outgoing.read())
        tls.write(b"never whole")
        sock.sendall(outgoing.read()[:-3])

    with listening(cut) as port:
        with connect(context, port, suppress_ragged_eofs=False) as connection:
            assert connection.recv(100) == b"whole"
            with pytest.raises(ssl.SSLEOFError) as raised:
                connection.recv(100)
            assert raised.value.code == "TRUNCATED"
        with connect(context, port) as connection:
            assert connection.recv(100) == b"whole"
            assert connection.recv(100) == b""


def test_a_forged_record_ends_the_connection_with_an_alert(authority: Authority, context: hubtls.SSLContext) -> None:
    seen = []

    def forge(connection: ssl.SSLSocket) -> None:
        connection.recv(1)
        with socket.socket(fileno=connection.detach()) as raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            raw.settimeout(PATIENCE)
            seen.append(raw.recv(100))

    with stdlib_server(authority.server_context(), forge, unwrap=False) as port, connect(context, port) as connection:
        connection.send(b"x")
        for _ in range(2):
            with pytest.raises(ssl.SSLError) as raised:
                connection.recv(1)
            assert raised.value.code == "BAD_RECORD"
        with pytest.raises(ssl.SSLError):
            connection.send(b"more")
    # Encrypted, so all that can be seen of the alert is that it is there.
    assert seen[0]


def test_close_in_the_handshake_is_clean(context: hubtls.SSLContext) -> None:
    release = threading.Event()
    with listening(lambda sock: release.wait(PATIENCE)) as port:
        connection = connect(context, port, do_handshake_on_connect=False)
        connection.setblocking(False)
        with pytest.raises(ssl.SSLWantReadError):
            connection.do_handshake()
        connection.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            connection.do_handshake()
        release.set()


def test_the_alert_is_found_although_sending_failed(authority: Authority) -> None:
    """A TLS 1.3 server refuses a client certificate after the client's handshake, and may have hung up before the first write."""
    refused = threading.Event()

    def handle(accepted: socket.socket) -> None:
        server = authority.server_context(client_certificate=True)
        try:
            server.wrap_socket(accepted, server_side=True)
        except ssl.SSLError:
            refused.set()
            accepted.close()

    with listening(handle) as port:
        connection = connect(hubtls.SSLContext(roots=authority.pem), port)
        assert refused.wait(PATIENCE)
        with pytest.raises(ssl.SSLError) as raised:
            for _ in range(1000):
                connection.send(bytes(16_384))
        assert raised.value.code == "CLIENT_CERTIFICATE_REQUIRED"
        connection.close()


def test_a_destination_without_a_name_is_refused(context: hubtls.SSLContext, port: int) -> None:
    for name in (None, ""):
        with socket.create_connection(("127.0.0.1", port)) as sock, pytest.raises(ValueError, match="server_hostname"):
            context.wrap_socket(sock, server_hostname=name)
        with pytest.raises(ValueError, match="server_hostname"):
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)


def test_plaintext_after_the_end_of_tls_is_left_in_the_socket(authority: Authority, context: hubtls.SSLContext) -> None:
    def unwrap(accepted: socket.socket) -> None:
        connection = authority.server_context().wrap_socket(accepted, server_side=True)
        assert connection.recv(1) == b""
        connection.unwrap().sendall(b"220 plain again")

    with listening(unwrap) as port:
        plain = connect(context, port).unwrap()
        with plain:
            assert socket.socket.recv(plain, 100) == b"220 plain again"


def test_a_handshake_that_could_not_send_all_goes_on_when_it_is_called_again(authority: Authority) -> None:
    """Its last flight is longer than the socket takes at once: a certificate of many names."""
    device = authority.issue(*(f"device-{number}.example" for number in range(500)))
    identity = hubtls.Identity.from_pem(device.cert_chain_pems[0].bytes(), device.private_key_pem.bytes())
    context = hubtls.SSLContext(roots=authority.pem, identity=identity)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = authority.server_context(client_certificate=True).wrap_bio(incoming, outgoing, server_side=True)
    sock, peer = socket.socketpair()
    with peer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        sock.setblocking(False)
        peer.setblocking(False)
        with context.wrap_socket(sock, server_hostname="localhost", do_handshake_on_connect=False) as connection:
            with pytest.raises(ssl.SSLWantReadError):
                connection.do_handshake()
            incoming.write(peer.recv(65_536))
            with pytest.raises(ssl.SSLWantReadError):
                server.do_handshake()
            peer.sendall(outgoing.read())
            with pytest.raises(ssl.SSLWantWriteError):
                connection.do_handshake()
            while True:
                incoming.write(peer.recv(65_536))
                try:
                    connection.do_handshake()
                    break
                except ssl.SSLWantWriteError:
                    pass
            incoming.write(peer.recv(65_536))
            server.do_handshake()
            assert server.getpeercert(True)
