"""Buyers and groups whose market dies under their hands: they do the same again, with the same key, until it answers.

Answers are lost on the way, too (`Careful.loses`): the market did it, and the client does not know.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from tests.bad_days.hurt_market import HurtMarket
from tests.ground.form_reader import form_of
from tests.producers.factories import NONG_SANO

API: Final = "/api/v1"
PATIENCE_SECONDS: Final = 180
WORD_SECONDS: Final = 4.0
"""So long a buyer looks whether the payment was heard of; the rest is the reconciling job's."""
STEPS: Final = ("fill", "place", "ask", "pay", "follow", "pack", "hand over")
ENDINGS: Final = ("card", "promptpay", "slow", "card", "promptpay", "leave", "cancel", "cancel and pay")
"""What buyers do once they stand before the page to pay on."""
BUYER: Final = {
    "name": "มะลิ ใจเย็น",
    "phone": "0891112222",
    "address_line": "12 หมู่ 3",
    "subdistrict_code": NONG_SANO,
}


class Steps:
    """Tells whoever waits for it that some walk begins a step at this moment."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self._waiting: dict[str, asyncio.Event] = {step: asyncio.Event() for step in STEPS}

    def begin(self, step: str) -> None:
        self.begun[step] += 1
        self._waiting[step].set()

    async def next(self, step: str) -> None:
        self._waiting[step].clear()
        await self._waiting[step].wait()


@dataclass
class Walk:
    """One buyer's wish: it may become one order, never two."""

    name: str
    wants: dict[str, int]
    """Variant ids and thousandths."""
    ending: str
    by_pages: bool
    link: str | None = None
    number: str | None = None
    is_paid: bool = False
    """At the stand-in."""
    is_done: bool = False


@dataclass
class Careful:
    """Calls again until there is an answer, with the key it had the first time."""

    client: httpx.AsyncClient
    rng: random.Random
    loses: float = 0.1
    """Of so many calls the answer is lost after the market gave it."""
    is_careless: bool = False
    """The negative control: a fresh key for every try."""

    def key(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    async def ask(self, method: str, path: str, /, **more: Any) -> httpx.Response:
        """Call until it is answered with something that trying again would not change."""
        headers = {"Idempotency-Key": self.key()} | more.pop("headers", {})
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            if self.is_careless:
                headers = headers | {"Idempotency-Key": self.key()}
            answer = await self._once(method, path, headers, more)
            if answer is not None and not _is_for_later(answer):
                return answer
            await asyncio.sleep(self.rng.uniform(0.05, 0.3))
        pytest.fail(f"no answer to {method} {path}: {answer and answer.text[:500]}")

    async def _once(
        self, method: str, path: str, headers: Mapping[str, str], more: Mapping[str, Any]
    ) -> httpx.Response | None:
        try:
            answer = await self.client.request(method, path, headers=headers, **more)
        except httpx.TransportError:
            return None
        return None if method != "GET" and self.rng.random() < self.loses else answer


@dataclass
class Walker:
    """Walks orders from the basket to the hand-over."""

    market: HurtMarket
    steps: Steps
    rng: random.Random
    secrets: Mapping[str, str]
    """A token of each group's owner, by the group's slug."""
    variants: list[str]
    name: str
    loses: float = 0.1
    is_careless: bool = False
    walks: list[Walk] = field(default_factory=list)

    async def walk(self, ending: str | None = None) -> None:
        """One order, as far as it gets."""
        some = self.rng.sample(self.variants, self.rng.choice((1, 1, 2)))
        walk = Walk(
            name=f"{self.name} {len(self.walks)}",
            wants={variant: self.rng.choice((1000, 2000)) for variant in some},
            ending=ending or self.rng.choice(ENDINGS),
            by_pages=self.rng.random() < 0.5 and not self.is_careless,
        )
        self.walks.append(walk)
        async with httpx.AsyncClient(base_url=self.market.url, timeout=30) as client:
            careful = Careful(client, self.rng, self.loses, is_careless=self.is_careless)
            await (self._place_on_pages if walk.by_pages else self._place)(careful, walk)
            checkout_id = await self._page(careful, walk)
            await self._end(careful, walk, checkout_id)
            if walk.is_paid and walk.ending != "cancel and pay" and await self._is_heard(careful, walk):
                await self.hand_over(careful, walk)

    async def finish(self) -> None:
        """Hand over what was paid, and not heard of in time."""
        async with httpx.AsyncClient(base_url=self.market.url, timeout=30) as client:
            careful = Careful(client, self.rng, 0)
            for walk in self.walks:
                if walk.is_paid and not walk.is_done and walk.ending != "cancel and pay":
                    await self.hand_over(careful, walk)

    async def hand_over(self, careful: Careful, walk: Walk) -> None:
        told = (await careful.ask("GET", f"{API}/orders/{walk.link}")).json()
        for part in told["parts"]:
            slug = part["group"]["slug"]
            path = f"{API}/desk/groups/{slug}/orders/{walk.number}"
            token = {"Authorization": f"Bearer {self.secrets[slug]}"}
            for step, verb, body in (("pack", "pack", None), ("hand over", "hand-over", {})):
                self.steps.begin(step)
                more: dict[str, Any] = {"json": body} if body is not None else {}
                answer = await careful.ask("POST", f"{path}/{verb}", headers=token, **more)
                assert answer.status_code == 200, answer.text
        walk.is_done = True

    async def _place(self, careful: Careful, walk: Walk) -> None:
        """A program that lost an answer begins anew only when it is careless."""
        self.steps.begin("fill")
        lines = [{"variant_id": variant, "quantity_milli": milli} for variant, milli in walk.wants.items()]
        answer = await careful.ask("POST", f"{API}/baskets", json={"lines": lines})
        assert answer.status_code == 201, answer.text
        basket = answer.json()
        self.steps.begin("place")
        body = {
            "buyer": BUYER | {"note": walk.name},
            "payment_method": "card",
            "expected_total_satang": basket["basket"]["total_satang"],
        }
        answer = await careful.ask("POST", f"{API}/orders", json=body, headers={"Basket-Token": basket["token"]})
        if self.is_careless and answer.status_code == 422:  # "your basket is empty": so it fills another one
            await self._place(careful, walk)
            return
        assert answer.status_code == 201, answer.text
        walk.link, walk.number = answer.json()["link"], answer.json()["number"]

    async def _place_on_pages(self, careful: Careful, walk: Walk) -> None:
        self.steps.begin("fill")
        for variant, milli in walk.wants.items():
            form = {"variant_id": variant, "quantity": str(milli // 1000)}
            assert (await careful.ask("POST", "/en/basket/add", data=form)).status_code == 303
        fields = form_of((await careful.ask("GET", "/en/checkout")).text, "/checkout")
        fields |= {"name": ["Mali"], "phone": ["0891112222"], "address_line": ["12 Moo 3"], "area": ["31110"]}
        fields |= {"subdistrict_code": [NONG_SANO], "payment_method": ["card"], "note": [walk.name]}
        self.steps.begin("place")
        # The browser sends no key: the form's own once-token does it.
        answer = await careful.ask("POST", "/en/checkout", data=fields, headers={"Idempotency-Key": fields["once"][0]})
        assert answer.status_code == 303, answer.text
        walk.link = answer.headers["Location"].rpartition("/o/")[2]
        walk.number = (await careful.ask("GET", f"{API}/orders/{walk.link}")).json()["number"]

    async def _page(self, careful: Careful, walk: Walk) -> str:
        self.steps.begin("ask")
        if not walk.by_pages:
            answer = await careful.ask("POST", f"{API}/orders/{walk.link}/card-payment")
            assert answer.status_code == 200, answer.text
            return str(answer.json()["url"]).rpartition("/")[2]
        while True:
            answer = await careful.ask("POST", f"/en/o/{walk.link}/pay")
            assert answer.status_code == 303, answer.text
            if answer.headers["Location"].startswith(self.market.bank.origin):
                return answer.headers["Location"].rpartition("/")[2]
            await asyncio.sleep(0.2)

    async def _end(self, careful: Careful, walk: Walk, checkout_id: str) -> None:
        self.steps.begin("pay")
        bank = self.market.bank
        if walk.ending == "slow":
            bank.pay(checkout_id, "slow")
            await asyncio.sleep(self.rng.uniform(0, 0.3))
            bank.pay(checkout_id, "arrive")
        elif walk.ending == "cancel":
            await self._cancel(careful, walk)
        elif walk.ending == "cancel and pay":
            cancelling = asyncio.create_task(self._cancel(careful, walk))
            await asyncio.sleep(self.rng.uniform(0, 0.03))
            bank.pay(checkout_id, self.rng.choice(("card", "promptpay")))
            await cancelling
        elif walk.ending != "leave":
            bank.pay(checkout_id, walk.ending)
        walk.is_paid = bank.sessions[checkout_id]["payment_status"] == "paid"

    async def _cancel(self, careful: Careful, walk: Walk) -> None:
        answer = await careful.ask("POST", f"{API}/orders/{walk.link}/cancel", json={})
        assert answer.status_code in {200, 409}, answer.text

    async def _is_heard(self, careful: Careful, walk: Walk) -> bool:
        self.steps.begin("follow")
        ends_at = time.monotonic() + WORD_SECONDS
        while time.monotonic() < ends_at:
            if (await careful.ask("GET", f"{API}/orders/{walk.link}")).json()["state"] == "paid":
                return True
            await asyncio.sleep(0.1)
        return False


def _is_for_later(answer: httpx.Response) -> bool:
    return answer.status_code >= 500 or "Retry-After" in answer.headers
