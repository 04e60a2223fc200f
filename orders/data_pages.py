"""My data: taking it along and having it erased, for whoever has an account and for a guest with the link of an order."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from app import cookies, limits, people
from app.access import SESSION_COOKIE, CurrentPerson
from app.database import Session
from app.errors import Refusal, TooManyAttempts
from app.forms import Form, read_form
from app.language import N_
from app.pages import go, in_language, language_of, page, said, see_other
from app.people import Person, WrongSignIn
from orders import erasure, order, personal_data
from orders.erasure import BUYERS_KEPT
from orders.order import Order, only_digits
from orders.personal_data import PersonalData

router = APIRouter()

MOST_EXPORTS: Final = 20
EXPORTS_WITHIN: Final = timedelta(days=1)
MOST_WRONG: Final = 8
WRONG_WITHIN: Final = timedelta(minutes=15)


class EraseForm(BaseModel):
    password: Annotated[str, StringConstraints(max_length=200)]


class EraseOrderForm(BaseModel):
    phone: Annotated[str, StringConstraints(max_length=40)]


@router.get("/account/data.zip", name="my_data")
async def my_data(request: Request, session: Session, person: CurrentPerson) -> Response:
    await _refuse_too_many(session, f"export {person.id}")
    return _zip(request, await personal_data.of_person(session, person), "my-data")


@router.get("/account/erase", name="erase_account")
async def erase_account(request: Request, person: CurrentPerson) -> Response:
    return _erase_page(request, person, Form[EraseForm].empty())


@router.post("/account/erase", name="take_erase_account")
async def take_erase_account(request: Request, session: Session, person: CurrentPerson) -> Response:
    form = await read_form(request, EraseForm)
    if form.ok and await _is_confirmed(session, person, form):
        try:
            async with session.begin_nested():
                await erasure.erase_person(session, person)
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            response = see_other(
                request, "home", flash=said(N_("Your account is erased. Thank you for your time here."))
            )
            cookies.drop(response, SESSION_COOKIE)
            return response
    return _erase_page(request, person, form, 422)


@router.get("/o/{token}/data.zip", name="order_data")
async def order_data(request: Request, session: Session, token: str) -> Response:
    found = await order.by_link(session, token)
    await _refuse_too_many(session, f"export {found.id}")
    return _zip(request, await personal_data.of_order(session, found), f"order-{found.number}")


@router.get("/o/{token}/erase", name="erase_order")
async def erase_order(request: Request, session: Session, token: str) -> Response:
    return _erase_order_page(request, await order.by_link(session, token), Form[EraseOrderForm].empty())


@router.post("/o/{token}/erase", name="take_erase_order")
async def take_erase_order(request: Request, session: Session, token: str) -> Response:
    """The link alone shows; to erase, one must know the phone as well, for links are passed on."""
    found = await order.by_link(session, token)
    form = await read_form(request, EraseOrderForm)
    if form.ok and not found.erased_at:
        try:
            await _refuse_wrong_phone(session, found, form)
            if not form.errors:
                async with session.begin_nested():
                    await erasure.erase_guest_order(session, found)
        except Refusal as refusal:
            form.refuse(refusal)
    if not form.ok:
        return _erase_order_page(request, found, form, 422)
    path = in_language(found.path, language_of(request))
    return go(request, path, flash=said(N_("Your name, phone and address are erased from this order.")))


async def _is_confirmed(session: AsyncSession, person: Person, form: Form[EraseForm]) -> bool:
    """Whether the password is right; if not, that stands on the form and is counted."""
    about = f"erase {person.id}"
    try:
        await limits.refuse_after(session, about, MOST_WRONG, WRONG_WITHIN)
        await people.refuse_unless_right(person, form.values.password)
    except WrongSignIn:
        limits.count(session, about)
        form.error("password", N_("This password is not right."))
    except TooManyAttempts as refusal:
        form.refuse(refusal, "password")
    return form.ok


async def _refuse_wrong_phone(session: AsyncSession, found: Order, form: Form[EraseOrderForm]) -> None:
    about = f"erase order {found.id}"
    await limits.refuse_after(session, about, MOST_WRONG, WRONG_WITHIN)
    if only_digits(form.values.phone)[-4:] != found.buyer_phone[-4:]:
        limits.count(session, about)
        form.error("phone", N_("These are not the last four digits of this order's phone."))


async def _refuse_too_many(session: AsyncSession, about: str) -> None:
    await limits.refuse_after(session, about, MOST_EXPORTS, EXPORTS_WITHIN)
    limits.count(session, about)


def _zip(request: Request, data: PersonalData, name: str) -> Response:
    pages = request.app.state.pages
    html = pages.render("orders/my_data_file.html", language_of(request), {"data": data, "words": personal_data.WORDS})
    return StreamingResponse(
        personal_data.packed(data, html),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "private, no-store"},
    )


def _erase_page(request: Request, person: Person, form: Form[EraseForm], status: int = 200) -> Response:
    return page(request, "orders/erase_account.html", status, form=form, person=person, years=_years())


def _erase_order_page(request: Request, found: Order, form: Form[Any], status: int = 200) -> Response:
    return page(request, "orders/erase_order.html", status, form=form, order=found, years=_years())


def _years() -> int:
    return BUYERS_KEPT.days // 365
