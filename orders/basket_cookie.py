"""Whose basket it is: a guest's by their cookie, a person's by who they are."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import cookies
from app.access import CurrentScope
from app.database import Session
from orders import basket as baskets
from orders.basket import Basket

COOKIE = "basket"


async def know_basket(request: Request, session: Session, scope: CurrentScope) -> None:
    """Dependency of every page: how many things are in the basket, for the header.  Nothing is asked for strangers."""
    token = cookies.read(request, COOKIE)
    if token or scope.person:
        request.state.basket_count = await baskets.count(session, token, scope.person)


async def current_basket(request: Request, session: Session, scope: CurrentScope) -> Basket | None:
    """Dependency: the basket of whoever is here, None while nothing was ever put in."""
    return await baskets.find(session, cookies.read(request, COOKIE), scope.person)


def keep(response: Response, token: str) -> None:
    """Give a guest's browser the cookie of the basket that was just made."""
    cookies.keep(response, COOKIE, token, baskets.KEPT)


CurrentBasket = Annotated[Basket | None, Depends(current_basket, scope="function")]
