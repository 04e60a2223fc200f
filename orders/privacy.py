"""How the market looks after personal data: the page that the Personal Data Protection Act, B.E. 2562, asks for.

Every time it names comes from the constant that the code goes by, so the page cannot promise what is not done.  It is
written once per language, side by side.
"""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from app import limits, mail, people, trail
from app.api import idempotency
from app.language import N_, Language, translate
from app.pages import language_of, public_page
from app.webhooks import deliveries
from orders import basket, erasure, forgetting, group_work, provider_events
from producers import members

router = APIRouter()

KEPT: Final = {
    "answers": idempotency.KEPT,
    "attempts": limits.KEPT,
    "baskets": basket.KEPT,
    "buyers": erasure.BUYERS_KEPT,
    "contact": group_work.CONTACT_SHOWN,
    "deliveries": deliveries.KEPT,
    "hints": members.HINT_KEPT,
    "never_paid": erasure.NEVER_PAID_KEPT,
    "notices": mail.KEPT,
    "pictures": forgetting.PICTURES_KEPT,
    "provider": provider_events.KEPT,
    "session": people.SESSION_LASTS,
    "sign_ins": people.SIGN_IN_KEPT,
    "trail": trail.KEPT,
}
"""What is kept for how long, by the code that lets go of it."""
YEAR: Final = 365


@router.get("/privacy", name="privacy")
async def privacy(request: Request) -> Response:
    lang = language_of(request)
    kept = {what: in_words(span, lang) for what, span in KEPT.items()}
    return public_page(request, f"orders/privacy.{lang}.html", kept=kept)


def in_words(span: timedelta, lang: Language) -> str:
    """Say whole years as years, everything else in days."""
    years, days = divmod(span.days, YEAR)
    if years and not days:
        return translate(lang, N_("1 year") if years == 1 else N_("%(n)s years"), n=years)
    return translate(lang, N_("1 day") if span.days == 1 else N_("%(n)s days"), n=span.days)
