"""The checkout: one page on which a basket becomes an order.

Nothing typed is ever lost: whatever stands in the way, the same page comes back with it.  The form carries every figure
it showed, and the name of the order it will become; sending it twice leads to the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from app import address
from app.access import CurrentScope, Scope
from app.address import AddressFields
from app.api import idempotency
from app.api.idempotency import AnsweredBefore
from app.database import Session
from app.errors import Refusal
from app.forms import Email, Form, Name, Paragraphs, Phone, read_form
from app.language import N_
from app.pages import go, in_language, language_of, page, see_other
from app.places import Place
from orders import basket as baskets
from orders import checkout
from orders.basket import Basket
from orders.basket_cookie import CurrentBasket
from orders.checkout import Buyer
from orders.erasure import BUYERS_KEPT
from orders.order import Order, last_address_of
from orders.quote import Difference, Quote, differences, quote, read_seen, seen_of
from orders.states import DeliveryKind, PaymentMethod

router = APIRouter()

_PREFIX = "delivery-"
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


class CheckoutForm(AddressFields):
    name: Name
    phone: Phone
    email: Email | None = None
    note: Paragraphs | None = None
    payment_method: PaymentMethod
    once: Annotated[str, StringConstraints(max_length=200)]
    seen: list[str] = Field(default_factory=list)
    seen_total: int = -1


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio button of a page."""

    value: str
    label: object
    note: object = None
    end: object = None


@router.get("/checkout", name="checkout")
async def show(request: Request, session: Session, scope: CurrentScope, basket: CurrentBasket) -> Response:
    now = await quote(session, basket) if basket else None
    if basket is None or now is None or now.is_empty or now.troubles:
        return see_other(request, "basket")
    return _page(request, now, await _prefilled(session, scope, basket, now))


@router.post("/checkout", name="place_order")
async def place(
    request: Request, session: Session, scope: CurrentScope, basket: CurrentBasket, key: IdempotencyKey = None
) -> Response:
    if basket is None:
        return see_other(request, "basket")
    if key:
        try:
            await idempotency.begin(request, session, f"basket {basket.id}", key)
        except AnsweredBefore as known:
            return known.answer
    return await _taken(request, session, scope, basket, key)


async def _taken(request: Request, session: AsyncSession, scope: Scope, basket: Basket, key: str | None) -> Response:
    form = await read_form(request, CheckoutForm)
    # A basket's own name goes first, so that nobody finds another buyer's order by guessing a token.
    once_token = f"{basket.id} {key or form.raw('once')}"
    if order := await checkout.placed_with(session, once_token):
        return _to(request, order)
    await baskets.choose_deliveries(session, basket, _deliveries(form))
    now = await quote(session, basket)
    if now.is_empty:
        return see_other(request, "basket")
    chosen = address.chosen_place(form) if now.needs_address else None
    if now.needs_address and not form.raw("address_line").strip():
        form.error("address_line", N_("Please write house number, moo and road, so that the parcel finds you."))
    if form.raw("look"):
        form.errors.clear()
        return _page(request, now, form)
    if not form.ok:
        return _page(request, now, form, status=422)
    return await _place(request, session, scope, basket, form, chosen, once_token)


async def _place(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    basket: Basket,
    form: Form[CheckoutForm],
    chosen: Place | None,
    once_token: str,
) -> Response:
    seen = read_seen(form.values.seen)
    try:
        async with session.begin_nested():
            order = await checkout.place(
                session,
                basket,
                _buyer(request, scope, form.values, chosen),
                None,
                form.values.payment_method,
                expected_total=form.values.seen_total,
                once_token=once_token,
                seen=seen,
            )
    except Refusal as refusal:
        form.refuse(refusal)
        await session.refresh(basket)
        now = await quote(session, basket)
        return _page(request, now, form, differences(seen, now), status=refusal.status)
    return _to(request, order)


def _to(request: Request, order: Order) -> Response:
    answer = go(request, in_language(order.path, language_of(request)))
    idempotency.keep(request, answer)
    return answer


def _buyer(request: Request, scope: Scope, values: CheckoutForm, chosen: Place | None) -> Buyer:
    return Buyer(
        name=values.name,
        phone=values.phone,
        email=values.email,
        lang=language_of(request),
        person_id=scope.person.id if scope.person else None,
        address_line=values.address_line,
        subdistrict_code=chosen.code if chosen else None,
        note=values.note,
    )


def _deliveries(form: Form[CheckoutForm]) -> dict[UUID, DeliveryKind]:
    found: dict[UUID, DeliveryKind] = {}
    for name in form.names():
        if name.startswith(_PREFIX):
            try:
                found[UUID(name.removeprefix(_PREFIX))] = DeliveryKind(form.raw(name))
            except ValueError:
                continue
    return found


async def _prefilled(session: AsyncSession, scope: Scope, basket: Basket, now: Quote) -> Form[CheckoutForm]:
    """What we know already, so that nobody types it twice."""
    person = scope.person
    last = await last_address_of(session, scope)
    possible = [way.method for way in now.ways if way.is_possible]
    return Form[CheckoutForm].empty(
        once=basket.once_token,
        name=person.name if person else None,
        phone=person.phone if person else None,
        email=person.email if person else None,
        address_line=last.address_line if last else None,
        subdistrict_code=last.subdistrict_code if last else None,
        payment_method=possible[0] if possible else None,
    )


def _page(
    request: Request,
    now: Quote,
    form: Form[CheckoutForm],
    changes: Sequence[Difference] = (),
    *,
    status: int = 200,
) -> Response:
    request.state.basket_count = len(now.items)
    return page(
        request,
        "orders/checkout.html",
        status,
        quote=now,
        form=form,
        changes=changes,
        choices=address.choices_for(form),
        buyer_years=BUYERS_KEPT.days // 365,
        seen=[figure.written() for figure in seen_of(now)],
    )
