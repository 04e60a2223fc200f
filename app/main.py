"""The web application: puts the rooms together.  Only this module, the worker, the command line and the demo know all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from app import database
from app.access import know_visitor
from app.doors import BodyLimit, LanguagePrefix, OwnOrigin, SafeHeaders
from app.page_memory import PageMemory
from app.pages import STATIC, Pages
from app.refusal_pages import show_refusals
from app.settings import settings
from orders.basket_cookie import know_basket

ROUTERS = (
    "app.sign_in",
    "app.address",
    "app.health",
    "catalog.pages",
    "catalog.sitemap",
    "catalog.legal",
    "catalog.media",
    "catalog.editing",
    "catalog.new_listing",
    "catalog.listing_details",
    "catalog.listing_sizes",
    "catalog.photo_desk",
    "producers.pages",
    "producers.desk",
    "producers.canvas_pages",
    "producers.canvas_desk",
    "producers.certificates_desk",
    "producers.members_desk",
    "producers.staff",
    "orders.basket_pages",
    "orders.checkout_pages",
    "orders.pages",
    "orders.desk",
    "orders.group_desk",
    "orders.slip_desk",
    "orders.refund_desk",
    "orders.staff",
    "incubation_centers.pages",
    "incubation_centers.desk",
    "incubation_centers.money_desk",
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await database.engine().dispose()


def create_app() -> FastAPI:
    """Return the market as an ASGI application."""
    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[
            Middleware(SafeHeaders, is_https=settings().is_https),
            Middleware(PageMemory, seconds=settings().page_memory_seconds),
            Middleware(OwnOrigin),
            Middleware(BodyLimit),
            Middleware(LanguagePrefix),
        ],
    )
    routers = [import_module(name).router for name in ROUTERS if find_spec(name)]
    for router in routers:
        app.include_router(router, dependencies=[Depends(know_visitor), Depends(know_basket)])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.state.pages = Pages(route for router in routers for route in router.routes)
    show_refusals(app)
    return app


app = create_app()
