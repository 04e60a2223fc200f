"""Callers of the little API."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.app.api.little_api import little_api
from tests.ground.clients import ADDRESS


@pytest.fixture
async def book(database: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=little_api())
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        yield client
