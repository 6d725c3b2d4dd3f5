"""`hubtls.Connection`: bytes in, bytes out, no socket. The peer is Python's own TLS in memory."""

from __future__ import annotations

import json
import ssl

import pytest
from conftest import Authority

import hubtls


class Pair:
    """A client of hubtls and a server of `ssl`, joined by buffers."""

    def __init__(self, client: hubtls.Connection, server: ssl.SSLContext) -> None:
        self.client = client
        self.to_server, self.to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(self.to_server, self.to_client, server_side=True)
        self.received = b""

    def carry(self) -> None:
        """Carries what waits, both ways."""
        self.to_server.write(self.client.transmit())
        data = self.to_client.read()
        while data:
            taken = self.client.receive(data)
            data = data[taken:]
            if not taken:
                # One record is buffered: it has to be read first, if only to see that it is a ticket.
                self.received += self.client.read()

    def shake_hands(self) -> None:
        done = False
        for _ in range(10):
            self.carry()
            if not done:
                try:
                    self.server.do_handshake()
                    done = True
                except ssl.SSLWantReadError:
                    pass
            self.carry()
            if done and not self.client.is_handshaking:
                return
        raise AssertionError("the handshake does not end")


@pytest.fixture
def pair(authority: Authority) -> Pair:
    """Before the handshake."""
    config = hubtls.Config(roots=authority.pem)
    return Pair(hubtls.Connection(config, "localhost"), authority.server_context())


def test_a_handshake_is_bytes_in_and_bytes_out(pair: Pair) -> None:
    client = pair.client
    assert client.is_handshaking
    assert client.wants_transmit
    assert client.wants_receive
    with pytest.raises(ssl.SSLError) as raised:
        client.negotiated  # noqa: B018
    assert raised.value.code == "HANDSHAKE_NOT_COMPLETE"
    pair.shake_hands()
    negotiated = client.negotiated
    assert (negotiated.version, negotiated.cipher_suite_openssl) == (pair.server.version(), pair.server.cipher()[0])
    assert negotiated.group == "X25519"
    assert not negotiated.resumed
    assert negotiated.alpn is None
    assert negotiated.fragment_length is None
    assert negotiated.peer_chain[0].names == ["localhost"]
    assert negotiated.root.origin == "added"
    assert json.loads(negotiated.to_json())["version"] == negotiated.version


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_data_goes_both_ways(pair: Pair, form: type) -> None:
    pair.shake_hands()
    message = bytes(range(256)) * 200
    sent = 0
    received = b""
    while len(received) < len(message):
        count = pair.client.write(form(message[sent:]))
        assert count <= 16_384
        sent += count
        pair.carry()
        try:
            while True:
                received += pair.server.read(65_536)
        except ssl.SSLWantReadError:
            pass
    assert received == message
    assert pair.client.read() == b""
    pair.server.write(message[:10_000])
    data = pair.to_client.read()
    assert pair.client.receive(form(data)) == len(data)
    assert pair.client.readable_bytes() == 10_000
    assert pair.client.read(100) == message[:100]
    assert pair.client.read() == message[100:10_000]
    assert pair.client.read() == b""


def test_transmit_can_be_taken_in_parts(pair: Pair) -> None:
    whole = b""
    while pair.client.wants_transmit:
        part = pair.client.transmit(100)
        assert 0 < len(part) <= 100
        whole += part
    assert whole[0] == 22
    assert pair.client.transmit() == b""


def test_it_ends_when_both_have_finished(pair: Pair) -> None:
    pair.shake_hands()
    pair.client.finish()
    with pytest.raises(ssl.SSLError) as raised:
        pair.client.write(b"late")
    assert raised.value.code == "WRITE_AFTER_FINISH"
    pair.carry()
    assert pair.server.read() == b""
    pair.server.unwrap()
    pair.carry()
    assert pair.client.read() == b""
    assert pair.client.is_ended
    pair.client.receive_end()


def test_an_end_without_close_notify_is_told(pair: Pair) -> None:
    pair.shake_hands()
    with pytest.raises(ssl.SSLEOFError) as raised:
        pair.client.receive_end()
    assert raised.value.code == "TRUNCATED"


def test_an_end_in_the_handshake_is_told(pair: Pair) -> None:
    with pytest.raises(ssl.SSLEOFError) as raised:
        pair.client.receive_end()
    assert raised.value.code == "CLOSED_IN_HANDSHAKE"


def test_an_error_stays_and_its_alert_is_transmitted(authority: Authority) -> None:
    pair = Pair(hubtls.Connection(hubtls.Config(), "localhost"), authority.server_context())
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        pair.shake_hands()
    assert raised.value.code == "UNKNOWN_ROOT"
    assert raised.value.alert == "unknown_ca"
    assert not raised.value.alert_received
    assert pair.client.transmit()
    with pytest.raises(ssl.SSLCertVerificationError) as again:
        pair.client.receive(b"more")
    assert again.value.code == "UNKNOWN_ROOT"


def test_what_is_no_tls_is_refused(pair: Pair) -> None:
    with pytest.raises(ssl.SSLError) as raised:
        pair.client.receive(b"HTTP/1.1 400 Bad Request\r\n")
    assert raised.value.code == "NOT_TLS"


def test_a_name_must_be_a_name() -> None:
    for name in ("", "a b", "-", "x" * 300):
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            hubtls.Connection(hubtls.Config(), name)
        assert raised.value.code == "INVALID_SERVER_NAME"


def test_arguments_of_a_wrong_type_are_a_type_error(pair: Pair) -> None:
    for wrong in ("text", 7, None, [1]):
        with pytest.raises(TypeError):
            pair.client.receive(wrong)
        with pytest.raises(TypeError):
            pair.client.write(wrong)
    with pytest.raises((TypeError, OverflowError)):
        pair.client.read(-1)
    with pytest.raises(TypeError):
        hubtls.Connection("config", "localhost")


def test_a_clock_decides_about_validity(authority: Authority) -> None:
    context = authority.server_context(expired=True)
    for time, code in [
        (None, "CERTIFICATE_EXPIRED"),
        (1, "CERTIFICATE_NOT_YET_VALID"),
        (lambda: 1.5, "CERTIFICATE_NOT_YET_VALID"),
    ]:
        config = hubtls.Config(roots=authority.pem, time=time)
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            Pair(hubtls.Connection(config, "localhost"), context).shake_hands()
        assert raised.value.code == code


def test_a_clock_that_fails_is_told(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("sys.unraisablehook", seen.append)
    config = hubtls.Config(roots=authority.pem, time=lambda: 1 / 0)
    with pytest.raises(ssl.SSLError) as raised:
        Pair(hubtls.Connection(config, "localhost"), authority.server_context()).shake_hands()
    assert raised.value.code == "NO_TIME"
    assert seen[0].exc_type is ZeroDivisionError


def test_a_fragment_length_keeps_records_short(authority: Authority) -> None:
    config = hubtls.Config(roots=authority.pem, fragment_length=512)
    pair = Pair(hubtls.Connection(config, "localhost"), authority.server_context())
    pair.shake_hands()
    assert pair.client.negotiated.fragment_length == 512
    assert pair.client.write(bytes(2000)) == 512


def test_sessions_are_resumed_unless_that_is_off(authority: Authority) -> None:
    server = authority.server_context()
    for resumption, expected in [(True, True), (False, False)]:
        config = hubtls.Config(roots=authority.pem, resumption=resumption)
        resumed = []
        for _ in range(2):
            pair = Pair(hubtls.Connection(config, "localhost"), server)
            pair.shake_hands()
            pair.carry()
            pair.client.read()
            resumed.append(pair.client.negotiated.resumed)
        assert resumed == [False, expected]


def test_secrets_go_to_a_file_on_request_alone(authority: Authority, tmp_path) -> None:
    path = tmp_path / "keys.log"
    config = hubtls.Config(roots=authority.pem, key_log=path)
    Pair(hubtls.Connection(config, "localhost"), authority.server_context()).shake_hands()
    lines = path.read_text().splitlines()
    assert any(line.startswith("CLIENT_HANDSHAKE_TRAFFIC_SECRET ") for line in lines)
    assert all(len(line.split()) == 3 for line in lines)
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(FileNotFoundError):
        hubtls.Config(key_log=tmp_path / "missing" / "keys.log")
