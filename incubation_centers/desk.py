"""The coordinator's desk: what to gather today, the whole demand, and how the groups stand against their plans."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from markupsafe import Markup
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, plots, trail
from app.access import CurrentScope, Scope
from app.database import Session
from app.forms import Day, Form, query_form
from app.language import N_, Language, translate
from app.money import Satang, baht
from app.pages import language_of, page, see_other
from app.plots import Row
from app.trail import Sight
from incubation_centers import consolidation, demand_sheet, rollups
from incubation_centers.consolidation import Demand, Span
from incubation_centers.own_center import OwnCenter
from incubation_centers.rollups import Rollup
from orders import slips
from orders.delivery import NAMES
from producers.centers import Center

router = APIRouter(prefix="/desk/centers/{slug}")

MOST_BARS: Final = 10
MONTHS: Final = 12


class SpanForm(BaseModel):
    first: Day | None = None
    last: Day | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The days a coordinator asked for, as typed and as understood (everything, while they make no sense)."""

    form: Form[SpanForm]
    span: Span

    @property
    def query(self) -> dict[str, str]:
        """What a link needs to ask for the same days."""
        return {name: day.isoformat() for name, day in zip(("first", "last"), self.span, strict=True) if day}


@router.get("")
async def center_desk(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    """Today first: what to gather, and money that waits for a look."""
    wanted = await consolidation.demand(session, scope, center)
    return await desk_page(
        request,
        session,
        scope,
        center,
        "home",
        demand=wanted,
        unpaid=await consolidation.unpaid_count(session, scope, center),
        plot=_demand_plot(wanted, language_of(request)),
    )


@router.get("/demand")
async def center_demand(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    asked = _asked(request)
    return await desk_page(
        request,
        session,
        scope,
        center,
        "demand",
        200 if asked.form.ok else 422,
        **await _shown(session, scope, center, asked),
    )


@router.get("/demand/print")
async def center_demand_print(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    asked = _asked(request)
    if not asked.form.ok:
        return _ask_again(request, center, asked)
    trail.saw(request, Sight.sheet)
    shown = await _shown(session, scope, center, asked)
    days = demand_sheet.days_in_words(shown["asked"].span, language_of(request))
    return page(
        request, "incubation_centers/demand_print.html", center=center, days=days, delivery_names=NAMES, **shown
    )


@router.get("/demand.xlsx")
async def center_demand_xlsx(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    asked = _asked(request)
    if not asked.form.ok:
        return _ask_again(request, center, asked)
    trail.saw(request, Sight.sheet)
    span = asked.span
    wanted = await consolidation.demand(session, scope, center, span)
    lines = await consolidation.demand_lines(session, scope, center, span)
    # Writing takes processor time by the line, so others are served meanwhile.
    book = await asyncio.to_thread(demand_sheet.workbook, center, wanted, lines, language_of(request))
    name = demand_sheet.file_name(center, clock.business_day())
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(book, media_type=demand_sheet.MEDIA_TYPE, headers=headers)


@router.get("/revenue")
async def center_revenue(
    request: Request, session: Session, scope: CurrentScope, center: OwnCenter, year: str = ""
) -> Response:
    """The last twelve months, or a calendar year (`?year=2026`)."""
    this_year = clock.business_day().year
    chosen = int(year) if year in {str(this_year), str(this_year - 1)} else None
    months = clock.months_back(date(chosen, 12, 1) if chosen else clock.business_day(), MONTHS)
    found = await rollups.revenue_against_plan(session, scope, center, months)
    return await desk_page(
        request,
        session,
        scope,
        center,
        "revenue",
        rollup=found,
        plot=_plan_plot(found, language_of(request)),
        chosen=chosen,
        years=[this_year, this_year - 1],
    )


async def desk_page(
    request: Request,
    session: AsyncSession,
    scope: Scope,
    center: Center,
    name: str,
    status: int = 200,
    **context: Any,
) -> Response:
    """Render a page of this desk; its navigation counts the slips that wait."""
    return page(
        request,
        f"incubation_centers/{name}.html",
        status,
        center=center,
        slips_waiting=await slips.waiting_count_of(session, scope, center.id),
        delivery_names=NAMES,
        **context,
    )


async def _shown(session: AsyncSession, scope: Scope, center: Center, asked: Asked) -> dict[str, Any]:
    wanted = await consolidation.demand(session, scope, center, asked.span)
    return {"demand": wanted, "asked": asked, "form": asked.form}


def _ask_again(request: Request, center: Center, asked: Asked) -> Response:
    """A sheet of other days than were asked for would be believed: the page says what is wrong with them."""
    return see_other(
        request, "center_demand", slug=center.slug, first=asked.form.raw("first"), last=asked.form.raw("last")
    )


def _asked(request: Request) -> Asked:
    form = query_form(request, SpanForm)
    if not form.ok:
        return Asked(form, Span())
    span = Span(form.values.first, form.values.last)
    if span.first and span.last and span.first > span.last:
        form.error("last", N_("The last day comes before the first one. Please choose again."))
        return Asked(form, Span())
    return Asked(form, span)


def _demand_plot(wanted: Demand, lang: Language) -> Markup:
    """What is wanted most, by its worth: kilos and jars cannot be compared, baht can."""
    products = sorted(wanted.products, key=lambda product: -product.satang)[:MOST_BARS]
    rows = [Row(product.name.reading(lang), product.satang, baht(product.satang, lang)) for product in products]
    return plots.bars_horizontal(rows, translate(lang, N_("What is wanted most")))


def _plan_plot(found: Rollup, lang: Language) -> Markup:
    return plots.bars_plan_actual(
        [clock.month_label(month, lang) for month in found.months],
        _satang(found.planned),
        [satang if i < found.elapsed else None for i, satang in enumerate(_satang(found.came_in))],
        lang,
    )


def _satang(amounts: Sequence[int]) -> list[Satang]:
    return [Satang(amount) for amount in amounts]
