"""Ways to and from Stripe: the button that leads to its page, and the address to which it sends its events.

Neither asks who is here: what a visitor's cookies say would be read in a transaction, and none may be open while Stripe
is asked.
"""

import logging
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from app.database import session_scope
from app.errors import NotFound, Refusal, TooLarge
from app.pages import go, in_language, language_of, said
from orders import card_payments, provider_events, stripe_gateway

router = APIRouter()

MOST_BYTES: Final = 1024 * 1024
"""Of an event; Stripe's are a few kilobytes."""
Signature = Annotated[str | None, Header(alias="Stripe-Signature", max_length=2000)]

log = logging.getLogger("market.stripe")


@router.post("/o/{token}/pay", name="pay_by_card")
async def pay(request: Request, token: str) -> Response:
    """Send the buyer to Stripe's page, or back to their order with the reason why not."""
    lang = language_of(request)
    try:
        page = await card_payments.page_to_pay(token, lang)
    except NotFound:
        raise
    except Refusal as refusal:
        log.warning("No page to pay on: %s", refusal.text("en"), exc_info=refusal.__cause__)
        return go(request, in_language(f"/o/{token}", lang), flash=said(refusal.message, **refusal.params))
    return RedirectResponse(page, status_code=303)


@router.post("/webhooks/stripe", name="stripe_webhook")
async def take_event(request: Request, signature: Signature = None) -> Response:
    """Keep a signed event, then work it; any failure makes Stripe send it again."""
    event = stripe_gateway.event(await _body(request), signature)
    async with session_scope() as session:
        kept = await provider_events.keep(session, event)
    if not await provider_events.work(kept):
        return PlainTextResponse("kept, not worked", status_code=500)
    return PlainTextResponse("worked")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge
    return bytes(body)
