"""What the stand-in remembers, and what can happen to it: pages are made, paid, closed; payments are given back."""

import copy
import secrets
from dataclasses import dataclass, field
from typing import Any

from app import clock
from tests.stripe_standin import objects
from tests.stripe_standin.postman import Postman, Rules

LEAST_OPEN, MOST_OPEN = 30 * 60, 24 * 60 * 60
LEAST_AMOUNT, MOST_AMOUNT = 10_00, 999_999_99
Found = dict[str, Any]


class No(Exception):  # noqa: N818 - as short as it is often said
    """An error in Stripe's shape."""

    def __init__(self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = objects.error(message, code=code, param=param)


@dataclass
class Bank:
    origin: str
    postman: Postman
    sessions: dict[str, Found] = field(default_factory=dict)
    intents: dict[str, Found] = field(default_factory=dict)
    refunds: dict[str, Found] = field(default_factory=dict)
    given: dict[str, Found] = field(default_factory=dict)
    """What each session was made with."""

    def reset(self) -> None:
        for kept in (self.sessions, self.intents, self.refunds, self.given):
            kept.clear()
        self.postman.reset()

    @property
    def rules(self) -> Rules:
        return self.postman.rules

    def make_session(self, given: Found) -> Found:
        amount = _checked_session(given)
        session_id = _id("cs_test_")
        made = objects.session(given, session_id=session_id, origin=self.origin, amount=amount, now=_now())
        self.sessions[session_id], self.given[session_id] = made, given
        return made

    def session(self, session_id: str, *, is_whole: bool = False) -> Found:
        self.tick()
        found = _found(self.sessions, session_id, "checkout.session")
        if is_whole and found["payment_intent"]:
            return found | {"payment_intent": self.intents[found["payment_intent"]]}
        return found

    def expire(self, session_id: str) -> Found:
        found = self.session(session_id)
        if found["status"] != "open":
            message = f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {found["status"]}.'
            raise No(message)
        self._close(found)
        return found

    def pay(self, session_id: str, how: str) -> Found:
        """What a press of a button on the page does; what is not possible any more changes nothing."""
        found = self.session(session_id)
        if how in {"arrive", "bounce"}:
            self._decide(found, has_arrived=how == "arrive")
        elif how != "fail" and found["status"] == "open":
            intent = self._new_intent(found, "card" if how == "card" else "promptpay")
            found |= {"status": "complete", "payment_intent": intent["id"], "url": None}
            if how == "slow":
                intent["status"] = "processing"
            else:
                self._receive(found, intent)
            self._tell("checkout.session.completed", found)
        return found

    def make_refund(self, given: Found) -> Found:
        intent = _found(self.intents, str(given.get("payment_intent")), "payment_intent")
        amount = int(given.get("amount") or intent["amount_received"])
        given["amount"] = amount
        back = sum(
            refund["amount"]
            for refund in self.refunds.values()
            if refund["payment_intent"] == intent["id"] and refund["status"] not in {"failed", "canceled"}
        )
        if not 0 < amount <= intent["amount_received"] - back:
            left = intent["amount_received"] - back
            raise No(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount")
        state = self.rules.refunds
        if state == "as made":
            state = "succeeded" if intent["payment_method_types"] == ["card"] else "pending"
        made = objects.refund(given, refund_id=_id("re_"), state=state, now=_now())
        self.refunds[made["id"]] = made
        self._tell("refund.created", made)
        return made

    def turn_refund(self, refund_id: str, state: str) -> Found:
        found = self.refund(refund_id)
        found["status"] = state
        if state == "failed":
            found["failure_reason"] = "expired_or_canceled_card"
        self._tell("refund.failed" if state == "failed" else "refund.updated", found)
        return found

    def refund(self, refund_id: str) -> Found:
        return _found(self.refunds, refund_id, "refund")

    def tick(self) -> None:
        """Close the pages whose time is over."""
        for found in self.sessions.values():
            if found["status"] == "open" and found["expires_at"] <= _now():
                self._close(found)

    def _close(self, found: Found) -> None:
        found |= {"status": "expired", "url": None}
        self._tell("checkout.session.expired", found)

    def _new_intent(self, found: Found, way: str) -> Found:
        given = self.given[found["id"]].get("payment_intent_data", {})
        intent = objects.intent(found, given, intent_id=_id("pi_"), way=way, now=_now())
        self.intents[intent["id"]] = intent
        return intent

    def _receive(self, found: Found, intent: Found) -> None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": _id("ch_")}
        found["payment_status"] = "paid"
        self._tell("payment_intent.succeeded", intent)

    def _decide(self, found: Found, *, has_arrived: bool) -> None:
        intent = self.intents.get(found["payment_intent"] or "")
        if intent is None or intent["status"] != "processing":
            return
        if has_arrived:
            self._receive(found, intent)
            self._tell("checkout.session.async_payment_succeeded", found)
        else:
            intent["status"] = "requires_payment_method"
            self._tell("checkout.session.async_payment_failed", found)

    def _tell(self, kind: str, about: Found) -> None:
        self.postman.tell(objects.event(kind, copy.deepcopy(about), event_id=_id("evt_"), now=_now()))


def _checked_session(given: Found) -> int:
    """Refuse what Stripe refuses, and return the amount."""
    if "payment_method_types" in given:
        raise No(
            "payment_method_types is no longer supported",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    for name in ("line_items", "success_url"):
        if not given.get(name):
            raise No(f"Missing required param: {name}.", code="parameter_missing", param=name)
    amount = sum(item["quantity"] * item["price_data"]["unit_amount"] for item in given["line_items"])
    if not LEAST_AMOUNT <= amount <= MOST_AMOUNT:
        raise No("The Checkout Session's total amount due is out of bounds", code="amount_too_small")
    given.setdefault("expires_at", _now() + MOST_OPEN)
    if not LEAST_OPEN <= given["expires_at"] - _now() <= MOST_OPEN:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise No(message, param="expires_at")
    return int(amount)


def _found(kept: dict[str, Found], thing_id: str, kind: str) -> Found:
    if thing_id not in kept:
        raise No(f"No such {kind}: '{thing_id}'", status=404, code="resource_missing", param="id")
    return kept[thing_id]


def _id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def _now() -> int:
    return int(clock.now().timestamp())
