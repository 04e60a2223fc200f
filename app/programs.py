"""The desks' part "Programs": tokens for programs that ask, webhooks for programs that want to be told.

One set of pages for all three kinds of desk.  A desk says where its pages live and who may open them (`desk`); the
dependency it gives puts the `Spot` on the request: whose programs, under which layout, with what in it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from app.access import CurrentPerson, CurrentScope
from app.api import tokens
from app.api.tokens import ApiToken
from app.database import Session
from app.errors import Refusal
from app.forms import Form, Line, Name, read_form
from app.language import N_
from app.pages import page, said, see_other
from app.webhooks import deliveries, hooks
from app.webhooks.hooks import EVENT_WORDS, Event, Place
from app.webhooks.sending import TROUBLE_WORDS

FOLDER: Final = "app/programs"


class TokenForm(BaseModel):
    name: Name
    scopes: list[str] = []


class HookForm(BaseModel):
    url: Line
    events: list[Event] = []


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the pages are shown: whose programs, and what the desk's layout needs."""

    desk: str
    """"group", "center" or "staff": the routes' names begin with it."""
    place: Place
    words: Mapping[str, str]
    """What the addresses take: the slug."""
    layout: str
    context: Mapping[str, Any]
    scopes: Sequence[str]
    """What a token made here may be allowed."""


def _spot(request: Request) -> Spot:
    spot: Spot = request.state.spot
    return spot


Here = Annotated[Spot, Depends(_spot)]


def desk(name: str, prefix: str, finds_spot: Callable[..., Awaitable[Spot]]) -> APIRouter:
    """Return the routes of one desk's part; `finds_spot` refuses whoever may not be there."""

    async def put(request: Request, spot: Annotated[Spot, Depends(finds_spot)]) -> None:
        request.state.spot = spot

    router = APIRouter(prefix=prefix, dependencies=[Depends(put)])
    for method, path, endpoint in ROUTES:
        named = f"{name}_{endpoint.__name__.removesuffix('_here')}"
        router.add_api_route(path, endpoint, methods=[method], name=named)
    return router


async def programs(request: Request, session: Session, scope: CurrentScope, spot: Here) -> Response:
    own = await hooks.hooks_of(session, spot.place)
    return _page(
        request,
        spot,
        "programs",
        tokens=[each for each in await tokens.tokens_of(session, scope) if _is_here(each, spot.place)],
        hooks=own,
        waiting=await deliveries.waiting_counts(session, [hook.id for hook in own]),
    )


async def new_token(request: Request, spot: Here) -> Response:
    return _page(request, spot, "token_new", form=Form[TokenForm].empty())


async def take_token(request: Request, session: Session, scope: CurrentScope, spot: Here) -> Response:
    form = await read_form(request, TokenForm)
    if form.ok:
        try:
            token, secret = await tokens.issue(
                session,
                scope,
                form.values.name,
                [each for each in form.values.scopes if each in spot.scopes],
                group_id=spot.place.group_id,
                center_id=spot.place.center_id,
            )
            return _secret_page(request, spot, "token_made", token=token, secret=secret)
        except Refusal as refusal:
            form.refuse(refusal)
    return _page(request, spot, "token_new", 422, form=form)


async def revoke_token(request: Request, session: Session, scope: CurrentScope, spot: Here, token_id: UUID) -> Response:
    await tokens.revoke(session, scope, token_id)
    return _to(request, spot, "programs", N_("The token no longer works."))


async def new_hook(request: Request, spot: Here) -> Response:
    return _page(request, spot, "hook_new", form=Form[HookForm].empty(events=list(Event)))


async def take_hook(request: Request, session: Session, person: CurrentPerson, spot: Here) -> Response:
    form = await read_form(request, HookForm)
    if form.ok and not form.values.events:
        form.error("events", N_("Choose at least one."))
    if form.ok:
        try:
            hook = await hooks.add(session, spot.place, form.values.url, form.values.events, by=person)
            return _secret_page(request, spot, "hook_secret", hook=hook, secret=hook.secret, is_new=True)
        except Refusal as refusal:
            form.refuse(refusal)
    return _page(request, spot, "hook_new", 422, form=form)


async def hook(request: Request, session: Session, spot: Here, hook_id: UUID) -> Response:
    found = await hooks.hook_of(session, spot.place, hook_id)
    return _page(request, spot, "hook", hook=found, log=await deliveries.log_of(session, found))


async def rotate_hook(request: Request, session: Session, spot: Here, hook_id: UUID) -> Response:
    found = await hooks.hook_of(session, spot.place, hook_id)
    return _secret_page(request, spot, "hook_secret", hook=found, secret=hooks.rotate(found), is_new=False)


async def pause_hook(request: Request, session: Session, spot: Here, hook_id: UUID) -> Response:
    hooks.pause(await hooks.hook_of(session, spot.place, hook_id))
    return _to(request, spot, "hook", N_("Paused. What happens meanwhile is kept."), hook_id=hook_id)


async def resume_hook(request: Request, session: Session, spot: Here, hook_id: UUID) -> Response:
    await deliveries.resume(session, await hooks.hook_of(session, spot.place, hook_id))
    return _to(request, spot, "hook", N_("It goes on, beginning with what was kept."), hook_id=hook_id)


async def test_hook_here(request: Request, session: Session, spot: Here, hook_id: UUID) -> Response:
    await deliveries.test(session, await hooks.hook_of(session, spot.place, hook_id))
    return _to(request, spot, "hook", N_("A test is on its way. Look again in a moment."), hook_id=hook_id)


async def delete_hook(request: Request, session: Session, person: CurrentPerson, spot: Here, hook_id: UUID) -> Response:
    found = await hooks.hook_of(session, spot.place, hook_id)
    hooks.delete(found, by=person)
    await deliveries.give_up(session, found)
    return _to(request, spot, "programs", N_("The webhook is deleted."))


async def told_delivery(request: Request, session: Session, spot: Here, hook_id: UUID, delivery_id: UUID) -> Response:
    found = await hooks.hook_of(session, spot.place, hook_id)
    told = await deliveries.told(session, found, delivery_id)
    return _page(request, spot, "delivery", hook=found, told=told, trouble_words=TROUBLE_WORDS)


async def replay(request: Request, session: Session, spot: Here, hook_id: UUID, delivery_id: UUID) -> Response:
    found = await hooks.hook_of(session, spot.place, hook_id)
    await deliveries.replay(session, (await deliveries.told(session, found, delivery_id)).delivery)
    words = N_("It is being sent once more. Look again in a moment.")
    return _to(request, spot, "told_delivery", words, hook_id=hook_id, delivery_id=delivery_id)


ROUTES: Final[Sequence[tuple[str, str, Callable[..., Awaitable[Response]]]]] = (
    ("GET", "", programs),
    ("GET", "/tokens/new", new_token),
    ("POST", "/tokens", take_token),
    ("POST", "/tokens/{token_id}/revoke", revoke_token),
    ("GET", "/hooks/new", new_hook),
    ("POST", "/hooks", take_hook),
    ("GET", "/hooks/{hook_id}", hook),
    ("POST", "/hooks/{hook_id}/secret", rotate_hook),
    ("POST", "/hooks/{hook_id}/pause", pause_hook),
    ("POST", "/hooks/{hook_id}/resume", resume_hook),
    ("POST", "/hooks/{hook_id}/test", test_hook_here),
    ("POST", "/hooks/{hook_id}/delete", delete_hook),
    ("GET", "/hooks/{hook_id}/deliveries/{delivery_id}", told_delivery),
    ("POST", "/hooks/{hook_id}/deliveries/{delivery_id}/replay", replay),
)


def _page(request: Request, spot: Spot, name: str, status: int = 200, **context: Any) -> Response:
    more = {
        "spot": spot,
        "layout": spot.layout,
        "scope_words": tokens.SCOPES,
        "event_words": EVENT_WORDS,
        **spot.context,
    }
    return page(request, f"{FOLDER}/{name}.html", status, **more, **context)


def _secret_page(request: Request, spot: Spot, name: str, **context: Any) -> Response:
    """A page that shows a secret once: nobody keeps it, not even the browser."""
    response = _page(request, spot, name, **context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _to(request: Request, spot: Spot, name: str, words: str, **params: Any) -> Response:
    return see_other(request, f"{spot.desk}_{name}", flash=said(words), **spot.words, **params)


def _is_here(token: ApiToken, place: Place) -> bool:
    return (token.group_id, token.center_id) == (place.group_id, place.center_id)
