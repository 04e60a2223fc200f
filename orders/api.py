"""The shopper's way for programs: collect, see what it costs, order, pay, follow.

A basket and an order are whoever's who knows their secret, as with the pages' cookie and link: no token is needed.
Placing an order that was placed before (the same key) answers with the first one, as the page does.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, File, Header, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.api import rates
from app.api.idempotency import Key
from app.api.problems import problem
from app.api.route import refuses, room
from app.api.shapes import Slug
from app.database import Session
from app.errors import Refusal, TooManyAttempts
from app.files import FilesOutOfReach
from app.language import N_
from app.pages import language_of
from app.picture_checks import PICTURE_REFUSALS
from orders import api_links as links
from orders import api_shapes as shapes
from orders import basket as baskets
from orders import cancellation, card_payments, checkout, due, finding, order, promptpay, refunds, slips, stripe_gateway
from orders.api_shapes import (
    AmountSet,
    BasketSent,
    BuyerSent,
    CancelSent,
    DeliveryChosen,
    FindSent,
    Found,
    LineAdded,
    NewBasket,
    OrderSent,
    OrderTold,
    PayCode,
    PayPage,
    PayToSent,
    QuoteTold,
)
from orders.basket import Basket, BasketFull, NotOnSale, NotThisAmount, OnlySoMuchLeft, SoldOut
from orders.checkout import AddressNeeded, Buyer, EmptyBasket, NotPayableThatWay, TotalChanged
from orders.due import DueCode
from orders.order import Order
from orders.quote import NoWayToSend, quote
from orders.slips import SlipPicture
from orders.states import BUYER

basket_room = room("Basket")
order_room = room("Orders")

_ABOUT_TOKEN = "The secret of a basket (`POST /baskets`)."  # noqa: S105 - words about one


class NoSuchBasket(Refusal):
    status = 404
    message = N_("We do not know this basket. Please start a new one.")


class NotInBasket(Refusal):
    status = 404
    message = N_("This is not in the basket.")


class NoGoodsOfThisGroup(Refusal):
    status = 404
    message = N_("There is nothing of this group in the basket.")


class NoSuchOrder(Refusal):
    status = 404
    message = N_("We found no order with this number and this phone.")


async def _basket(
    session: Session,
    basket_token: Annotated[str, Header(alias="Basket-Token", min_length=1, max_length=200, description=_ABOUT_TOKEN)],
) -> Basket:
    """Dependency: the basket of the header; refuses with `NoSuchBasket`."""
    found = await baskets.find(session, basket_token, None)
    if found is None:
        raise NoSuchBasket
    return found


async def _order(session: Session, link: Annotated[str, Path(max_length=100)]) -> Order:
    """Dependency: the order of a secret link."""
    return await order.by_link(session, link)


async def _page_to_pay(request: Request, link: Annotated[str, Path(max_length=100)]) -> str:
    """Dependency: Stripe's page, asked for before any transaction begins."""
    return await card_payments.page_to_pay(link, language_of(request))


async def _received(link: Annotated[str, Path(max_length=100)], slip: Annotated[bytes, File()]) -> SlipPicture:
    """Dependency: a picture that was looked at and put away before any transaction begins."""
    return await slips.receive(link, slip)


CurrentBasket = Annotated[Basket, Depends(_basket, scope="function")]
_STANDS_IN_THE_WAY = (EmptyBasket, TotalChanged, NotPayableThatWay, AddressNeeded, NoWayToSend)
_SLIP = (FilesOutOfReach, slips.CashOrder, slips.NoSlipNeeded, slips.SlipUsedBefore, *PICTURE_REFUSALS)
_CANCEL = (cancellation.PaidMeanwhile, cancellation.SlipBeingChecked, cancellation.HandedOverAlready)
_CARD = (
    *(card_payments.NotByCard, card_payments.NothingToPay, card_payments.TimeRanOut),
    *(stripe_gateway.GatewayClosed, stripe_gateway.GatewayAway, stripe_gateway.GatewayRefused),
)
_PNG: Any = {"type": "string", "contentMediaType": "image/png"}
LinkedOrder = Annotated[Order, Depends(_order, scope="function")]
_AMOUNTS = (NotOnSale, NotThisAmount, OnlySoMuchLeft, SoldOut)


@basket_room.post("/baskets", status_code=201, responses={**refuses(*_AMOUNTS, BasketFull), 201: links.OF_NEW_BASKET})
async def start_basket(session: Session, sent: BasketSent) -> NewBasket:
    """A basket, empty or with some goods; its token is shown this once."""
    basket, token = await baskets.start(session)
    for line in sent.lines:
        await baskets.add(session, basket, line.variant_id, line.quantity_milli)
    return NewBasket(token=token, basket=await _quoted(session, basket))


@basket_room.get("/basket", responses={**refuses(NoSuchBasket), 200: links.OF_QUOTE})
async def quote_basket(session: Session, basket: CurrentBasket) -> QuoteTold:
    """What is in the basket and what it costs at this moment: every figure, every way to get it and to pay it."""
    return await _quoted(session, basket)


@basket_room.post(
    "/basket/lines", status_code=201, responses={**refuses(NoSuchBasket, *_AMOUNTS, BasketFull), 201: links.OF_QUOTE}
)
async def add_to_basket(session: Session, basket: CurrentBasket, line: LineAdded) -> QuoteTold:
    """Put so much more of something into the basket."""
    await baskets.add(session, basket, line.variant_id, line.quantity_milli)
    return await _quoted(session, basket)


@basket_room.put("/basket/lines/{variant_id}", responses=refuses(NoSuchBasket, *_AMOUNTS, NotInBasket))
async def set_amount(session: Session, basket: CurrentBasket, variant_id: UUID, amount: AmountSet) -> QuoteTold:
    """Set how much of something is in the basket; this also says that its price was seen."""
    if variant_id not in {line.variant_id for line, _ in await baskets.lines_of(session, basket)}:
        raise NotInBasket
    for refusal in await baskets.set_quantities(session, basket, {variant_id: amount.quantity_milli}):
        raise refusal
    return await _quoted(session, basket)


@basket_room.delete("/basket/lines/{variant_id}", responses=refuses(NoSuchBasket))
async def take_out(session: Session, basket: CurrentBasket, variant_id: UUID) -> QuoteTold:
    """Take something out of the basket; what is not in it stays out."""
    await baskets.take_out(session, basket, variant_id)
    return await _quoted(session, basket)


@basket_room.put("/basket/deliveries/{group}", responses=refuses(NoSuchBasket, NoGoodsOfThisGroup))
async def choose_delivery(session: Session, basket: CurrentBasket, group: Slug, chosen: DeliveryChosen) -> QuoteTold:
    """Choose how one group's goods reach the buyer; what is not possible is not taken, as the quote then shows."""
    parts = {part.group.slug: part.group.id for part in (await quote(session, basket)).groups}
    if group not in parts:
        raise NoGoodsOfThisGroup
    await baskets.choose_deliveries(session, basket, {parts[group]: chosen.delivery})
    return await _quoted(session, basket)


@basket_room.post("/basket/tidy", responses=refuses(NoSuchBasket))
async def keep_what_there_is(session: Session, basket: CurrentBasket) -> QuoteTold:
    """Take out what is gone, lower what is short, and take the prices as they are now."""
    await baskets.keep_what_there_is(session, basket)
    return await _quoted(session, basket)


@order_room.post(
    "/orders",
    status_code=201,
    responses={**refuses(NoSuchBasket, *_AMOUNTS, *_STANDS_IN_THE_WAY), 201: links.OF_ORDER},
)
async def place_order(
    request: Request, response: Response, session: Session, basket: CurrentBasket, sent: OrderSent, key: Key
) -> OrderTold:
    """Turn the basket into an order that holds its goods; the total must be the one the buyer saw."""
    placed = await checkout.place(
        session,
        basket,
        _buyer(request, sent.buyer),
        None,
        sent.payment_method,
        expected_total=sent.expected_total_satang,
        once_token=f"{basket.id} {key}",
        channel="api",
    )
    response.headers["Location"] = f"/api/v1/orders/{placed.link_token}"
    return await _ordered(session, placed)


@order_room.get("/orders/{link}")
async def follow_order(session: Session, found: LinkedOrder) -> OrderTold:
    """How far an order is."""
    return await _ordered(session, found)


@order_room.get("/orders/{link}/promptpay", responses=refuses(due.NothingDue))
async def pay_by_promptpay(found: LinkedOrder) -> PayCode:
    """The code of what is still due: pay it with any Thai bank's app, then send the slip."""
    return shapes.pay_code(_due(found), f"/api/v1/orders/{found.link_token}/promptpay.png")


@order_room.get(
    "/orders/{link}/promptpay.png",
    response_class=Response,
    responses={
        **refuses(due.NothingDue),
        200: {"description": "The code as a picture.", "content": {"image/png": {"schema": _PNG}}},
    },
)
async def picture_of_promptpay(found: LinkedOrder) -> Response:
    """The same code as a picture."""
    headers = {"Cache-Control": "private, no-store"}
    return Response(promptpay.qr_png(_due(found).payload, scale=12), media_type="image/png", headers=headers)


@order_room.post("/orders/{link}/card-payment", responses=refuses(*_CARD))
async def pay_by_card(url: Annotated[str, Depends(_page_to_pay, scope="function")]) -> PayPage:
    """The address of Stripe's page, where this order is paid by card or PromptPay; the same one while it is open."""
    return PayPage(url=url)


@order_room.post("/orders/{link}/slips", status_code=201, responses=refuses(*_SLIP))
async def send_slip(
    session: Session, picture: Annotated[SlipPicture, Depends(_received, scope="function")], found: LinkedOrder
) -> OrderTold:
    """Send the picture of a transfer slip (at most 20 MB); a person looks at it."""
    await slips.send_slip(session, found, picture)
    return await _ordered(session, found)


@order_room.post("/orders/{link}/cancel", responses=refuses(*_CANCEL))
async def cancel_my_order(session: Session, found: LinkedOrder, sent: CancelSent) -> OrderTold:
    """Cancel an order that is not paid; its goods are back on sale at once."""
    return await _ordered(session, await cancellation.cancel(session, found, BUYER, sent.reason))


@order_room.put("/orders/{link}/pay-to")
async def say_where_to(session: Session, found: LinkedOrder, sent: PayToSent) -> OrderTold:
    """Say where money that goes back to the buyer should be paid."""
    await refunds.say_where(session, found, sent.pay_to)
    return await _ordered(session, found)


@order_room.post("/orders/find", response_model=Found, responses=refuses(NoSuchOrder, TooManyAttempts))
async def find_order(request: Request, session: Session, sent: FindSent) -> Found | Response:
    """Find an order again by its number and its buyer's phone; guessing is slowed down."""
    found = await finding.find(session, sent.number, sent.phone, address=rates.address_of(request))
    if found is None:
        # Answered and not raised: the guess counts.
        return problem(NoSuchOrder(), language_of(request))
    return shapes.found(found)


async def _quoted(session: AsyncSession, basket: Basket) -> QuoteTold:
    return shapes.quoted(await quote(session, basket))


async def _ordered(session: AsyncSession, found: Order) -> OrderTold:
    return shapes.ordered(
        await order.view(session, found),
        await slips.of_order(session, found.id),
        await refunds.of_order(session, found.id),
    )


def _buyer(request: Request, sent: BuyerSent) -> Buyer:
    return Buyer(**sent.model_dump(exclude={"lang"}), lang=sent.lang or language_of(request))


def _due(found: Order) -> DueCode:
    code = due.code_of(found)
    if code is None:
        raise due.NothingDue
    return code
