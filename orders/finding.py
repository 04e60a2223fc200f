"""Finding an order again by its number and its buyer's phone, without letting anybody guess.

Tries are counted by number and by address.  A try that fails must end in an answer that commits, or it is not counted.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app import limits
from orders import order
from orders.order import Order

MOST_GUESSES: Final = 8
"""At one number; from one address twice as many."""
WITHIN: Final = timedelta(minutes=15)


async def find(session: AsyncSession, number: str, phone: str, *, address: str) -> Order | None:
    """Return the order of that number whose buyer's phone (or its last four digits) this is; None tells no more.

    Refuses with `TooManyAttempts`.
    """
    abouts = [f"order from {address}", f"order {order.only_digits(number)[:20]}"]
    for about, most in zip(abouts, (2 * MOST_GUESSES, MOST_GUESSES), strict=True):
        await limits.refuse_after(session, about, most, WITHIN, in_turn=True)
    found = await order.by_number_and_phone(session, number, order.only_digits(phone)[-4:])
    if found is None:
        for about in abouts:
            limits.count(session, about)
    return found
