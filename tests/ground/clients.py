"""Clients of the market inside the test's own process."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app

ADDRESS = "http://market.test"


@pytest.fixture
def market() -> FastAPI:
    """The application, with nothing remembered from another test."""
    return create_app()


@pytest.fixture
async def client(database: str, market: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a screen: keeps cookies, follows no redirect by itself."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=market), base_url=ADDRESS) as client:
        yield client
