"""A market that takes payments through Stripe, with the stand-in over HTTP in Stripe's place."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from app.settings import settings
from orders import stripe_gateway
from tests.ground.clients import ADDRESS
from tests.ground.servers import free_port
from tests.stripe_standin.bank import Bank
from tests.stripe_standin.postman import Postman
from tests.stripe_standin.server import create_app

SECRET_KEY, WEBHOOK_SECRET = "sk_test_of_tests", "whsec_of_tests"


@asynccontextmanager
async def serving(bank: Bank, secret_key: str) -> AsyncIterator[None]:
    """The stand-in answers at the bank's address for as long as the context lasts."""
    port = int(bank.origin.rpartition(":")[2])
    server = Server(create_app(bank, secret_key), port=port, interface=Interfaces.ASGI, log_level=LogLevels.error)
    running = asyncio.create_task(server.serve())
    async with httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"{bank.origin}/_control/state")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.02)
    try:
        yield
    finally:
        await bank.postman.settled()
        server.stop()  # type: ignore[no-untyped-call]  # granian types most of itself
        await running


@pytest.fixture(scope="session")
async def standin() -> AsyncIterator[Bank]:
    bank = Bank(f"http://localhost:{free_port()}", Postman(WEBHOOK_SECRET, f"{ADDRESS}/webhooks/stripe"))
    async with serving(bank, SECRET_KEY):
        yield bank


@pytest.fixture
async def bank(standin: Bank) -> AsyncIterator[Bank]:
    """The stand-in, with nothing in it; this process's settings lead to it, and its events to `market` once it is there."""
    given = {
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": standin.origin,
    }
    os.environ |= given
    settings.cache_clear()
    await stripe_gateway.close()
    yield standin
    await standin.postman.settled()
    standin.reset()
    for name in given:
        del os.environ[name]
    settings.cache_clear()
    await stripe_gateway.close()


@pytest.fixture
async def card_market(bank: Bank, database: str, market: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A buyer's browser without a screen, on a market whose events come from the stand-in."""
    bank.postman.transport = httpx.ASGITransport(app=market, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=market), base_url=ADDRESS) as client:
        yield client
    await bank.postman.settled()
