"""aiomqtt, which drives paho from asyncio, over hubtls."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator

import aiomqtt
import pytest
from conftest import Authority
from faults import FAULTS, says
from servers import PATIENCE, Broker, mosquitto
from traffic import mixed

Make = Callable[..., ssl.SSLContext]


@pytest.fixture(scope="module")
def broker(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for `localhost`."""
    files = authority.files(authority.issue("localhost"))
    with mosquitto(tmp_path_factory.mktemp("broker"), *files) as broker:
        yield broker


@pytest.fixture
def context(make: Make, authority: Authority) -> ssl.SSLContext:
    """Of each kind, trusting the broker's authority."""
    return make(roots=authority.pem)


def client(context: ssl.SSLContext, port: int) -> aiomqtt.Client:
    return aiomqtt.Client("localhost", port, tls_context=context, timeout=PATIENCE)


async def take(client: aiomqtt.Client, count: int) -> list[bytes]:
    received: list[bytes] = []
    async with asyncio.timeout(PATIENCE):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            received.append(message.payload)
            if len(received) == count:
                break
    return received


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_mixed_messages_all_come_back(context: ssl.SSLContext, broker: Broker, qos: int) -> None:
    messages, topic = mixed(), f"back/{qos}"
    async with client(context, broker.port) as device:
        await device.subscribe(topic, qos)
        taking = asyncio.create_task(take(device, len(messages)))
        await asyncio.gather(*(device.publish(topic, message, qos) for message in messages))
        assert await taking == messages


async def test_two_clients_of_one_context_talk_both_ways(context: ssl.SSLContext, broker: Broker) -> None:
    messages = mixed()
    async with client(context, broker.port) as one, client(context, broker.port) as other:
        await one.subscribe("one", 1)
        await other.subscribe("other", 1)
        takings = [asyncio.create_task(take(each, len(messages))) for each in (one, other)]
        await asyncio.gather(
            *(one.publish("other", message, 1) for message in messages),
            *(other.publish("one", message, 1) for message in messages),
        )
        assert await asyncio.gather(*takings) == [messages, messages]


async def test_many_clients_of_one_context_connect_at_once(context: ssl.SSLContext, broker: Broker) -> None:
    async def visit(number: int) -> list[bytes]:
        async with client(context, broker.port) as device:
            await device.subscribe(f"visit/{number}", 1)
            await device.publish(f"visit/{number}", str(number), 1)
            return await take(device, 1)

    assert await asyncio.gather(*map(visit, range(30))) == [[str(number).encode()] for number in range(30)]


async def test_a_client_that_is_cancelled_leaves_the_context_usable(context: ssl.SSLContext, broker: Broker) -> None:
    async with client(context, broker.port) as device:
        taking = asyncio.create_task(take(device, 1))
        await device.subscribe("never", 1)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
    async with client(context, broker.port) as device:
        await device.subscribe("again", 1)
        await device.publish("again", b"here", 1)
        assert await take(device, 1) == [b"here"]


async def test_a_client_shows_its_certificate(
    make: Make, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = ("require_certificate true", f"cafile {authority.path}")
    files = authority.files(authority.issue("localhost"))
    identity = authority.files(authority.issue("device-1"))
    with mosquitto(tmp_path_factory.mktemp("strict"), *files, *lines) as strict:
        async with client(make(roots=authority.pem, identity=identity), strict.port) as device:
            await device.subscribe("mutual", 1)
            await device.publish("mutual", b"known", 1)
            assert await take(device, 1) == [b"known"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_untrustworthy_broker_is_refused(context: ssl.SSLContext, faulty: dict[str, int], fault: str) -> None:
    with pytest.raises(aiomqtt.MqttError) as caught:
        await client(context, faulty[fault]).__aenter__()
    assert says(caught.value, fault)
