"""The web application: puts the rooms together.  Only this module, the worker, the command line and the demo know all."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

import catalog.api
import catalog.desk_api
import catalog.editing
import catalog.legal
import catalog.listing_details
import catalog.listing_sizes
import catalog.media
import catalog.metrics
import catalog.new_listing
import catalog.pages
import catalog.photo_desk
import catalog.sitemap
import incubation_centers.api
import incubation_centers.desk
import incubation_centers.money_desk
import incubation_centers.pages
import incubation_centers.programs
import orders.api
import orders.basket_pages
import orders.card_pages
import orders.checkout_pages
import orders.data_pages
import orders.desk
import orders.desk_api
import orders.give_back_desk
import orders.group_desk
import orders.metrics
import orders.pages
import orders.privacy
import orders.provider_desk
import orders.refund_desk
import orders.slip_desk
import orders.staff
import producers.api
import producers.canvas_desk
import producers.canvas_pages
import producers.certificates_desk
import producers.desk
import producers.members_desk
import producers.metrics
import producers.pages
import producers.programs
import producers.staff
import producers.staff_programs
import producers.trail_desk
from app import address, database, health, metrics, sign_in, trail
from app.access import know_visitor
from app.api import guide, openapi
from app.doors import BodyLimit, HeadAsGet, LanguagePrefix, OneHost, OwnOrigin, SafeHeaders
from app.page_memory import PageMemory
from app.pages import STATIC, Pages
from app.refusal_pages import Unforeseen, show_refusals
from app.request_log import RequestLog, RouteNoted
from app.settings import settings
from migrations import revisions
from orders import stripe_gateway
from orders.basket_cookie import know_basket

ROUTERS: tuple[APIRouter, ...] = tuple(
    room.router
    for room in (
        sign_in,
        address,
        guide,
        catalog.pages,
        catalog.sitemap,
        catalog.legal,
        catalog.media,
        catalog.new_listing,
        catalog.editing,
        catalog.listing_details,
        catalog.listing_sizes,
        catalog.photo_desk,
        producers.pages,
        producers.desk,
        producers.canvas_pages,
        producers.canvas_desk,
        producers.certificates_desk,
        producers.members_desk,
        producers.staff,
        producers.trail_desk,
        producers.programs,
        producers.staff_programs,
        orders.basket_pages,
        orders.checkout_pages,
        orders.pages,
        orders.data_pages,
        orders.privacy,
        orders.desk,
        orders.group_desk,
        orders.slip_desk,
        orders.give_back_desk,
        orders.refund_desk,
        orders.staff,
        orders.provider_desk,
        incubation_centers.pages,
        incubation_centers.desk,
        incubation_centers.money_desk,
        incubation_centers.programs,
    )
)

API: tuple[APIRouter, ...] = (catalog.api.router, orders.api.basket_room, orders.api.order_room)
"""Rooms of the API; their routes live under `openapi.PATH`."""
DESK_API: tuple[APIRouter, ...] = tuple(
    room.router for room in (producers.api, catalog.desk_api, orders.desk_api, incubation_centers.api)
)
"""What desks do, for programs."""
UNSEEN: tuple[APIRouter, ...] = (orders.card_pages.router,)
"""Routes that never ask who is here: they talk to other machines, while no transaction may be open."""

#: Asked by machines: they have no visitor and no basket, and do without a database.
MACHINE_ROUTERS = (health.router, metrics.router)
QUESTIONS = (
    *metrics.QUESTIONS,
    *producers.metrics.QUESTIONS,
    *catalog.metrics.QUESTIONS,
    *orders.metrics.QUESTIONS,
)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await stripe_gateway.close()
    await database.engine().dispose()


def create_app() -> FastAPI:
    """Return the market as an ASGI application."""
    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # it would name the host that the asker named
        middleware=[
            *_proxies(),
            Middleware(RequestLog),
            Middleware(HeadAsGet),
            Middleware(PageMemory, seconds=settings().page_memory_seconds),
            Middleware(SafeHeaders, is_https=settings().is_https, pays_at=settings().payment_page_origin),
            Middleware(OwnOrigin, address=settings().address),
            Middleware(OneHost, address=str(settings().public_url) if settings().public_url else None),
            Middleware(BodyLimit),
            Middleware(LanguagePrefix),
            Middleware(Unforeseen),
            Middleware(RouteNoted),
        ],
    )
    for router in ROUTERS:
        noted = [trail.noted] if _is_desk(router) else []
        app.include_router(router, dependencies=[Depends(know_visitor), Depends(know_basket), *noted])
    for router in (*MACHINE_ROUTERS, *UNSEEN):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.state.pages = Pages(_routes())
    app.state.revisions = revisions.known()
    app.state.neighbours = health.neighbours()
    app.state.asked = metrics.Asked(QUESTIONS)
    show_refusals(app)
    api = openapi.create_api((*API, *DESK_API))
    api.state.pages = app.state.pages
    app.state.api = api
    app.mount(openapi.PATH, api, name="api")
    return app


def _proxies() -> list[Middleware]:
    """Behind proxies that we trust, the reader's address is the one they tell."""
    trusted = list(settings().trusted_proxies)
    return [Middleware(wrap_asgi_with_proxy_headers, trusted_hosts=trusted)] if trusted else []


def page_routes() -> list[tuple[str, str]]:
    """Name and path of everything that can be opened, for tests that visit every page."""
    return [(route.name, route.path) for route in _routes() if "GET" in (route.methods or ())]


def _is_desk(router: APIRouter) -> bool:
    """Where people work on other people's business, each request leaves its trail."""
    paths = [route.path for route in router.routes if isinstance(route, APIRoute)]
    return any(path.startswith(("/desk", "/staff")) for path in paths)


def _routes() -> Iterator[APIRoute]:
    for router in (*ROUTERS, *MACHINE_ROUTERS, *UNSEEN):
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route


app = create_app()
