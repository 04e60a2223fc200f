"""Programs that call the API with a token."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.api import tokens
from app.people import Person

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Program:
    """Calls as one token; every changing call has a key of its own."""

    client: httpx.AsyncClient
    secret: str

    async def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return await self.ask("GET", path, status, params=query)

    async def ask(self, method: str, path: str, status: int = 200, /, **more: Any) -> Any:
        """Call, expect that status, and return the answer's JSON."""
        answer = await self.raw(method, path, **more)
        assert answer.status_code == status, answer.text[:2000]
        return answer.json()

    async def raw(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": str(uuid4())} | more.pop("headers", {})
        return await self.client.request(method, API + path, headers=headers, **more)


async def program(
    client: httpx.AsyncClient, session: AsyncSession, person: Person, *allowed: str, **place: UUID
) -> Program:
    """Give `person` a token; commits what the test arranged."""
    scope = await access.scope_of(session, person)
    _, secret = await tokens.issue(session, scope, "a program", allowed or list(tokens.SCOPES), **place)
    await session.commit()
    return Program(client, secret)
