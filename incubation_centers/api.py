"""A centre's desk for programs: what its groups have to bring, added up, and how they stand against their plans."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import select

from app import clock
from app.api.problems import NoSuchThing
from app.api.route import refuses, room
from app.api.shapes import Slug, Words, example, said
from app.api.tokens import Caller, needs
from app.database import Session
from app.errors import Refusal
from app.language import N_
from incubation_centers import consolidation, rollups
from incubation_centers.consolidation import Demand, GroupDemand, Product, Span
from incubation_centers.rollups import GroupYear, Rollup
from orders.states import DeliveryKind
from producers.centers import Center

router = room("Desk")

MONTHS: Final = 12
_GROUP: Final[dict[str, Any]] = {"slug": "khao-mao-group", "name": {"th": "กลุ่มข้าวเม่า", "en": "Khao Mao Group"}}
Reader = Annotated[Caller, needs("center:read")]
Day = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2100, 1, 1))]


class LastBeforeFirst(Refusal):
    status = 422
    message = N_("The last day comes before the first one. Please choose again.")


class ProductTold(BaseModel):
    """One thing of one group, added up over all open orders."""

    name: Words
    unit: Words
    storage: str
    total_milli: int
    packed_milli: int
    to_gather_milli: int
    wanted_milli: dict[DeliveryKind, int] = Field(description="How much of it has to go where.")
    weight_g: int
    satang: int


class GroupDemandTold(BaseModel):
    slug: str
    name: Words
    products: list[ProductTold]
    satang: int
    weight_g: int


class DemandTold(BaseModel):
    """Everything that a centre's groups have to bring."""

    model_config = example(
        {
            "first": "2026-11-01",
            "last": None,
            "orders": 3,
            "satang": 27000,
            "weight_g": 3000,
            "groups": [
                {
                    **_GROUP,
                    "satang": 27000,
                    "weight_g": 3000,
                    "products": [
                        {
                            "name": {"th": "ข้าวเม่าสด", "en": "Fresh khao mao"},
                            "unit": {"th": "ถุง 500 ก.", "en": "500 g bag"},
                            "storage": "ambient",
                            "total_milli": 6000,
                            "packed_milli": 2000,
                            "to_gather_milli": 4000,
                            "wanted_milli": {"parcel": 6000},
                            "weight_g": 3000,
                            "satang": 27000,
                        }
                    ],
                }
            ],
        }
    )

    first: date | None
    last: date | None
    orders: int
    satang: int
    weight_g: int
    groups: list[GroupDemandTold]


class YearTold(BaseModel):
    """One group's months, in the order of `months`."""

    slug: str
    name: Words
    planned_satang: list[int]
    sold_satang: list[int]
    typed_satang: list[int]


class RevenueTold(BaseModel):
    """Plan beside income, group by group; `elapsed` of the months have begun."""

    model_config = example(
        {
            "months": ["2026-11"],
            "elapsed": 1,
            "groups": [{**_GROUP, "planned_satang": [500000], "sold_satang": [450000], "typed_satang": [0]}],
            "planned_satang": [500000],
            "came_in_satang": [450000],
        }
    )

    months: list[str]
    elapsed: int
    groups: list[YearTold]
    planned_satang: list[int]
    came_in_satang: list[int]


async def _own_center(slug: Slug, session: Session, caller: Reader) -> tuple[Center, Caller]:
    """Dependency: the centre of the address, for its coordinators and for staff."""
    found: Center | None = await session.scalar(
        select(Center).where(Center.slug == slug, caller.scope.of_centers(Center.id))
    )
    if found is None:
        raise NoSuchThing
    return found, caller


Own = Annotated[tuple[Center, Caller], Depends(_own_center, scope="function")]


@router.get("/desk/centers/{slug}/demand", responses=refuses(LastBeforeFirst))
async def show_demand(session: Session, own: Own, first: Day = None, last: Day = None) -> DemandTold:
    """What has to be gathered for open orders placed on these trade days, by group and product."""
    if first and last and first > last:
        raise LastBeforeFirst(field="last")
    center, caller = own
    return _demand(await consolidation.demand(session, caller.scope, center, Span(first, last)))


@router.get("/desk/centers/{slug}/revenue")
async def show_revenue(
    session: Session, own: Own, year: Annotated[int | None, Query(ge=2000, le=2099)] = None
) -> RevenueTold:
    """What the groups earned beside what they planned: the last twelve months, or a calendar year."""
    center, caller = own
    months = clock.months_back(date(year, 12, 1) if year else clock.business_day(), MONTHS)
    return _revenue(await rollups.revenue_against_plan(session, caller.scope, center, months))


def _demand(found: Demand) -> DemandTold:
    return DemandTold(
        first=found.span.first,
        last=found.span.last,
        orders=found.orders,
        satang=found.satang,
        weight_g=found.weight_g,
        groups=[_group(each) for each in found.groups],
    )


def _group(found: GroupDemand) -> GroupDemandTold:
    return GroupDemandTold(
        **_head(found),
        products=[_product(each) for each in found.products],
        satang=found.satang,
        weight_g=found.weight_g,
    )


def _product(found: Product) -> ProductTold:
    return ProductTold(
        name=said(found.name),
        unit=said(found.unit),
        storage=found.storage,
        total_milli=found.total_milli,
        packed_milli=found.packed_milli,
        to_gather_milli=found.to_gather_milli,
        wanted_milli=dict(found.wanted),
        weight_g=found.weight_g,
        satang=found.satang,
    )


def _revenue(found: Rollup) -> RevenueTold:
    return RevenueTold(
        months=[f"{month:%Y-%m}" for month in found.months],
        elapsed=found.elapsed,
        groups=[
            YearTold(
                **_head(each),
                planned_satang=list(each.planned),
                sold_satang=list(each.sold),
                typed_satang=list(each.typed),
            )
            for each in found.groups
        ],
        planned_satang=list(found.planned),
        came_in_satang=list(found.came_in),
    )


def _head(found: GroupDemand | GroupYear) -> dict[str, Any]:
    return {"slug": found.group.slug, "name": Words(th=found.group.name_th, en=found.group.name_en)}
