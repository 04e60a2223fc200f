"""Pages of the basket: what is in it, group by group, and what changed since it was put there."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import CurrentScope
from app.database import Session
from app.errors import Refusal
from app.forms import Form, Milli, read_form
from app.language import N_, Message
from app.pages import language_of, page, said, see_other
from catalog.photos import covers
from orders import basket as baskets
from orders import basket_cookie
from orders.basket import Basket, NotOnSale, OnOffer
from orders.basket_cookie import CurrentBasket
from orders.quote import quote

router = APIRouter()

_amount: TypeAdapter[int] = TypeAdapter(Milli)
_PREFIX = "quantity-"


class AddForm(BaseModel):
    variant_id: UUID
    quantity: Annotated[Milli, Field(gt=0)] = 1000


class BasketForm(BaseModel):
    """The amounts have a field each, named after the variant; a button may take one line out, or tidy all."""

    take_out: UUID | None = None
    tidy: str | None = None
    onward: str | None = None


@router.get("/basket", name="basket")
async def show(request: Request, session: Session, basket: CurrentBasket) -> Response:
    return await _page(request, session, basket)


@router.post("/basket/add", name="add_to_basket")
async def add(request: Request, session: Session, scope: CurrentScope, basket: CurrentBasket) -> Response:
    """Put something in and show the basket; what cannot be put in is said there, with the way back to the listing."""
    form = await read_form(request, AddForm)
    if not form.ok:
        return await _wrong_amount(request, session, basket, form)
    token = None
    if basket is None:
        basket, token = await baskets.start(session, scope.person)
    try:
        offer = await baskets.add(session, basket, form.values.variant_id, form.values.quantity)
    except Refusal as refusal:
        response = await _page(request, session, basket, refusal.status, problems=[_message(refusal)])
    else:
        item = offer.name.reading(language_of(request))
        response = see_other(request, "basket", flash=said(N_("%(item)s is in your basket."), item=item))
    if token and scope.person is None:
        basket_cookie.keep(response, token)
    return response


@router.post("/basket", name="change_basket")
async def change(request: Request, session: Session, basket: CurrentBasket) -> Response:
    form = await read_form(request, BasketForm)
    if basket is None:
        return see_other(request, "basket")
    problems = await _changed(session, basket, form)
    if problems:
        return await _page(request, session, basket, 422, problems=problems, form=form)
    return see_other(request, "checkout" if form.raw("onward") else "basket")


async def _wrong_amount(
    request: Request, session: AsyncSession, basket: Basket | None, form: Form[AddForm]
) -> Response:
    """Say what is wrong, about which thing, with the way back to it."""
    offer = None
    with suppress(ValueError, NotOnSale):
        offer = await baskets.on_offer(session, UUID(form.raw("variant_id")))
    return await _page(request, session, basket, 422, problems=list(form.errors.values()), about=offer)


async def _changed(session: AsyncSession, basket: Basket, form: Form[BasketForm]) -> list[Message]:
    if form.ok and form.values.take_out:
        await baskets.take_out(session, basket, form.values.take_out)
        return []
    if form.ok and form.values.tidy:
        await baskets.keep_what_there_is(session, basket)
        return []
    quantities, problems = _quantities(form)
    return problems + [_message(refusal) for refusal in await baskets.set_quantities(session, basket, quantities)]


def _quantities(form: Form[BasketForm]) -> tuple[dict[UUID, int], list[Message]]:
    quantities: dict[UUID, int] = {}
    problems: list[Message] = []
    for name in form.names():
        if not name.startswith(_PREFIX):
            continue
        try:
            quantities[UUID(name.removeprefix(_PREFIX))] = _amount.validate_python(form.raw(name))
        except ValidationError:
            problems.append(
                Message(
                    N_("“%(typed)s” is not an amount. Please write a number, such as 2 or 0.5."),
                    {"typed": form.raw(name)[:40]},
                )
            )
        except ValueError:
            continue
    return quantities, problems


async def _page(
    request: Request,
    session: AsyncSession,
    basket: Basket | None,
    status: int = 200,
    *,
    problems: list[Message] | None = None,
    form: Form[BasketForm] | None = None,
    about: OnOffer | None = None,
) -> Response:
    """`about` is what the problems are about, if it is one thing."""
    now = await quote(session, basket) if basket else None
    request.state.basket_count = len(now.items) if now else 0
    return page(
        request,
        "orders/basket.html",
        status,
        quote=now,
        pictures=await covers(session, [item.offer.listing.id for item in now.items]) if now else {},
        problems=problems or [],
        about=about,
        form=form or Form[BasketForm].empty(),
    )


def _message(refusal: Refusal) -> Message:
    return Message(refusal.message, refusal.params)
