"""What is still due on an order, as a code that a bank app pays."""

from dataclasses import dataclass

from app import clock
from app.errors import Refusal
from app.language import N_
from app.money import Satang
from orders import promptpay
from orders.order import Order
from orders.states import OrderState


class NothingDue(Refusal):
    message = N_("There is nothing to pay by PromptPay on this order now.")


@dataclass(frozen=True, slots=True)
class DueCode:
    """Everything a bank app or a person at a counter needs to pay."""

    satang: Satang
    payload: str
    name: str
    """Of the account, as the bank app will show it."""
    masked_id: str


def code_of(order: Order) -> DueCode | None:
    """Return the code of what is still due; None when nothing is, or when it would be too late to pay."""
    is_payable = order.state == OrderState.placed and not order.is_run_out(clock.now())
    account = order.receiver_promptpay_id
    if not is_payable or account is None or order.due_satang == 0:
        return None
    payload = promptpay.payload(account, order.due_satang)
    return DueCode(order.due_satang, payload, order.receiver_name or "", promptpay.mask(account))
