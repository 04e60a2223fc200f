"""The shapes of Stripe's objects: every field that the pinned library knows, null where this stand-in has nothing."""

from typing import Any, Final

import stripe
from stripe._api_version import _ApiVersion
from stripe.checkout import Session

API_VERSION: Final = _ApiVersion.CURRENT
PAGE_WAYS: Final = ["card", "promptpay"]


def fields(kind: type[stripe.StripeObject]) -> dict[str, Any]:
    """Every field of a kind of object, null."""
    return {name: None for name in kind.__annotations__ if name.islower() and not name.startswith("_")}


def session(given: dict[str, Any], *, session_id: str, origin: str, amount: int, now: int) -> dict[str, Any]:
    return fields(Session) | {
        "id": session_id,
        "object": "checkout.session",
        "adaptive_pricing": given.get("adaptive_pricing"),
        "allowed_payment_method_types": given.get("allowed_payment_method_types"),
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": now,
        "currency": given["line_items"][0]["price_data"]["currency"],
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None},
        "customer_creation": "if_required",
        "customer_email": given.get("customer_email"),
        "expires_at": given["expires_at"],
        "livemode": False,
        "locale": given.get("locale"),
        "metadata": given.get("metadata", {}),
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": given.get("allowed_payment_method_types", PAGE_WAYS),
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "success_url": given["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{origin}/c/pay/{session_id}",
    }


def intent(paid_on: dict[str, Any], given: dict[str, Any], *, intent_id: str, way: str, now: int) -> dict[str, Any]:
    return fields(stripe.PaymentIntent) | {
        "id": intent_id,
        "object": "payment_intent",
        "amount": paid_on["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": now,
        "currency": paid_on["currency"],
        "description": given.get("description"),
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "payment_method": f"pm_{way}",
        "payment_method_types": [way],
        "status": "requires_payment_method",
    }


def refund(given: dict[str, Any], *, refund_id: str, state: str, now: int) -> dict[str, Any]:
    return fields(stripe.Refund) | {
        "id": refund_id,
        "object": "refund",
        "amount": given["amount"],
        "charge": f"ch_{given['payment_intent'].removeprefix('pi_')}",
        "created": now,
        "currency": "thb",
        "instructions_email": given.get("instructions_email"),
        "metadata": given.get("metadata", {}),
        "payment_intent": given["payment_intent"],
        "status": state,
    }


def event(kind: str, about: dict[str, Any], *, event_id: str, now: int) -> dict[str, Any]:
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def error(
    message: str, *, code: str | None = None, param: str | None = None, kind: str = "invalid_request_error"
) -> Any:
    told = {"type": kind, "message": message, "code": code, "param": param}
    return {"error": {name: value for name, value in told.items() if value is not None}}
