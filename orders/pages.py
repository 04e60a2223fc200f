"""Pages of an order: its own page behind a secret link, finding it again, the receipt, and a person's own orders."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from pydantic import BaseModel, StringConstraints
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.access import CurrentPerson, CurrentScope
from app.database import Session, session_scope
from app.errors import Refusal, TooManyAttempts
from app.forms import Email, Form, Line, read_form
from app.language import N_, translate
from app.money import in_thai_words
from app.pages import go, in_language, language_of, page, said
from orders import cancellation, due, finding, order, promptpay, refunds, slips, timeline
from orders.carriers import carrier, tracking_link
from orders.forgetting import PICTURES_KEPT
from orders.order import Order
from orders.states import BUYER

router = APIRouter()


class NoSlip(Refusal):
    status = 422
    message = N_("Please choose the picture of your transfer slip first.")


class FindForm(BaseModel):
    number: Annotated[str, StringConstraints(max_length=40)]
    phone: Annotated[str, StringConstraints(max_length=40)]


class ReasonForm(BaseModel):
    reason: Line | None = None


class PayToForm(BaseModel):
    pay_to: Annotated[Line, StringConstraints(min_length=4)]


class EmailForm(BaseModel):
    email: Email


class NoFields(BaseModel):
    """A form that is only a button, or only a file."""


@dataclass(frozen=True, slots=True)
class PromptPayPanel:
    """Everything a bank app or a person at a counter needs to pay."""

    satang: int
    code: Markup
    name: str
    masked_id: str


@router.get("/orders/find", name="find_order")
async def find(request: Request) -> Response:
    return page(request, "orders/find.html", form=Form[FindForm].empty())


@router.post("/orders/find", name="take_find_order")
async def take_find(request: Request, session: Session) -> Response:
    """Number and last four digits (or the whole phone) lead to the secret link; guesses are counted by address and by number."""
    form = await read_form(request, FindForm)
    if form.ok:
        try:
            address = request.client.host if request.client else ""
            found = await finding.find(session, form.values.number, form.values.phone, address=address)
        except TooManyAttempts as refusal:
            form.refuse(refusal)
            return page(request, "orders/find.html", refusal.status, form=form)
        if found:
            return _to(request, found)
        form.error("", N_("We found no order with this number and these last four digits. Please check both."))
    return page(request, "orders/find.html", 422, form=form)


@router.get("/o/{token}", name="order")
async def show(request: Request, session: Session, token: str) -> Response:
    return await _page(request, session, await order.by_link(session, token), Form[NoFields].empty())


@router.get("/o/{token}/promptpay.png", name="promptpay_picture")
async def promptpay_picture(session: Session, token: str) -> Response:
    """The code as a picture, for the buyer whose bank app is on the same phone."""
    found = await order.by_link(session, token)
    code = due.code_of(found)
    if code is None:
        raise due.NothingDue
    return Response(
        promptpay.qr_png(code.payload, scale=12),
        media_type="image/png",
        headers={
            "Content-Disposition": f'attachment; filename="promptpay-{found.number}.png"',
            "Cache-Control": "private, no-store",
        },
    )


@router.post("/o/{token}/slip", name="send_slip")
async def send_slip(request: Request, token: str) -> Response:
    """Take a slip: look at the picture and keep the file outside of any transaction, then write it down."""
    form = await read_form(request, NoFields)
    try:
        await _taken(token, form)
    except Refusal as refusal:
        form.refuse(refusal, "slip")
    async with session_scope() as session:
        found = await order.by_link(session, token)
        if form.errors:
            return await _page(request, session, found, form, 422)
        return _to(request, found, N_("Thank you! We look at your slip and tell you here."))


@router.post("/o/{token}/cancel", name="cancel_order")
async def cancel(request: Request, session: Session, token: str) -> Response:
    form = await read_form(request, ReasonForm)
    found = await order.by_link(session, token)
    try:
        await cancellation.cancel(session, found, BUYER, form.values.reason if form.ok else None)
    except Refusal as refusal:
        return await _page(request, session, found, _refused(refusal), refusal.status)
    return _to(request, found, N_("Your order is cancelled. The goods are back on sale."))


@router.post("/o/{token}/pay-to", name="say_pay_to")
async def say_pay_to(request: Request, session: Session, token: str) -> Response:
    form = await read_form(request, PayToForm)
    found = await order.by_link(session, token)
    if not form.ok:
        return await _page(request, session, found, form, 422)
    await refunds.say_where(session, found, form.values.pay_to)
    return _to(request, found, N_("Thank you. We will pay your money back there."))


@router.post("/o/{token}/refund-email", name="say_refund_email")
async def say_refund_email(request: Request, session: Session, token: str) -> Response:
    """Where the payment provider may ask for the account that money goes back to."""
    form = await read_form(request, EmailForm)
    found = await order.by_link(session, token)
    if not form.ok:
        return await _page(request, session, found, form, 422)
    await refunds.say_email(session, found, form.values.email)
    return _to(request, found, N_("Thank you. Look into your mailbox within the next days."))


@router.get("/o/{token}/receipt", name="receipt")
async def receipt(request: Request, session: Session, token: str) -> Response:
    found = await order.by_link(session, token)
    shown = await order.view(session, found)
    return page(request, "orders/receipt.html", shown=shown, order=found, in_thai_words=in_thai_words)


@router.get("/my/orders", name="my_orders")
async def my_orders(request: Request, session: Session, scope: CurrentScope, _person: CurrentPerson) -> Response:
    now = clock.now()
    orders = await order.orders_of(session, scope)
    return page(request, "orders/my_orders.html", rows=[(each, *timeline.order_badge(each, now)) for each in orders])


async def _taken(token: str, form: Form[NoFields]) -> None:
    upload = form.file("slip")
    if upload is None:
        raise NoSlip(field="slip")
    picture = await slips.receive(token, upload.data)
    async with session_scope() as session:
        await slips.send_slip(session, await order.by_link(session, token), picture)


async def _page(request: Request, session: AsyncSession, found: Order, form: Form[Any], status: int = 200) -> Response:
    now = clock.now()
    shown = await order.view(session, found)
    tasks = await refunds.of_order(session, found.id)
    return page(
        request,
        "orders/order.html",
        status,
        order=found,
        shown=shown,
        badge_of=timeline.order_badge(found, now),
        part_badges={view.part.id: timeline.part_badge(found, view.part, now) for view in shown.parts},
        steps=timeline.steps(shown),
        is_run_out=found.is_run_out(now),
        panel=_panel(request, found),
        slips=await slips.of_order(session, found.id) if not found.is_cash else [],
        came_back=request.query_params.get("back") == "paid",
        refunds=tasks,
        picture_days=PICTURES_KEPT.days,
        tracking_link=tracking_link,
        carrier=carrier,
        spoken=order.spoken_phone,
        form=form,
        may_cancel=found.may_be_cancelled and not found.is_run_out(now),
    )


def _panel(request: Request, found: Order) -> PromptPayPanel | None:
    code = due.code_of(found)
    if code is None:
        return None
    title = translate(language_of(request), N_("PromptPay QR code for order %(number)s"), number=found.spoken_number)
    return PromptPayPanel(code.satang, promptpay.qr_svg(code.payload, title), code.name, code.masked_id)


def _refused(refusal: Refusal) -> Form[Any]:
    form: Form[Any] = Form.empty()
    form.refuse(refusal)
    return form


def _to(request: Request, found: Order, message: str | None = None) -> Response:
    path = in_language(found.path, language_of(request))
    return go(request, path, flash=said(message) if message else None)
