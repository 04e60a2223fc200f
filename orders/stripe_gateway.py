"""Stripe, as the market speaks with it: Checkout pages to send buyers to, refunds, and the signature on its events.

The only module that knows Stripe's library.  Everything here is a call to another machine (or plain arithmetic), so
nothing takes a session, and nothing may be called inside a transaction: whoever calls reads first, asks Stripe with no
transaction open, and writes afterwards.  A call that failed is not tried again here, since people wait for it; it can
be repeated with the same key without doing anything twice.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal, TypeVar, cast
from uuid import UUID

import httpx
import stripe
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItemPriceData

from app.errors import Refusal
from app.language import N_, Language
from app.money import Satang
from app.settings import settings

CURRENCY: Final = "thb"
LEAST_SATANG: Final = 10_00
"""Stripe's minimum charge in baht."""
MOST_SATANG: Final = 999_999_99
"""An amount has at most eight digits (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""
LEAST_OPEN: Final = timedelta(minutes=32)
"""A Checkout page is open for 30 minutes at least, counted by Stripe's clock; the rest is for the way there."""
MOST_OPEN: Final = timedelta(hours=23, minutes=55)
"""… and for 24 hours at most."""
TIMEOUT: Final = httpx.Timeout(20, connect=5)

RefundState = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
T = TypeVar("T")


class GatewayClosed(Refusal):
    """No keys are set: this market does not take payments through Stripe."""

    message = N_("Card payments are not open on this market.")


class GatewayAway(Refusal):
    """Stripe does not answer, is too busy, or has an error of its own: the same call may be repeated."""

    status = 503
    message = N_("The payment page does not answer at the moment. Your order is kept; please try again in a minute.")


class GatewayRefused(Refusal):
    """Stripe answered, and said no; `reason` is in its words."""

    status = 502
    message = N_("The payment page could not be opened. Please try again, or write to us: %(reason)s")


class NotFromStripe(Refusal):
    """An event without a valid, recent signature."""

    status = 400
    message = N_("This is not a signed event of Stripe.")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A Checkout session of Stripe as we read it; `payment_id` is our own row's, None when it is not ours."""

    id: str
    payment_id: UUID | None
    url: str | None
    status: str
    """open, complete or expired."""
    payment_status: str
    """paid, unpaid or no_payment_required; a complete one may be unpaid while the bank is slow."""
    satang: int | None
    currency: str | None
    intent_id: str | None
    intent_status: str | None = None
    """Known only when it was asked for: an event names the intent alone."""

    @property
    def is_paid(self) -> bool:
        return self.payment_status == "paid"

    @property
    def has_failed(self) -> bool:
        """The buyer went through with it, and then the bank said no."""
        return self.status == "complete" and self.intent_status in {"requires_payment_method", "canceled"}


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    id: str
    state: RefundState
    reason: str | None = None
    """Why it failed, in Stripe's word."""
    key: str | None = None
    """The key it was made with: "refund <task id>"."""
    satang: int = 0
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """A signed event; `payload` is the whole of it."""

    id: str
    kind: str
    payload: dict[str, Any]


def is_open() -> bool:
    """True when this market can take payments through Stripe."""
    return settings().stripe_secret_key is not None


async def checkout(
    *,
    payment_id: UUID,
    order_id: UUID,
    number: str,
    title: str,
    satang: Satang,
    lang: Language,
    email: str | None,
    paid_url: str,
    back_url: str,
    expires_at: datetime,
) -> Checkout:
    """Make the page on which a buyer pays; the same `payment_id` (with the same figures) never makes a second one.

    `expires_at` lies between `LEAST_OPEN` and `MOST_OPEN` from now.  Refuses with `GatewayAway`, `GatewayRefused`.
    """
    metadata = {"payment": str(payment_id), "order": str(order_id), "number": number}
    wanted: SessionCreateParams = {
        "mode": "payment",
        "allowed_payment_method_types": ["card", "promptpay"],
        "locale": lang,
        "line_items": [{"quantity": 1, "price_data": _price(title, satang)}],
        "client_reference_id": str(order_id),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, "description": title},
        "success_url": paid_url,
        "cancel_url": back_url,
        "expires_at": int(expires_at.timestamp()),
        "adaptive_pricing": {"enabled": False},
    }
    if email:
        wanted["customer_email"] = email
    sessions = _client().v1.checkout.sessions
    made = await _answered(sessions.create_async(wanted, {"idempotency_key": f"checkout {payment_id}"}))
    return checkout_of(made.to_dict())


async def find_checkout(checkout_id: str) -> Checkout:
    """Ask what has become of a page.  Refuses with `GatewayAway`, `GatewayRefused`."""
    found = await _answered(
        _client().v1.checkout.sessions.retrieve_async(checkout_id, {"expand": ["payment_intent"]}),
    )
    return checkout_of(found.to_dict())


async def close_checkout(checkout_id: str) -> Checkout:
    """Let nobody pay on a page any more, if it is still open; returns what it is now.  Refusals as `find_checkout`."""
    found = await find_checkout(checkout_id)
    if found.status != "open":
        return found
    closed = await _answered(_client().v1.checkout.sessions.expire_async(checkout_id))
    return checkout_of(closed.to_dict())


async def refund(intent_id: str, satang: Satang, *, key: str, instructions_email: str | None = None) -> ProviderRefund:
    """Give so much of a payment back to whoever paid it; the same key is the same refund.

    A PromptPay refund stays pending, or waits for the buyer (`requires_action`), whom Stripe asks at
    `instructions_email` for the account.  Refuses with `GatewayAway`, `GatewayRefused`.
    """
    wanted: RefundCreateParams = {"payment_intent": intent_id, "amount": satang, "metadata": {"key": key}}
    if instructions_email:
        wanted["instructions_email"] = instructions_email
    made = await _answered(_client().v1.refunds.create_async(wanted, {"idempotency_key": key}))
    return refund_of(made.to_dict())


async def find_refund(refund_id: str) -> ProviderRefund:
    """Ask how far a refund is.  Refuses with `GatewayAway`, `GatewayRefused`."""
    return refund_of((await _answered(_client().v1.refunds.retrieve_async(refund_id))).to_dict())


def event(body: bytes, signature: str | None) -> StripeEvent:
    """Read an event after checking that Stripe signed it within the last minutes; refuses with `NotFromStripe`."""
    secret = settings().stripe_webhook_secret
    if secret is None:
        raise GatewayClosed
    try:
        read = _client().construct_event(body, signature, secret.get_secret_value())
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise NotFromStripe from error
    return StripeEvent(read.id, read.type, read.to_dict())


async def close() -> None:
    """Close the connections to Stripe; the next call opens new ones, with the keys as they are then."""
    if _client.cache_info().currsize:
        _client.cache_clear()
        http = _http()
        _http.cache_clear()
        await http.close_async()  # type: ignore[no-untyped-call]  # stripe types most of itself


def checkout_of(found: Mapping[str, Any]) -> Checkout:
    """Read a Checkout session as Stripe writes it, in an answer or in an event."""
    named = found.get("payment_intent")
    intent: Mapping[str, Any] = named if isinstance(named, Mapping) else {"id": named}
    return Checkout(
        id=found["id"],
        payment_id=_uuid((found.get("metadata") or {}).get("payment")),
        url=found.get("url"),
        status=found["status"],
        payment_status=found["payment_status"],
        satang=found.get("amount_total"),
        currency=found.get("currency"),
        intent_id=intent["id"],
        intent_status=intent.get("status"),
    )


def refund_of(found: Mapping[str, Any]) -> ProviderRefund:
    """Read a refund as Stripe writes it, in an answer or in an event."""
    return ProviderRefund(
        id=found["id"],
        state=cast("RefundState", found["status"]),
        reason=found.get("failure_reason"),
        key=(found.get("metadata") or {}).get("key"),
        satang=found["amount"],
        currency=found.get("currency"),
    )


def is_its_page(url: str) -> bool:
    """True for an address on the host of Stripe's own pages: nowhere else are buyers sent."""
    origin = settings().payment_page_origin
    return origin is not None and url.startswith(f"{origin}/")


def _price(title: str, satang: Satang) -> SessionCreateParamsLineItemPriceData:
    return {"currency": CURRENCY, "unit_amount": satang, "product_data": {"name": title}}


async def _answered(call: Awaitable[T]) -> T:
    try:
        return await call
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError, stripe.IdempotencyError) as error:
        raise GatewayAway from error
    except stripe.StripeError as error:
        raise GatewayRefused(reason=error.user_message or type(error).__name__) from error


@cache
def _client() -> stripe.StripeClient:
    secret = settings().stripe_secret_key
    if secret is None:
        raise GatewayClosed
    stripe.enable_telemetry = False
    base = settings().stripe_api_base
    return stripe.StripeClient(
        secret.get_secret_value(),
        base_addresses={"api": str(base).rstrip("/")} if base else {},
        max_network_retries=0,
        http_client=_http(),
    )


@cache
def _http() -> stripe.HTTPXClient:
    return stripe.HTTPXClient(timeout=TIMEOUT)


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
