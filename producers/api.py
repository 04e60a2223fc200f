"""A group's desk for programs: who they are, how goods leave, the canvas and the books behind it.

The same verbs as the pages of `desk`, `canvas_desk` and `canvas_pages`.
"""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from fastapi import Path, Query, Request, Response, Security
from sqlalchemy import select

from app import clock
from app.access import Role
from app.api import paging
from app.api.etags import ChangedMeanwhile, IfMatch, etag_of, refuse_if_changed, tag
from app.api.paging import BrokenCursor, Cursor, Limit, Page
from app.api.route import refuses, room
from app.api.shapes import Words
from app.api.tokens import Caller, allowed
from app.database import Session
from app.money import Satang
from producers import api_shapes as shapes
from producers import canvas, groups, journal, ledger, notes, own_books, plan, streams
from producers.api_places import ForGroup, group_for, watched_group_for
from producers.api_shapes import (
    BalanceTold,
    CanvasTold,
    CostSent,
    DeliveryTold,
    DeskTold,
    EntryTold,
    FactTold,
    IncomeSent,
    MonthText,
    OwnGroupTold,
    PlaceTold,
    PlanSent,
    StoryTold,
    Written,
)
from producers.canvas_pages import DRAWERS
from producers.centers import Center
from producers.groups import Group, Storage
from producers.notes import Block

router = room("Desk")

KEEPS_GOODS: Final = group_for("listings:write", Role.editor)
READS_BOOKS: Final = watched_group_for("money:read")
WRITES_BOOKS: Final = group_for("money:write", Role.editor)
What = Annotated[str, Query(pattern="^(" + "|".join(DRAWERS) + ")$", description="Which figure to open.")]
_BOOKS: Final = refuses(own_books.DayNotYetCome, own_books.DayTooLongAgo, own_books.NothingEarned)


@router.get("/desk")
async def show_desk(session: Session, caller: Annotated[Caller, Security(allowed, scopes=[])]) -> DeskTold:
    """The groups and centres that this token may work for."""
    own = await groups.own_groups(session, caller.scope)
    centers = await session.scalars(select(Center).where(Center.id.in_(caller.scope.centers)).order_by(Center.slug))
    return DeskTold(
        groups=[_place(group, caller.scope.roles[group.id]) for group in own],
        centers=[_place(center, Role.coordinator) for center in centers],
        is_staff=caller.scope.is_staff,
    )


@router.get("/desk/groups/{slug}")
async def show_own_group(response: Response, session: Session, place: Annotated[ForGroup, KEEPS_GOODS]) -> OwnGroupTold:
    """The group's profile and how its goods reach a buyer."""
    told = await _own_group(session, place.group)
    tag(response, _etag(told))
    return told


@router.put("/desk/groups/{slug}/story", responses=refuses(ChangedMeanwhile))
async def tell_story(
    response: Response,
    session: Session,
    place: Annotated[ForGroup, KEEPS_GOODS],
    story: StoryTold,
    if_match: IfMatch = None,
) -> OwnGroupTold:
    """Change what the group's page says; its address stays."""
    await _unchanged(session, place.group, if_match)
    groups.tell_story(place.group, **story.model_dump(), by=place.person)
    return await _told(response, session, place.group)


@router.put(
    "/desk/groups/{slug}/delivery",
    responses=refuses(
        ChangedMeanwhile,
        groups.NoWayOfDelivery,
        groups.ParcelTableMissing,
        groups.PickupPlaceMissing,
        groups.WrongParcelTable,
    ),
)
async def set_delivery(
    response: Response,
    session: Session,
    place: Annotated[ForGroup, KEEPS_GOODS],
    delivery: DeliveryTold,
    if_match: IfMatch = None,
) -> OwnGroupTold:
    """Say how goods reach a buyer, all of it at once: a storage that is left out has no parcel table."""
    await _unchanged(session, place.group, if_match)
    for storage in Storage:
        await groups.set_parcel_tiers(session, place.group, storage, shapes.tiers(delivery, storage))
    ways: dict[str, Any] = delivery.model_dump(exclude={"parcels"})
    await groups.set_delivery(session, place.group, **ways, by=place.person)
    return await _told(response, session, place.group)


@router.get("/desk/groups/{slug}/canvas")
async def show_canvas(
    session: Session, place: Annotated[ForGroup, READS_BOOKS], until: MonthText | None = None
) -> CanvasTold:
    """The nine blocks, and of block 5 plan and income by stream for the twelve months until `until`."""
    return shapes.canvas(await canvas.draw(session, place.group, _month(until)))


@router.put("/desk/groups/{slug}/canvas/notes/{number}", responses=refuses(notes.NoteChanged))
async def write_note(
    session: Session,
    place: Annotated[ForGroup, WRITES_BOOKS],
    number: Annotated[int, Path(ge=1, le=9)],
    written: Written,
) -> CanvasTold:
    """Write a block's words in place of the version that was read; older versions are kept."""
    await notes.write_note(session, place.group.id, Block(number), **written.model_dump(), by=place.person)
    return shapes.canvas(await canvas.draw(session, place.group, _month(None)))


@router.put("/desk/groups/{slug}/canvas/plan")
async def write_plan(session: Session, place: Annotated[ForGroup, WRITES_BOOKS], sent: PlanSent) -> CanvasTold:
    """Plan income by stream and month; older plans are kept."""
    cells = {(cell.stream_id, _month(cell.month)): Satang(cell.satang) for cell in sent.cells}
    await plan.plan_months(session, place.group.id, cells, by=place.person)
    return shapes.canvas(await canvas.draw(session, place.group, _month(None)))


@router.get("/desk/groups/{slug}/canvas/entries", responses=refuses(BrokenCursor))
async def open_figure(
    request: Request,
    response: Response,
    session: Session,
    place: Annotated[ForGroup, READS_BOOKS],
    what: What = "income",
    month: MonthText | None = None,
    stream_id: UUID | None = None,
    limit: Limit = paging.USUAL,
    cursor: Cursor = None,
) -> Page[EntryTold]:
    """The entries behind a figure, the newest first; of one month, or of all time."""
    drawer = DRAWERS[what]
    leaf = await journal.leaf(
        session,
        place.group.id,
        purposes=drawer.purposes,
        account=drawer.account,
        typed=drawer.typed,
        stream_id=stream_id,
        months=[_month(month)] if month else (),
        after=paging.place_of(cursor, str)[0] if cursor else None,
        limit=limit,
    )
    following = paging.written(leaf.cursor) if leaf.cursor else None
    return paging.page(request, response, [shapes.entry(row) for row in leaf.rows], following)


@router.post("/desk/groups/{slug}/canvas/income", status_code=201, responses=_BOOKS)
async def record_income(session: Session, place: Annotated[ForGroup, WRITES_BOOKS], sent: IncomeSent) -> FactTold:
    """Write down income from outside the market."""
    group_id = place.group.id
    stream = (
        await streams.stream_of(session, group_id, sent.stream_id)
        if sent.stream_id
        else await streams.stream_for(session, group_id, sent.kind)
    )
    values: dict[str, Any] = {"day": sent.day, "satang": Satang(sent.satang), "note": sent.note}
    fact = await own_books.record_off_market(
        session, place.group, stream, **values, token=str(uuid4()), by=place.person
    )
    return FactTold(fact_id=fact.id, day=sent.day)


@router.post("/desk/groups/{slug}/canvas/costs", status_code=201, responses=_BOOKS)
async def record_cost(session: Session, place: Annotated[ForGroup, WRITES_BOOKS], sent: CostSent) -> FactTold:
    """Write down a cost that the group paid itself."""
    values: dict[str, Any] = {"day": sent.day, "satang": Satang(sent.satang), "note": sent.note}
    fact = await own_books.record_cost(session, place.group, **values, token=str(uuid4()), by=place.person)
    return FactTold(fact_id=fact.id, day=sent.day)


@router.post("/desk/groups/{slug}/canvas/facts/{fact_id}/take-back", responses=refuses(own_books.NotTyped))
async def take_back_fact(session: Session, place: Annotated[ForGroup, WRITES_BOOKS], fact_id: UUID) -> FactTold:
    """Put something that was typed in right by its opposite; both stay in the books."""
    fact = await own_books.take_back(session, place.group, fact_id, by=place.person)
    return FactTold(fact_id=fact.id, day=clock.business_day())


@router.get("/desk/groups/{slug}/balance")
async def show_balance(session: Session, place: Annotated[ForGroup, READS_BOOKS]) -> BalanceTold:
    """Where the group stands with the market."""
    return shapes.balance(await ledger.balance_of_group(session, place.group.id))


def _place(place: Group | Center, role: str) -> PlaceTold:
    return PlaceTold(slug=place.slug, name=Words(th=place.name_th, en=place.name_en), role=role)


def _month(text: str | None) -> date:
    return date.fromisoformat(f"{text}-01") if text else clock.month_of(clock.business_day())


async def _own_group(session: Session, group: Group) -> OwnGroupTold:
    tables = await groups.parcel_tiers(session, [group.id])
    return shapes.own_group(group, {storage: tiers for (_, storage), tiers in tables.items()})


async def _unchanged(session: Session, group: Group, if_match: str | None) -> None:
    """Lock the group and see that it is what the caller read."""
    await session.refresh(group, with_for_update={"key_share": True})
    refuse_if_changed(if_match, _etag(await _own_group(session, group)))


async def _told(response: Response, session: Session, group: Group) -> OwnGroupTold:
    await session.flush()
    told = await _own_group(session, group)
    tag(response, _etag(told))
    return told


def _etag(told: OwnGroupTold) -> str:
    return etag_of(told.model_dump_json())
