"""What a market must say of itself: how it ranks, and its terms (how it looks after personal data: `orders.privacy`).

How listings are ranked has to be published by the royal decree on digital platform services, B.E. 2565.  Each page is
written once per language, side by side.
"""

from fastapi import APIRouter, Request, Response

from app.pages import language_of, public_page

router = APIRouter()


@router.get("/how-we-rank")
async def how_we_rank(request: Request) -> Response:
    return _written(request, "how_we_rank")


@router.get("/terms")
async def terms(request: Request) -> Response:
    return _written(request, "terms")


def _written(request: Request, name: str) -> Response:
    return public_page(request, f"catalog/legal/{name}.{language_of(request)}.html")
