"""Clients of the market inside the test's own process."""

from collections.abc import AsyncIterator
from importlib import import_module

import httpx
import pytest
from fastapi import FastAPI

ADDRESS = "http://market.test"


@pytest.fixture
def market() -> FastAPI:
    """The application, with nothing remembered from another test."""
    # Imported only now: a test of a verb needs no page, and runs while a page is half written.
    app: FastAPI = import_module("app.main").create_app()
    return app


@pytest.fixture
async def client(database: str, market: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a screen: keeps cookies, follows no redirect by itself."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=market), base_url=ADDRESS) as client:
        yield client
