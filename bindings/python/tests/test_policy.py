"""Policies, roots, certificates, fragment lengths and configurations."""

from __future__ import annotations

import copy
import json
import pickle
import ssl
import time
from pathlib import Path

import pytest
from conftest import Authority

import hubtls
from hubtls import Certificate, Config, FragmentLength, HubTlsError, Policy, Roots


def code_of(call, *arguments, **options) -> str:
    with pytest.raises(HubTlsError) as raised:
        call(*arguments, **options)
    error = raised.value
    assert error.hint
    assert error.message
    assert 100 <= error.number < 1000
    assert isinstance(error, ValueError)
    return error.code


def test_the_version_is_that_of_the_library() -> None:
    assert hubtls.__version__.count(".") == 2


def test_the_default_policy_has_the_eight_suites_and_two_of_tls13() -> None:
    policy = Policy.named()
    assert len(policy.suites) == 10
    assert policy.versions == ["TLSv1.3", "TLSv1.2"]
    assert policy.groups == ["X25519", "secp256r1", "secp384r1"]
    assert policy.openssl_cipher_list.split(":")[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert policy.openssl_ciphersuites == "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
    assert policy.openssl_groups == "X25519:P-256:P-384"
    assert "ecdsa_secp256r1_sha256" in policy.openssl_signature_algorithms.split(":")
    assert policy.signature_schemes[0] == "ecdsa_secp256r1_sha256"
    assert len(policy.roots) == 2
    assert policy.warnings == []


def test_an_alias_stands_for_a_dated_policy() -> None:
    for alias, dated in Policy.aliases():
        assert Policy.named(alias) == Policy.named(dated)
    assert {policy.name for policy in Policy.all()} == {dated for _, dated in Policy.aliases()}


@pytest.mark.parametrize(
    ("narrow", "argument", "code"),
    [
        ("only_versions", ["TLSv1.1"], "POLICY_WIDENED"),
        ("only_versions", ["nonsense"], "UNKNOWN_VERSION"),
        ("only_versions", [], "POLICY_EMPTY"),
        ("only_suites", ["TLS_RSA_WITH_AES_128_CBC_SHA"], "POLICY_WIDENED"),
        ("only_suites", ["AES128-GCM"], "UNKNOWN_SUITE"),
        ("only_groups", ["secp521r1"], "UNKNOWN_GROUP"),
        ("only_authentication", "DSA", "INVALID_ARGUMENT"),
        ("with_fragment_length", 700, "INVALID_FRAGMENT_LENGTH"),
    ],
)
def test_a_policy_is_not_widened(narrow: str, argument: object, code: str) -> None:
    assert code_of(getattr(Policy.named(), narrow), argument) == code


def test_a_policy_can_be_narrowed() -> None:
    policy = Policy.named().only_versions(["TLSv1.2"]).only_authentication("ecdsa").only_groups(["secp256r1"])
    assert policy.is_narrowed
    assert policy.groups == ["secp256r1"]
    assert all("ECDHE_ECDSA" in suite for suite in policy.suites)
    assert Policy.named().only_suites(["ECDHE-RSA-AES128-GCM-SHA256"]).suites == [
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    ]


def test_a_policy_is_a_document_and_can_be_pickled() -> None:
    policy = Policy.named("iothub-aead").only_versions(["TLSv1.2"]).with_fragment_length(512)
    assert json.loads(policy.to_json())
    for other in (Policy.from_json(policy.to_json()), pickle.loads(pickle.dumps(policy)), copy.deepcopy(policy)):
        assert other == policy
        assert hash(other) == hash(policy)
    assert policy != Policy.named()
    assert policy != "iothub"


def test_a_policy_document_that_widens_is_refused() -> None:
    document = json.loads(Policy.named().to_json())
    assert code_of(Policy.from_json, "{") == "INVALID_POLICY_DOCUMENT"
    document["suites"].append("TLS_RSA_WITH_AES_128_CBC_SHA")
    assert code_of(Policy.from_json, json.dumps(document)) == "POLICY_WIDENED"


def test_an_unknown_policy_names_the_others() -> None:
    with pytest.raises(HubTlsError, match="iothub-ecc"):
        Policy.named("iothub-eec")
    assert code_of(Config, policy="iothub-eec") == "UNKNOWN_POLICY"


def test_fragment_lengths_are_requested_or_required() -> None:
    assert FragmentLength.request(512) == FragmentLength.request(512)
    assert FragmentLength.request(512) != FragmentLength.require(512)
    assert FragmentLength.require(1024).required
    assert FragmentLength.require(1024).bytes == 1024
    assert FragmentLength.off().bytes is None
    assert repr(FragmentLength.require(1024)) == "FragmentLength.require(1024)"
    assert code_of(FragmentLength.request, 0) == "INVALID_FRAGMENT_LENGTH"
    assert Config(fragment_length=512).policy.fragment_length == FragmentLength.request(512)


def test_the_roots_of_azure_are_two_and_others_are_opt_in() -> None:
    azure = Roots.azure()
    assert [root.subject for root in azure] == [
        "DigiCert Global Root G2",
        "Microsoft RSA Root Certificate Authority 2017",
    ]
    assert azure[0].fingerprint.startswith("CB:3C:CB:B7")
    assert azure[-1].subject.startswith("Microsoft")
    assert azure[0].origin == "embedded"
    assert azure[0].not_before < time.time() < azure[0].not_after
    assert len(Roots.embedded()) == 4
    assert len(Roots.public_web()) > 50
    assert Roots.of_policy("iothub-ecc").pem() == azure.pem()
    with pytest.raises(IndexError):
        azure[2]


def test_readiness_counts_independent_roots() -> None:
    ready = Roots.azure().readiness(365)
    assert ready.ready
    assert ready.independent == 2
    late = Roots.azure().readiness(0, now=2_200_000_000)
    assert not late.ready
    assert [root.subject for root in late.expired] == ["DigiCert Global Root G2"]
    assert Roots.azure().readiness(36_500).expiring


def test_roots_come_from_pem_der_and_files(authority: Authority, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.pem.decode())
    (tmp_path / "root.der").write_bytes(der)
    forms = [authority.pem, authority.pem.decode(), bytearray(authority.pem), der, authority.path, str(authority.path)]
    for form in [*forms, tmp_path / "root.der", Roots.from_pem(authority.pem)]:
        assert [root.pem for root in Config(roots=form).roots] == [Config(roots=authority.pem).roots[0].pem]


def test_roots_that_cannot_be_read_say_why(authority: Authority, tmp_path: Path) -> None:
    leaf = authority.issue("localhost").cert_chain_pems[0].bytes()
    assert code_of(Roots.from_pem, b"") == "NO_CERTIFICATE"
    assert code_of(Roots.from_pem, leaf) == "NOT_A_CERTIFICATE_AUTHORITY"
    assert code_of(Config, roots=b"\x30\x00") == "INVALID_CERTIFICATE"
    missing = tmp_path / "missing.pem"
    with pytest.raises(FileNotFoundError) as raised:
        Config(roots=missing)
    assert raised.value.filename == str(missing)
    (tmp_path / "leaf.pem").write_bytes(leaf)
    with pytest.raises(HubTlsError, match=r"leaf\.pem"):
        Config(roots=tmp_path / "leaf.pem")


def test_added_roots_are_beside_the_policys_and_not_for_azure(authority: Authority) -> None:
    config = Config(add_roots=authority.pem)
    assert len(config.roots) == 3
    assert not config.roots[2].vouches_for_azure
    assert len(config.roots.believed_about("hub.azure-devices.net")) == 2
    assert len(config.roots.believed_about("gateway.example")) == 3
    vouching = Config(add_roots=Roots.from_pem(authority.pem).vouching_for_azure())
    assert len(vouching.roots.believed_about("hub.azure-devices.net")) == 3
    assert len(Roots.azure().with_added(Roots.from_pem(authority.pem))) == 3


def test_pins_are_of_roots(authority: Authority) -> None:
    root = Roots.from_pem(authority.pem)[0]
    forms = [[root.pin], root.pin, [authority.pem], [authority.pem.decode()], [ssl.PEM_cert_to_DER_cert(root.pem)]]
    for pins in forms:
        assert Config(roots=authority.pem, pins=pins).pins == [root.pin]
    leaf = authority.issue("localhost").cert_chain_pems[0].bytes()
    assert code_of(Config, pins=[leaf]) == "PIN_NOT_ROOT"
    assert code_of(Config, pins=["nonsense"]) == "INVALID_PIN"
    assert code_of(Config, pins=[root.pin]) == "NO_ROOTS"
    assert code_of(Config, pins=[7]) == "INVALID_ARGUMENT"


def test_a_certificate_tells_whose_it_is(authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.issue("a.example", "b.example").cert_chain_pems[0].bytes().decode())
    certificate = Certificate.from_der(der)
    assert certificate.names == ["a.example", "b.example"]
    assert certificate.der == der
    assert certificate.fingerprint.count(":") == 31
    assert certificate == Certificate.from_der(bytearray(der))
    assert hash(certificate) == hash(Certificate.from_der(der))
    assert certificate != der
    assert certificate.not_before < certificate.not_after
    assert code_of(Certificate.from_der, der[:-1]) == "INVALID_CERTIFICATE"


def test_options_that_are_wrong_are_refused_at_once() -> None:
    with pytest.raises(TypeError, match="there is no option 'polic'"):
        Config(polic="iothub")
    with pytest.raises(TypeError, match="there is no option 'polic'"):
        Config(polic=None)
    assert code_of(Config, alpn="mqtt") == "INVALID_ARGUMENT"
    assert code_of(Config, alpn=[""]) == "INVALID_ALPN"
    assert code_of(Config, alpn=["x" * 256]) == "INVALID_ALPN"
    assert code_of(Config, identity="device.pem") == "INVALID_ARGUMENT"
    assert code_of(Config, time=-1) == "INVALID_ARGUMENT"
    assert code_of(Config, require_revocation_status=True) == "INVALID_ARGUMENT"
    assert code_of(Config, sni="not a name") == "INVALID_SERVER_NAME"
    with pytest.raises(TypeError):
        Config(fragment_length="512")
    with pytest.raises(TypeError):
        Config(policy=7)


def test_none_is_the_same_as_left_out(authority: Authority) -> None:
    names = ["policy", "roots", "add_roots", "pins", "identity", "alpn", "sni", "time", "key_log", "fragment_length"]
    config = Config(**dict.fromkeys(names))
    assert config.policy == Policy.named()
    assert config.roots.pem() == Roots.azure().pem()
    assert config.identity is None


def test_a_configuration_can_be_made_from_another(authority: Authority) -> None:
    config = Config(policy="iothub-aead", alpn=["mqtt"])
    other = config.replace(roots=authority.pem)
    assert other.policy == config.policy
    assert len(other.roots) == 1
    assert len(config.roots) == 2
    assert len(other.with_roots(Roots.embedded()).roots) == 4
    assert code_of(config.with_roots, b"") == "NO_CERTIFICATE"


def test_warnings_are_told() -> None:
    assert Config().warnings == []
    policy = Policy.named().only_versions(["TLSv1.3"])
    assert policy.warnings
    assert Config(policy=policy).warnings == policy.warnings


def test_representations_tell_no_secret_and_help() -> None:
    shown = [Config(), Policy.named(), Roots.azure(), Roots.azure()[0], Roots.azure().readiness(), hubtls.SSLContext()]
    for thing in shown:
        assert "hubtls." in repr(thing)
        assert " at 0x" not in repr(thing)


def test_the_package_documents_itself() -> None:
    for name in hubtls.__all__:
        thing = getattr(hubtls, name)
        if name.startswith("__"):
            continue
        assert thing.__doc__, name
        if isinstance(thing, type):
            members = [m for m in vars(thing) if not m.startswith("_")]
            undocumented = [m for m in members if not getattr(getattr(thing, m), "__doc__", None)]
            assert undocumented in ([], ["sslsocket_class", "sslobject_class"]), (name, undocumented)


def test_roots_that_were_replaced_do_not_come_back(authority: Authority, rsa_authority: Authority) -> None:
    context = hubtls.SSLContext(add_roots=authority.pem)
    context.replace_roots(rsa_authority.path)
    expected = Roots.from_pem(rsa_authority.pem).pem()
    changes = [
        lambda: context.set_alpn_protocols(["mqtt"]),
        lambda: context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256"),
        lambda: setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_2),
    ]
    for change in changes:
        change()
        assert context.config.roots.pem() == expected
    assert Config(add_roots=authority.pem).with_roots(rsa_authority.pem).replace(alpn=["x"]).roots.pem() == expected


def test_what_is_replaced_is_not_added_to(authority: Authority, rsa_authority: Authority) -> None:
    both = authority.pem + rsa_authority.pem
    config = Config(roots=both, pins=[authority.pem]).replace(pins=[rsa_authority.pem])
    assert config.pins == [Roots.from_pem(rsa_authority.pem)[0].pin]
    assert len(Config(add_roots=authority.pem).replace(add_roots=rsa_authority.pem).roots) == 3


def test_an_empty_list_of_pins_is_refused() -> None:
    assert code_of(Config, pins=[]) == "INVALID_ARGUMENT"


def test_roots_can_be_sliced_and_counted() -> None:
    assert [root.subject for root in Roots.azure()[1:]] == ["Microsoft RSA Root Certificate Authority 2017"]
    assert len(list(Roots.azure())) == len(Roots.azure())
