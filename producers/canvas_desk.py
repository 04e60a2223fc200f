"""Changing the canvas: its words, the plan, income and costs from outside the market, the lines of income."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from app import clock, money
from app.access import CurrentPerson
from app.database import Session
from app.errors import NotFound, Refusal
from app.forms import Baht, Day, Form, Line, Name, NotWhole, read_form
from app.language import N_
from app.money import Satang
from app.pages import language_of, page, said, see_other
from producers import notes, own_books, plan, streams
from producers.groups import EditedGroup, Group
from producers.notes import Block
from producers.plan import Cell, Step
from producers.streams import Stream, StreamKind

router = APIRouter(prefix="/desk/groups/{slug}/canvas")

MOST_WORDS = 400
"""Characters of a note in each language: nine of them fit on one A4 page."""
FIRST_YEAR, LAST_YEAR = 2000, 2100

Words = Annotated[str, StringConstraints(max_length=MOST_WORDS)]


class NoteForm(BaseModel):
    text_th: Words | None = None
    text_en: Words | None = None
    seen_version: Annotated[int, Field(ge=0)] = 0


class PlanForm(BaseModel):
    """The cells themselves are named by stream and month; see `_cell_name`."""


class OffMarketForm(BaseModel):
    day: Day
    satang: Baht
    stream: str
    """A stream's id, or a kind the group has no stream of yet."""
    note: Line | None = None
    token: UUID


class CostForm(BaseModel):
    day: Day
    satang: Baht
    note: Line
    token: UUID


class StreamForm(BaseModel):
    kind: StreamKind
    name_th: Name
    name_en: Name | None = None


class RenameForm(BaseModel):
    name_th: Name
    name_en: Name | None = None


class StepForm(BaseModel):
    step: Annotated[int, Field(ge=1, le=4)]


@router.get("/notes/{number}")
async def canvas_note(request: Request, session: Session, group: EditedGroup, number: int) -> Response:
    found = _block(number)
    note = (await notes.notes_now(session, group.id)).get(found)
    form: Form[NoteForm] = Form.empty(
        text_th=note.text_th if note else None,
        text_en=note.text_en if note else None,
        seen_version=note.version if note else 0,
    )
    return await _note_page(request, session, group, found, form)


@router.post("/notes/{number}")
async def take_canvas_note(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, number: int
) -> Response:
    found = _block(number)
    form = await read_form(request, NoteForm)
    if form.ok:
        try:
            values = form.values
            await notes.write_note(
                session,
                group.id,
                found,
                text_th=values.text_th,
                text_en=values.text_en,
                seen_version=values.seen_version,
                by=person,
            )
            return _to_canvas(request, group, N_("Your words are on the canvas."))
        except Refusal as refusal:
            form.refuse(refusal)
    return await _note_page(request, session, group, found, form, 422)


@router.get("/plan")
async def canvas_plan(request: Request, session: Session, group: EditedGroup, year: int = 0) -> Response:
    months = _months_of(year)
    return await _plan_page(request, session, group, months, await _kept_plan(session, group, months))


@router.post("/plan")
async def take_canvas_plan(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, year: int = 0
) -> Response:
    months = _months_of(year)
    form = await read_form(request, PlanForm)
    if not form.is_whole:
        form = await _kept_plan(session, group, months)
        form.refuse(NotWhole())
        return await _plan_page(request, session, group, months, form, 422)
    open_streams = await _open_streams(session, group)
    amounts = dict(_read_cells(form, open_streams, months))
    if form.errors:
        return await _plan_page(request, session, group, months, form, 422)
    await plan.plan_months(session, group.id, amounts, by=person)
    return _to_canvas(request, group, N_("Your plan is kept."))


@router.get("/off-market")
async def off_market(request: Request, session: Session, group: EditedGroup) -> Response:
    form: Form[OffMarketForm] = Form.empty(day=clock.business_day(), token=uuid4(), stream=StreamKind.market_stall)
    return await _off_market_page(request, session, group, form)


@router.post("/off-market")
async def take_off_market(request: Request, session: Session, group: EditedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, OffMarketForm)
    if form.ok:
        try:
            values = form.values
            async with session.begin_nested():  # a refused day must not leave a new line of income behind
                stream = await _chosen_stream(session, group, values.stream)
                await own_books.record_off_market(
                    session,
                    group,
                    stream,
                    day=values.day,
                    satang=values.satang,
                    token=str(values.token),
                    note=values.note,
                    by=person,
                )
            return _to_canvas(request, group, N_("Written down. It stands in block 5, marked as typed in."))
        except Refusal as refusal:
            form.refuse(refusal)
    return await _off_market_page(request, session, group, form, 422)


@router.get("/costs")
async def own_cost(request: Request, group: EditedGroup) -> Response:
    form: Form[CostForm] = Form.empty(day=clock.business_day(), token=uuid4())
    return page(request, "producers/own_cost.html", group=group, form=form)


@router.post("/costs")
async def take_own_cost(request: Request, session: Session, group: EditedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, CostForm)
    if form.ok:
        try:
            values = form.values
            await own_books.record_cost(
                session,
                group,
                day=values.day,
                satang=values.satang,
                token=str(values.token),
                note=values.note,
                by=person,
            )
            return _to_canvas(request, group, N_("Written down. It stands in block 9."))
        except Refusal as refusal:
            form.refuse(refusal)
    return page(request, "producers/own_cost.html", 422, group=group, form=form)


@router.post("/entries/{fact_id}/take-back")
async def take_back_entry(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, fact_id: UUID
) -> Response:
    fact = await own_books.take_back(session, group, fact_id, by=person)
    what = "costs" if fact.kind.startswith("own_cost") else "typed"
    taken = said(N_("Taken back. Both lines stay in the books."))
    return see_other(request, "canvas_entries", slug=group.slug, what=what, flash=taken)


@router.get("/streams")
async def canvas_streams(request: Request, session: Session, group: EditedGroup) -> Response:
    return await _streams_page(request, session, group, Form[StreamForm].empty())


@router.post("/streams")
async def take_canvas_stream(request: Request, session: Session, group: EditedGroup) -> Response:
    form = await read_form(request, StreamForm)
    if form.ok:
        values = form.values
        await streams.open_stream(session, group.id, values.kind, values.name_th, values.name_en)
        added = said(N_("The line of income is added."))
        return see_other(request, "canvas_streams", slug=group.slug, flash=added)
    return await _streams_page(request, session, group, form, 422)


@router.post("/streams/{stream_id}")
async def rename_stream(request: Request, session: Session, group: EditedGroup, stream_id: UUID) -> Response:
    stream = await streams.stream_of(session, group.id, stream_id)
    form = await read_form(request, RenameForm)
    if form.ok:
        streams.rename(stream, form.values.name_th, form.values.name_en)
        return see_other(request, "canvas_streams", slug=group.slug, flash=said(N_("The new name is kept.")))
    return await _streams_page(request, session, group, Form[StreamForm].empty(), 422, renamed=(stream.id, form))


@router.post("/streams/{stream_id}/close")
async def close_stream(request: Request, session: Session, group: EditedGroup, stream_id: UUID) -> Response:
    streams.close(await streams.stream_of(session, group.id, stream_id))
    closed = said(N_("This line is closed. What it earned stays on the canvas."))
    return see_other(request, "canvas_streams", slug=group.slug, flash=closed)


@router.post("/step")
async def take_plan_step(request: Request, session: Session, group: EditedGroup, person: CurrentPerson) -> Response:
    form = await read_form(request, StepForm)
    if not form.ok:
        raise NotFound
    await plan.reach_step(session, group.id, Step(form.values.step), by=person)
    return _to_canvas(request, group, N_("Kept. Well done for coming this far."))


def _block(number: int) -> Block:
    try:
        return Block(number)
    except ValueError:
        raise NotFound from None


async def _note_page(
    request: Request, session: Session, group: Group, block: Block, form: Form[NoteForm], status: int = 200
) -> Response:
    versions = await notes.versions_of(session, group.id, block)
    return page(
        request,
        "producers/canvas_note.html",
        status,
        group=group,
        part=block,
        form=form,
        versions=versions,
        newest=versions[0][0].version if versions else 0,
        most=MOST_WORDS,
    )


def _months_of(year: int) -> list[date]:
    """The twelve months of a calendar year (this year for 0); refuses years no plan reaches."""
    year = year or clock.business_day().year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound
    return [date(year, month, 1) for month in range(1, 13)]


async def _kept_plan(session: Session, group: Group, months: Sequence[date]) -> Form[PlanForm]:
    planned = await plan.plan_of(session, group.id, months)
    typed = {_cell_name(cell): money.baht(satang).removeprefix("฿") for cell, satang in planned.items()}
    return Form.empty(**typed)


async def _plan_page(
    request: Request,
    session: Session,
    group: Group,
    months: Sequence[date],
    form: Form[PlanForm],
    status: int = 200,
) -> Response:
    return page(
        request,
        "producers/canvas_plan.html",
        status,
        group=group,
        form=form,
        months=months,
        year=months[0].year,
        year_words=str(months[0].year + (clock.BUDDHIST_ERA if language_of(request) == "th" else 0)),
        streams=await _open_streams(session, group),
        cell_name=lambda stream, month: _cell_name((stream.id, month)),
        every_name=_every_name,
    )


def _read_cells(
    form: Form[PlanForm], open_streams: Sequence[Stream], months: Sequence[date]
) -> Iterator[tuple[Cell, Satang]]:
    """Read the typed cells; a blank one takes the line's amount for every month, or is no plan."""
    for stream in open_streams:
        every = _read_amount(form, _every_name(stream)) or Satang(0)
        for month in months:
            cell = (stream.id, month)
            typed = _read_amount(form, _cell_name(cell))
            yield cell, every if typed is None else typed


def _read_amount(form: Form[PlanForm], name: str) -> Satang | None:
    typed = form.raw(name).strip()
    if not typed:
        return None
    try:
        return money.parse_baht(typed)
    except ValueError:
        form.error(name, N_("Please write an amount in baht, such as 45 or 45.50."))
        return None


def _cell_name(cell: Cell) -> str:
    return f"plan-{cell[0]}-{cell[1]:%Y-%m}"


def _every_name(stream: Stream) -> str:
    return f"every-{stream.id}"


async def _open_streams(session: Session, group: Group) -> list[Stream]:
    return [stream for stream in await streams.streams_of(session, group.id) if stream.closed_at is None]


async def _off_market_page(
    request: Request, session: Session, group: Group, form: Form[OffMarketForm], status: int = 200
) -> Response:
    open_streams = await _open_streams(session, group)
    known = {StreamKind(stream.kind) for stream in open_streams}
    return page(
        request,
        "producers/off_market.html",
        status,
        group=group,
        form=form,
        streams=open_streams,
        kinds=[kind for kind in StreamKind if kind not in known],
    )


async def _chosen_stream(session: Session, group: Group, chosen: str) -> Stream:
    if chosen in list(StreamKind):
        return await streams.stream_for(session, group.id, StreamKind(chosen))
    try:
        return await streams.stream_of(session, group.id, UUID(chosen))
    except ValueError:
        raise NotFound from None


async def _streams_page(
    request: Request,
    session: Session,
    group: Group,
    form: Form[StreamForm],
    status: int = 200,
    renamed: tuple[UUID, Form[RenameForm]] | None = None,
) -> Response:
    rows = [
        (stream, renamed[1] if renamed and renamed[0] == stream.id else _rename_form(stream))
        for stream in await streams.streams_of(session, group.id)
    ]
    return page(
        request, "producers/canvas_streams.html", status, group=group, form=form, rows=rows, kinds=list(StreamKind)
    )


def _rename_form(stream: Stream) -> Form[RenameForm]:
    return Form.empty(name_th=stream.name_th, name_en=stream.name_en)


def _to_canvas(request: Request, group: Group, message: str) -> Response:
    return see_other(request, "group_canvas", slug=group.slug, flash=said(message))
