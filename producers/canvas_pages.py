"""The canvas as people look at it: on a phone, on one A4 page, and opened down to the entries behind a figure.

A group's own people see it, the coordinators of its centre, and staff; only its editors change it (`canvas_desk`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from app import clock, plots
from app.database import Session
from app.errors import NotFound
from app.language import N_
from app.money import Satang
from app.pages import language_of, page
from producers import canvas, journal
from producers.canvas import Canvas, Line
from producers.groups import Group, WatchedGroup
from producers.ledger import EARNED, FEES, REVENUE, Account, Purpose
from producers.notes import Block
from producers.plan import Step

router = APIRouter(prefix="/desk/groups/{slug}/canvas")

LONG = 2000
"""Characters of all notes together from which the printed canvas takes a smaller type."""
OLDEST, NEWEST = date(2000, 1, 1), date(2100, 12, 1)


@dataclass(frozen=True, slots=True)
class Drawer:
    """A figure that opens: its title, and which entries are behind it."""

    title: str
    purposes: Sequence[Purpose] = ()
    account: Account = Account.group
    typed: bool | None = None
    by_month: bool = True
    """Counts the months on show; otherwise everything since the group began."""


MARKET_MONEY = (Purpose.payout, Purpose.collected)
DRAWERS = {
    "income": Drawer(N_("What came in"), REVENUE),
    "sales": Drawer(N_("Sold through the market"), (Purpose.sale, Purpose.refund)),
    "delivery": Drawer(N_("Paid by buyers for delivery"), (Purpose.delivery,)),
    "typed": Drawer(N_("Income typed in"), (Purpose.off_market,)),
    "fees": Drawer(N_("Fees"), FEES),
    "costs": Drawer(N_("Costs typed in"), (Purpose.own_cost,)),
    "earned": Drawer(N_("Earned through the market"), EARNED, by_month=False),
    "paid": Drawer(N_("Received by the group"), MARKET_MONEY, typed=False, by_month=False),
    "owed": Drawer(N_("Account with the market"), (*EARNED, *MARKET_MONEY), typed=False, by_month=False),
    "waiting": Drawer(N_("Paid, waiting to be handed over"), account=Account.deposit, by_month=False),
}


@router.get("")
async def group_canvas(request: Request, session: Session, group: WatchedGroup, until: str = "") -> Response:
    return await _canvas_page(request, session, group, until, "producers/canvas.html")


@router.get("/print")
async def group_canvas_print(request: Request, session: Session, group: WatchedGroup, until: str = "") -> Response:
    return await _canvas_page(request, session, group, until, "producers/canvas_print.html")


@router.get("/entries")
async def canvas_entries(
    request: Request,
    session: Session,
    group: WatchedGroup,
    what: str = "income",
    until: str = "",
    month: str = "",
    stream: UUID | None = None,
    after: str | None = None,
) -> Response:
    drawer = DRAWERS.get(what)
    if drawer is None:
        raise NotFound
    last = month_asked(until)
    shown = await canvas.draw(session, group, last)
    line = _line_of(shown, stream)
    leaf = await journal.leaf(
        session,
        group.id,
        purposes=drawer.purposes,
        account=drawer.account,
        typed=drawer.typed,
        stream_id=stream,
        months=_months(drawer, shown, month),
        after=after,
    )
    return page(
        request,
        "producers/canvas_entries.html",
        group=group,
        drawer=drawer,
        what=what,
        month=_month(month),
        line=line,
        canvas=shown,
        until=last,
        leaf=leaf,
        plot=plot_of(request, shown, line) if line else None,
    )


def month_asked(text: str) -> date:
    """Return the month of "2026-11" (this month for anything else)."""
    return _month(text) or clock.month_of(clock.business_day())


def plot_of(request: Request, shown: Canvas, line: Line | None = None) -> Markup:
    """Draw plan against income by month: of one line, or of all."""
    planned, came_in = (line.planned, line.came_in) if line else (shown.planned, shown.came_in)
    lang = language_of(request)
    return plots.bars_plan_actual(
        [clock.month_label(month, lang) for month in shown.months],
        [Satang(satang) for satang in planned],
        [Satang(satang) if i < shown.elapsed else None for i, satang in enumerate(came_in)],
        lang,
    )


async def _canvas_page(request: Request, session: Session, group: Group, until: str, template: str) -> Response:
    last = month_asked(until)
    shown = await canvas.draw(session, group, last)
    return page(
        request,
        template,
        group=group,
        canvas=shown,
        blocks=list(Block),
        steps=list(Step),
        plot=plot_of(request, shown),
        until=last,
        is_long=shown.written > LONG,
        older=_year_away(last, -1),
        newer=_year_away(last, 1),
    )


def _line_of(shown: Canvas, stream_id: UUID | None) -> Line | None:
    if stream_id is None:
        return None
    found = next((line for line in shown.lines if line.stream and line.stream.id == stream_id), None)
    if found is None:
        raise NotFound
    return found


def _months(drawer: Drawer, shown: Canvas, month: str) -> Sequence[date]:
    if chosen := _month(month):
        return [chosen]
    return shown.months if drawer.by_month else ()


def _month(text: str) -> date | None:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return month if OLDEST <= month <= NEWEST else None


def _year_away(month: date, years: int) -> date:
    return month.replace(year=month.year + years)
