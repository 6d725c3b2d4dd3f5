"""The clients of HTTP: http.client, urllib, urllib3, requests and httpx."""

from __future__ import annotations

import hashlib
import http.client
import socket
import ssl
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import requests
import urllib3
from conftest import Authority
from faults import FAULTS, says
from requests.adapters import HTTPAdapter
from servers import PATIENCE, connect
from traffic import bulk
from website import Website, website

import hubtls

Make = Callable[..., ssl.SSLContext]

LARGE = 5_000_003


def _http_client(context: ssl.SSLContext, url: str, body: bytes | None = None) -> bytes:
    address = urllib3.util.parse_url(url)
    connection = http.client.HTTPSConnection(str(address.host), address.port, context=context, timeout=PATIENCE)
    try:
        connection.request("GET" if body is None else "POST", str(address.path), body)
        return connection.getresponse().read()
    finally:
        connection.close()


def _urllib(context: ssl.SSLContext, url: str, body: bytes | None = None) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(url, body, PATIENCE) as response:
        content: bytes = response.read()
        return content


def _urllib3(context: ssl.SSLContext, url: str, body: bytes | None = None) -> bytes:
    with urllib3.PoolManager(ssl_context=context, retries=False, timeout=PATIENCE) as pool:
        return pool.request("GET" if body is None else "POST", url, body=body).data


def session_of(context: ssl.SSLContext) -> requests.Session:
    """A session of requests whose connections are the context's."""

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *arguments: object, **options: object) -> None:
            super().init_poolmanager(*arguments, ssl_context=context, **options)  # type: ignore[arg-type]

    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Adapter())
    return session


def _requests(context: ssl.SSLContext, url: str, body: bytes | None = None) -> bytes:
    with session_of(context) as session:
        return session.request("GET" if body is None else "POST", url, data=body, timeout=PATIENCE).content


def _httpx(context: ssl.SSLContext, url: str, body: bytes | None = None) -> bytes:
    with httpx.Client(verify=context, trust_env=False, timeout=PATIENCE) as client:
        return client.request("GET" if body is None else "POST", url, content=body).content


LIBRARIES = {
    "http.client": _http_client,
    "urllib": _urllib,
    "urllib3": _urllib3,
    "requests": _requests,
    "httpx": _httpx,
}
#: Those that set ALPN on the context for each connection.
SETTERS = ["urllib3", "requests", "httpx"]


@pytest.fixture(params=LIBRARIES)
def fetch(request: pytest.FixtureRequest) -> Callable[..., bytes]:
    """A request by each library: context, URL, and the body of a POST."""
    return LIBRARIES[request.param]


@pytest.fixture(scope="module")
def shared_site(authority: Authority) -> Iterator[Website]:
    with website(authority.server_context(), "mqtt", "http/1.1") as site:
        yield site


@pytest.fixture
def site(shared_site: Website) -> Website:
    """A site for `localhost` that speaks `mqtt` too, nothing seen yet."""
    shared_site.protocols.clear()
    return shared_site


def test_a_small_body_comes(make: Make, authority: Authority, site: Website, fetch: Callable[..., bytes]) -> None:
    assert fetch(make(roots=authority.pem), site.url("/bulk/500")) == bulk(500)


def test_a_large_body_comes(make: Make, authority: Authority, site: Website, fetch: Callable[..., bytes]) -> None:
    assert fetch(make(roots=authority.pem), site.url(f"/bulk/{LARGE}")) == bulk(LARGE)


def test_a_large_body_goes(make: Make, authority: Authority, site: Website, fetch: Callable[..., bytes]) -> None:
    answer = fetch(make(roots=authority.pem), site.url("/digest"), bulk(LARGE))
    assert hashlib.sha256(bulk(LARGE)).hexdigest() in answer.decode()


def test_a_body_goes_and_comes_back(
    make: Make, authority: Authority, site: Website, fetch: Callable[..., bytes]
) -> None:
    assert fetch(make(roots=authority.pem), site.url("/echo"), bulk(100_001)) == bulk(100_001)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_untrustworthy_server_is_refused(
    make: Make, authority: Authority, faulty: dict[str, int], fetch: Callable[..., bytes], fault: str
) -> None:
    with pytest.raises((OSError, urllib3.exceptions.HTTPError, httpx.HTTPError)) as caught:
        fetch(make(roots=authority.pem), f"https://localhost:{faulty[fault]}/bulk/1")
    assert says(caught.value, fault)


def test_a_response_outlives_its_connection(make: Make, authority: Authority, site: Website) -> None:
    connection = http.client.HTTPSConnection(
        "localhost", site.port, context=make(roots=authority.pem), timeout=PATIENCE
    )
    connection.request("GET", f"/bulk/{LARGE}", headers={"connection": "close"})
    response = connection.getresponse()
    assert connection.sock is None
    assert response.read() == bulk(LARGE)


def test_http_client_keeps_its_connection(make: Make, authority: Authority, site: Website) -> None:
    connection = http.client.HTTPSConnection(
        "localhost", site.port, context=make(roots=authority.pem), timeout=PATIENCE
    )
    for size in (1, 16_384, 70_000):
        connection.request("GET", f"/bulk/{size}")
        assert connection.getresponse().read() == bulk(size)
    connection.close()
    assert len(site.protocols) == 1


def test_urllib3_keeps_its_connection(make: Make, authority: Authority, site: Website) -> None:
    with urllib3.PoolManager(ssl_context=make(roots=authority.pem)) as pool:
        for size in (1, 16_384, 70_000):
            assert pool.request("GET", site.url(f"/bulk/{size}")).data == bulk(size)
    assert len(site.protocols) == 1


def test_requests_keeps_its_connection(make: Make, authority: Authority, site: Website) -> None:
    with session_of(make(roots=authority.pem)) as session:
        for size in (1, 16_384, 70_000):
            assert session.get(site.url(f"/bulk/{size}"), timeout=PATIENCE).content == bulk(size)
    assert len(site.protocols) == 1


def test_a_body_in_chunks_goes_and_comes_in_pieces(make: Make, authority: Authority, site: Website) -> None:
    chunks = [bulk(size) for size in (1, 16_383, 16_384, 16_385, 100_000)]
    with session_of(make(roots=authority.pem)) as session:
        response = session.post(site.url("/echo"), data=iter(chunks), stream=True, timeout=PATIENCE)
        assert b"".join(response.iter_content(1_000)) == b"".join(chunks)


async def test_httpx_works_with_asyncio(make: Make, authority: Authority, site: Website) -> None:
    async with httpx.AsyncClient(verify=make(roots=authority.pem), trust_env=False, timeout=PATIENCE) as client:
        sent = await client.post(site.url("/echo"), content=bulk(LARGE))
    assert sent.content == bulk(LARGE)


@pytest.mark.parametrize("fault", FAULTS)
async def test_httpx_with_asyncio_refuses_an_untrustworthy_server(
    make: Make, authority: Authority, faulty: dict[str, int], fault: str
) -> None:
    async with httpx.AsyncClient(verify=make(roots=authority.pem), trust_env=False, timeout=PATIENCE) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get(f"https://localhost:{faulty[fault]}/")
    assert says(caught.value, fault)


# Roots.


def test_the_roots_of_requests_do_not_become_the_contexts(context: hubtls.SSLContext, site: Website) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _requests(context, site.url("/bulk/1"))
    assert (len(context.config.roots), context.cert_store_stats()["x509_ca"]) == (1, 1)


def test_the_roots_of_requests_do_not_become_the_native_contexts(authority: Authority, site: Website) -> None:
    native = hubtls.native_context(roots=authority.pem)
    _requests(native, site.url("/bulk/1"))
    assert native.cert_store_stats()["x509_ca"] == 1


def test_a_server_that_only_the_roots_of_requests_vouch_for_is_refused(
    make: Make, authority: Authority, rsa_authority: Authority, site: Website
) -> None:
    with session_of(make(roots=rsa_authority.pem)) as session:
        session.verify = str(authority.path)
        with pytest.raises(requests.exceptions.SSLError) as caught:
            session.get(site.url("/bulk/1"), timeout=PATIENCE)
    assert says(caught.value, "a_wrong_root")


def test_a_server_that_only_the_roots_of_urllib3_vouch_for_is_refused(
    make: Make, authority: Authority, rsa_authority: Authority, site: Website
) -> None:
    context = make(roots=rsa_authority.pem)
    pool = urllib3.PoolManager(ssl_context=context, ca_certs=str(authority.path), retries=False)
    with pool, pytest.raises(urllib3.exceptions.SSLError) as caught:
        pool.request("GET", site.url("/bulk/1"))
    assert says(caught.value, "a_wrong_root")


def test_requests_cannot_switch_verification_off(make: Make, rsa_authority: Authority, site: Website) -> None:
    with session_of(make(roots=rsa_authority.pem)) as session, pytest.raises(hubtls.HubTlsError) as caught:
        session.get(site.url("/bulk/1"), verify=False, timeout=PATIENCE)
    assert (caught.value.code, site.protocols) == ("POLICY_WIDENED", [])


# ALPN.


def alpn_of_a_later_connection(context: hubtls.SSLContext, site: Website) -> str | None:
    site.protocols.clear()
    with connect(context, site.port) as later:
        agreed: bytes | None = later.negotiated.alpn
        # The server's side of it is written once it has shaken hands.
        later.sendall(b"GET /bulk/0 HTTP/1.1\r\n\r\n")
        later.recv(1)
    assert site.protocols == [None if agreed is None else agreed.decode()]
    return site.protocols[0]


@pytest.mark.parametrize("library", SETTERS)
def test_the_protocol_of_http_is_offered(context: hubtls.SSLContext, site: Website, library: str) -> None:
    LIBRARIES[library](context, site.url("/bulk/1"))
    assert site.protocols == ["http/1.1"]


@pytest.mark.parametrize("library", SETTERS)
def test_the_protocol_of_http_is_not_offered_by_a_later_connection(
    context: hubtls.SSLContext, site: Website, library: str
) -> None:
    LIBRARIES[library](context, site.url("/bulk/1"))
    assert alpn_of_a_later_connection(context, site) is None


@pytest.mark.parametrize("library", SETTERS)
def test_the_contexts_own_protocol_comes_back_after_http(authority: Authority, site: Website, library: str) -> None:
    context = hubtls.SSLContext(roots=authority.pem, alpn=["mqtt"])
    LIBRARIES[library](context, site.url("/bulk/1"))
    assert alpn_of_a_later_connection(context, site) == "mqtt"


async def test_the_protocol_of_http_is_offered_by_httpx_with_asyncio(context: hubtls.SSLContext, site: Website) -> None:
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE) as client:
        await client.get(site.url("/bulk/1"))
    assert site.protocols == ["http/1.1"]


async def test_httpx_with_asyncio_leaves_no_protocol_for_a_later_connection(
    context: hubtls.SSLContext, site: Website
) -> None:
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE) as client:
        await client.get(site.url("/bulk/1"))
    assert alpn_of_a_later_connection(context, site) is None


def test_a_connection_that_urllib3_could_not_make_leaves_no_protocol(context: hubtls.SSLContext, site: Website) -> None:
    with socket.socket() as unused, pytest.raises(ValueError, match="server_hostname"):
        urllib3.util.ssl_wrap_socket(unused, ssl_context=context, server_hostname="")
    assert alpn_of_a_later_connection(context, site) is None


def test_a_thread_of_http_gives_no_protocol_to_another_thread(context: hubtls.SSLContext, site: Website) -> None:
    def visit(number: int) -> bytes | None:
        if number % 2:
            return LIBRARIES[SETTERS[number % 3]](context, site.url("/bulk/1"))
        with connect(context, site.port) as connection:
            agreed: bytes | None = connection.negotiated.alpn
            return agreed

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(48))) == [None, bulk(1)] * 24
    assert sorted(map(str, site.protocols)) == ["None"] * 24 + ["http/1.1"] * 24
