"""Style sheets and scripts, as the real server sends them."""

import httpx
import pytest

from app.pages import STATIC, static
from tests.ground.servers import RunningMarket

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("name", ["market.css", "market.js", "icons.svg"])
async def test_a_file_arrives_whole(server: RunningMarket, name: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get(static(name))

    assert answer.content == (STATIC / name).read_bytes()
