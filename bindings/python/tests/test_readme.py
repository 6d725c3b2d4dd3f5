"""What the documentation says of Python is true."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Authority
from hub import playing_https, playing_hub
from programs import PAGES, ROOT, Sample, run, samples
from servers import Broker, mosquitto

import hubtls
from hubtls import _hubtls

PAGE = ROOT / "bindings" / "python" / "README.md"

#: What stands for hardware in the sample of a signer.
TOKEN = """
from pathlib import Path
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

class token:
    def sign(scheme, message):
        key = serialization.load_pem_private_key(Path("device.key").read_bytes(), None)
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
"""


def each(*, mqtt: bool = False, https: bool = False, fails: bool = False) -> pytest.MarkDecorator:
    chosen = [
        sample
        for sample in samples()
        if not sample.needs_sdk
        and (sample.speaks_mqtt, sample.speaks_https) == (mqtt, https)
        and ("except hubtls" in sample.text) == fails
    ]
    return pytest.mark.parametrize("sample", chosen, ids=lambda sample: sample.place)


@pytest.fixture
def directory(authority: Authority, tmp_path: Path) -> Path:
    """Where a reader's files are."""
    chain, key = authority.files(authority.ca.issue_cert("device-01", common_name="device-01"))
    for name, file in (("device.pem", chain), ("device.key", key), ("root.pem", authority.path)):
        (tmp_path / name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that demands a client certificate."""
    lines = ("require_certificate true", f"cafile {authority.path}", "use_identity_as_username true")
    files = authority.files(authority.issue("localhost"))
    with mosquitto(tmp_path_factory.mktemp("broker"), *files, *lines) as broker:
        yield broker


def test_each_page_has_samples() -> None:
    pages = {sample.place.partition(":")[0] for sample in samples()}
    assert pages == {str(page.relative_to(ROOT)) for page in PAGES}


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.place)
def test_each_sample_is_python(sample: Sample) -> None:
    compile(sample.text, sample.place, "exec")


@each(mqtt=True)
def test_samples_over_mqtt_run(sample: Sample, directory: Path, broker: Broker) -> None:
    with playing_hub(broker.plain) as hub:
        ended = run("-c", sample.on_loopback(broker.port), directory=directory)
        assert (ended.returncode, ended.stderr) == (0, "")
        if "publish" in sample.text:
            assert hub.next_telemetry() == ("device-01", b'{"temperature":21.5}')
        else:
            assert "TLSv1.3" in ended.stdout


@each(https=True)
def test_samples_over_https_run(sample: Sample, directory: Path, authority: Authority) -> None:
    with playing_https(authority.server_context(client_certificate=True)) as https:
        ended = run("-c", sample.on_loopback(https.port), directory=directory)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "204\n", "")
    assert https.asked.get_nowait() == ("device-01", "/devices/device-01/messages/events", {"temperature": 21.5})


@each(mqtt=True, fails=True)
def test_samples_of_errors_show_them(sample: Sample, directory: Path, broker: Broker) -> None:
    ended = run("-c", sample.on_loopback(broker.port, trusted=False), directory=directory)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("UNKNOWN_ROOT\n")
    assert ended.stdout.endswith("unknown_ca False\n")


@each()
def test_samples_that_do_not_connect_run(sample: Sample, directory: Path) -> None:
    ended = run("-c", TOKEN + sample.text if "token." in sample.text else sample.text, directory=directory)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_codes_that_are_named_exist() -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z0-9]+)+)`", PAGE.read_text()))
    known = {name for name, _ in _hubtls.error_codes()}
    assert {name for name in named if not name.startswith("OP_")} <= known


def test_the_exceptions_are_what_the_table_says() -> None:
    rows = re.findall(r"^\| `(HubTls\w+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == 5
    for name, bases in rows:
        for base in re.findall(r"`([\w.]+)`", bases):
            kind = getattr(ssl, base[4:]) if base.startswith("ssl.") else getattr(__import__("builtins"), base)
            assert issubclass(getattr(hubtls, name), kind), (name, base)


def test_the_options_are_those_of_the_table() -> None:
    text = PAGE.read_text()
    table = text[text.index("| keyword |") : text.index("| policy | stands for")]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")}
    with pytest.raises(TypeError) as raised:
        hubtls.Config(none=None)  # type: ignore[call-arg]
    assert told == set(re.findall(r"\w+", str(raised.value).partition("options are ")[2]))


def test_the_policies_are_those_of_the_table() -> None:
    rows = re.findall(r"^\| `(iothub[\w-]*)` \| `([\w-]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert rows == hubtls.Policy.aliases()


def test_every_setter_of_a_context_is_in_the_table() -> None:
    text = PAGE.read_text()
    table = text[text.index("| setter |") : text.index("## Different from")]
    own = vars(hubtls.SSLContext)
    setters = {name for name, member in own.items() if isinstance(member, property) and member.fset}
    setters |= {name for name in own if re.match("(set|load)_", name)}
    assert not {name for name in setters if f"`{name}`" not in table}


CHANGE_NOTHING = ("load_verify_locations", "load_default_certs", "set_default_verify_paths")


@pytest.mark.parametrize("make", [hubtls.SSLContext, hubtls.native_context])
def test_setters_do_what_the_table_says(make: type[hubtls.SSLContext], tmp_path: Path) -> None:
    native = make is not hubtls.SSLContext

    def refused(code: str, name: str, value: object) -> None:
        with pytest.raises(hubtls.HubTlsError) as raised:
            setattr(make(), name, value)
        assert raised.value.code == code, name

    for name, value in (("check_hostname", False), ("verify_mode", 0), ("hostname_checks_common_name", True)):
        refused("POLICY_WIDENED", name, value)
        context = make()
        setattr(context, name, getattr(context, name))
    for name in ("minimum_version", "maximum_version"):
        refused("POLICY_WIDENED", name, ssl.TLSVersion.TLSv1_1)
    refused("POLICY_WIDENED", "options", 0)
    refused("POLICY_EMPTY", "options", make().options | ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3)
    refused("POLICY_WIDENED", "verify_flags", ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN)
    for name, kind in (("sslsocket_class", ssl.SSLSocket), ("sslobject_class", ssl.SSLObject)):
        refused("POLICY_WIDENED", name, kind)
    with pytest.raises(ssl.SSLError):
        make().set_ciphers("AES128-SHA")
    with pytest.raises(hubtls.HubTlsConfigError):
        make().set_psk_client_callback(print)
    for name in CHANGE_NOTHING:
        context = make()
        roots = context.get_ca_certs()
        with pytest.warns(hubtls.HubTlsWarning, match="changes nothing"):
            getattr(context, name)(*(["nowhere"] if name == CHANGE_NOTHING[0] else []))
        assert context.get_ca_certs() == roots
    context = make()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    context.keylog_filename = str(tmp_path / "log")
    assert context.keylog_filename == str(tmp_path / "log")
    if native:
        context.post_handshake_auth = True
        context.verify_flags = ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
    else:
        refused("UNSUPPORTED_BY_ENGINE", "post_handshake_auth", True)
        refused("INVALID_ARGUMENT", "verify_flags", ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF)
        refused("INVALID_ARGUMENT", "sni_callback", print)
