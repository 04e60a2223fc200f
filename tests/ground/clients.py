"""Clients of the market inside the test's own process."""

from collections.abc import AsyncIterator
from importlib import import_module

import httpx
import pytest
from fastapi import FastAPI

from app.database import engine
from tests.ground.tripwire import Watched, tripwire

ADDRESS = "http://market.test"


@pytest.fixture
def market() -> FastAPI:
    """The application, with nothing remembered from another test."""
    # Imported only now: a test of a verb needs no page, and runs while a page is half written.
    app: FastAPI = import_module("app.main").create_app()
    return app


@pytest.fixture
async def client(database: str, market: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a screen: keeps cookies, follows no redirect by itself.  What it asks for trips the tripwire."""
    with tripwire(engine()) as unscoped:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Watched(market)), base_url=ADDRESS) as client:
            yield client
    assert unscoped == [], "see tests/ground/tripwire.py"
