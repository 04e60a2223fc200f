"""Sending events, signed as Stripe signs them; late, twice, in the wrong order or never, as the rules say."""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

FIRST_PAUSE = 0.5


@dataclass
class Rules:
    """See the package's docstring."""

    sleep_seconds: float = 0
    delay_seconds: float = 0
    drop: int = 0
    copies: int = 1
    reorder: bool = False
    retries: int = 4
    refunds: str = "as made"


@dataclass
class Postman:
    """`webhook` is where events go; None while nobody listens.  `transport` leads to an app in this process."""

    secret: str
    webhook: str | None = None
    transport: httpx.AsyncBaseTransport | None = None
    rules: Rules = field(default_factory=Rules)
    events: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[str, Any] | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def reset(self) -> None:
        self.rules, self.waiting = Rules(), None
        self.events.clear()
        self.deliveries.clear()
        for task in self.tasks:
            task.cancel()

    def tell(self, event: dict[str, Any]) -> None:
        """Keep an event and send it as the rules say, without waiting for the answer."""
        self.events.append(event)
        if self.rules.drop:
            self.rules.drop -= self.rules.drop > 0
            return
        if not self.rules.reorder:
            self._begin([event])
        elif self.waiting is None:
            self.waiting = event
        else:
            self._begin([event, self.waiting])
            self.waiting = None

    async def send(self, event: dict[str, Any]) -> int | None:
        """Send an event once; the status of the answer, None when there was none."""
        if self.webhook is None:
            return None
        body = json.dumps(event)
        headers = {"Stripe-Signature": signed(body, self.secret), "Content-Type": "application/json; charset=utf-8"}
        status: int | None = None
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=30) as client:
                status = (await client.post(self.webhook, content=body, headers=headers)).status_code
        except httpx.TransportError:
            pass
        self.deliveries.append({"event": event["id"], "type": event["type"], "status": status})
        return status

    async def settled(self) -> None:
        """Wait until nothing is on its way."""
        while self.tasks:
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def _begin(self, events: list[dict[str, Any]]) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(events))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _deliver(self, events: list[dict[str, Any]]) -> None:
        await asyncio.sleep(self.rules.delay_seconds)
        for event in events:
            await asyncio.gather(*(self._send_until_taken(event) for _ in range(self.rules.copies)))

    async def _send_until_taken(self, event: dict[str, Any]) -> None:
        for attempt in range(self.rules.retries + 1):
            status = await self.send(event)
            if status is not None and status < httpx.codes.MULTIPLE_CHOICES:
                return
            await asyncio.sleep(FIRST_PAUSE * 2**attempt if attempt < self.rules.retries else 0)


def signed(body: str, secret: str, at: int | None = None) -> str:
    """The header Stripe-Signature for a body sent at `at` (seconds since 1970; now when left out)."""
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
