"""The stock: centres, groups, goods, certificates and rules of the demo, read from the tables beside this module.

The centres are those of the source, in its own words.  Every group and every certificate is invented and says so.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock, places
from app.clock import FrozenClock
from app.demo.cast import Cast, Casting, Member
from app.money import Satang
from app.people import Person
from app.thai_order import sort_key
from catalog import listings, wares
from catalog.listings import Listing, ListingKind, Variant
from catalog.seasons import Season
from catalog.wares import Details, Terms, Words
from producers import certificates, fees, groups, streams
from producers.centers import Center
from producers.certificates import CertificateKind
from producers.clusters import Cluster
from producers.fees import FeeKind
from producers.groups import Group, Storage, Tier
from producers.streams import StreamKind

HERE: Final = Path(__file__).parent
PROMPTPAY_ID: Final = "0994000000000"
"""Thirteen digits like a tax number, with a wrong check digit: no bank will ever find such an account."""
#: Centres and groups that receive money themselves, with ids that cannot exist either.
OWN_ACCOUNTS: Final = {
    "khao-mai-kaeo": "0994000000018",
    "ban-chamrung": "0994000000026",
    "nong-sano": "0994000000034",
    "2b": "0994000000042",
    "6b": "0994000000051",
    "9b": "0994000000069",
}
EXAMPLE: Final = ("(ตัวอย่าง)", "(example)")
NOT_REAL: Final = "ตัวอย่าง ไม่ใช่ใบรับรองจริง"

Row = Mapping[str, str]
ParcelTables = Mapping[tuple[UUID, Storage], Sequence[Tier]]


def _tiers(*pairs: tuple[int, int]) -> list[Tier]:
    """Kilograms and baht."""
    return [Tier(kilos * 1000, Satang(baht * 100)) for kilos, baht in pairs]


PARCELS: Final = {
    Storage.ambient: _tiers((1, 45), (3, 65), (5, 90), (10, 140), (20, 220)),
    Storage.chilled: _tiers((1, 120), (3, 160), (5, 210), (10, 320)),
}
PLENTY: Final = 1_000_000_000
"""What there is of everything while the past is played, in thousandths; the amounts of today are set afterwards."""


@dataclass(frozen=True, slots=True)
class DemoGroup:
    code: str
    group: Group
    owner: Person


@dataclass(frozen=True, slots=True)
class Ware:
    """A listing with its one variant, and what the year needs to know of it."""

    number: int
    code: str
    listing: Listing
    variant: Variant
    stock: int
    demand: int
    """How much it is liked, 0 (cannot be ordered yet) to 10."""

    @property
    def season(self) -> Season | None:
        return self.listing.season

    @property
    def price_satang(self) -> Satang:
        assert self.variant.price_satang is not None
        return self.variant.price_satang


@dataclass(frozen=True, slots=True)
class Stock:
    cast: Cast
    centers: Mapping[UUID, Center]
    groups: Mapping[str, DemoGroup]
    wares: Mapping[int, Ware]
    parcel_tables: ParcelTables


def rows(name: str) -> Iterator[Row]:
    with (HERE / name).open(encoding="utf8", newline="") as file:
        yield from csv.DictReader(file)


async def lay_out(session: AsyncSession, casting: Casting, hands: FrozenClock) -> Stock:
    """Stock the market at the moment where the clock stands; the listings follow hour by hour."""
    staff = await casting.staff()
    await _set_fees(session, staff)
    centers = {int(row["number"]): await _center(session, row) for row in rows("centers.csv")}
    coordinators = {
        center.id: await casting.coordinator(center.slug, center.number, center.id) for center in centers.values()
    }
    found = [await _group(session, casting, row, centers, staff) for row in rows("groups.csv")]
    packers = {each.group.id: await casting.packer(each.code, each.group.id) for each in found}
    by_code = {each.code: each for each in found}
    wares_there = [await _ware(session, row, by_code[row["group"]], hands) for row in rows("listings.csv")]
    by_number = {ware.number: ware for ware in wares_there}
    await _certify(session, by_code, by_number, staff)
    cast = Cast(
        staff=await casting.member(staff),
        coordinators=await _members(casting, coordinators.items()),
        owners=await _members(casting, ((each.group.id, each.owner) for each in found)),
        packers=await _members(casting, packers.items()),
    )
    tables = await groups.parcel_tiers(session, [each.group.id for each in found])
    return Stock(cast, {center.id: center for center in centers.values()}, by_code, by_number, tables)


async def _members(casting: Casting, people: Iterable[tuple[UUID, Person]]) -> dict[UUID, Member]:
    return {place_id: await casting.member(person) for place_id, person in people}


async def _set_fees(session: AsyncSession, staff: Person) -> None:
    rules = (
        ("center", FeeKind.center, "ค่าดำเนินงานของศูนย์บ่มเพาะ", "Incubation centre", 500, None),
        ("fund", FeeKind.fund, "กองทุนชุมชน", "Community fund", 200, None),
        ("provider-promptpay", FeeKind.provider, "ค่าธรรมเนียมพร้อมเพย์", "PromptPay fee", 0, "promptpay"),
    )
    for code, kind, name_th, name_en, points, method in rules:
        await fees.start_rule(
            session,
            code,
            kind,
            name_th=name_th,
            name_en=name_en,
            basis_points=points,
            payment_method=method,
            by=staff,
        )


async def _center(session: AsyncSession, row: Row) -> Center:
    account = OWN_ACCOUNTS.get(row["slug"])
    center = Center(
        number=int(row["number"]),
        slug=row["slug"],
        name_th=row["name_th"],
        name_en=row["name_en"],
        story_th=row["story_th"],
        story_en=row["story_en"],
        cluster=Cluster(row["cluster"]),
        region=row["region"],
        province_code=row["province_code"],
        district_code=row["district_code"] or None,
        subdistrict_code=row["subdistrict_code"] or None,
        postcode=row["postcode"] or None,
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        place_text_th=_place_text(row),
        place_verified=row["place_verified"] == "true",
        promptpay_id=account,
        promptpay_name=f"{row['name_th']} {EXAMPLE[0]}" if account else None,
        sort_key=sort_key(row["name_th"]),
    )
    session.add(center)
    await session.flush()
    return center


def _place_text(row: Row) -> str:
    is_bangkok = row["province_code"] == places.BANGKOK
    tambon = row["tambon_th"] and f"ต.{row['tambon_th']}"
    amphoe = row["amphoe_th"] and (row["amphoe_th"] if is_bangkok else f"อ.{row['amphoe_th']}")
    province = row["province_th"] if is_bangkok else f"จ.{row['province_th']}"
    return " ".join(filter(None, (tambon, amphoe, province)))


async def _group(
    session: AsyncSession, casting: Casting, row: Row, centers: Mapping[int, Center], staff: Person
) -> DemoGroup:
    place = places.place(row["subdistrict_code"])
    assert place is not None
    owner = await casting.owner(row["code"])
    group = await groups.apply_to_sell(
        session,
        owner,
        name_th=row["name_th"],
        name_en=row["name_en"],
        center_id=centers[int(row["center"])].id,
        cluster=Cluster(row["cluster"]),
        place=place,
        address_line=row["address_line"],
        phone=owner.phone,
    )
    group.is_example = True
    _tell(group, row, owner)
    if account := OWN_ACCOUNTS.get(row["code"]):
        groups.set_promptpay(group, account, f"{row['name_th']} {EXAMPLE[0]}", by=owner)
    await _set_delivery(session, group, row, owner)
    groups.approve(group, by=staff)
    return DemoGroup(row["code"], group, owner)


def _tell(group: Group, row: Row, owner: Person) -> None:
    """Mark the name as an example only now, so that it does not stand in the address."""
    groups.tell_story(
        group,
        name_th=f"{row['name_th']} {EXAMPLE[0]}",
        name_en=f"{row['name_en']} {EXAMPLE[1]}",
        story_th=row["story_th"],
        story_en=row["story_en"],
        phone=group.phone,
        address_line=group.address_line,
        registration_no=None,
        by=owner,
    )


async def _set_delivery(session: AsyncSession, group: Group, row: Row, owner: Person) -> None:
    storages = [Storage(name) for name in row["parcels"].split()]
    for storage in storages:
        await groups.set_parcel_tiers(session, group, storage, PARCELS[storage])
    await groups.set_delivery(
        session,
        group,
        parcel_enabled=bool(storages),
        pickup_enabled=True,
        cash_enabled=row["cash"] == "yes",
        pickup_text_th=row["pickup_th"],
        pickup_text_en=row["pickup_en"],
        by=owner,
    )


async def _ware(session: AsyncSession, row: Row, own: DemoGroup, hands: FrozenClock) -> Ware:
    hands.jump(timedelta(hours=1))
    kind = ListingKind(row["kind"])
    listing = await wares.offer(
        session,
        own.group,
        Words(row["name_th"], row["name_en"], row["description_th"], row["description_en"]),
        Details(Cluster(row["cluster"]), row["category"], Storage(row["storage"]), _season(row)),
        _terms(row),
        PLENTY if kind is ListingKind.goods else 0,
        kind=kind,
        stream=await streams.stream_for(session, own.group.id, StreamKind(row["stream"])),
        by=own.owner,
    )
    await listings.put_on_sale(session, listing, by=own.owner)
    (variant,) = await listings.variants_of(session, listing.id)
    return Ware(
        number=int(row["number"]),
        code=own.code,
        listing=listing,
        variant=variant,
        stock=int(row["stock"]),
        demand=int(row["demand"]),
    )


def _season(row: Row) -> Season | None:
    if not row["season_from_month"]:
        return None
    return Season(int(row["season_from_month"]), int(row["season_to_month"]))


def _terms(row: Row) -> Terms:
    return Terms(
        unit_th=row["unit_th"],
        unit_en=row["unit_en"],
        price_satang=Satang(int(row["price_satang"])),
        net_weight_g=int(row["net_weight_g"]) if row["net_weight_g"] else None,
        step_milli=int(row["step_milli"]),
        least_milli=int(row["least_milli"]),
    )


async def _certify(
    session: AsyncSession, by_code: Mapping[str, DemoGroup], by_number: Mapping[int, Ware], staff: Person
) -> None:
    spoken_for: dict[int, list[UUID]] = {}
    for row in rows("certificates.csv"):
        own = by_code[row["group"]]
        issued_on, expires_on = _validity(row)
        certificate = await certificates.add(
            session,
            own.group,
            CertificateKind(row["kind"]),
            number=row["number"] or None,
            detail=row["detail"] or None,
            issuer=NOT_REAL,
            issued_on=issued_on,
            expires_on=expires_on,
            by=own.owner,
        )
        certificates.verify(certificate, by=staff)
        for typed in row["listings"].split():
            spoken_for.setdefault(int(typed), []).append(certificate.id)
    for number, certificate_ids in spoken_for.items():
        ware = by_number[number]
        await listings.certify(session, ware.listing, certificate_ids, by=by_code[ware.code].owner)


def _validity(row: Row) -> tuple[date, date | None]:
    """Months are counted from today's end of the demo's year, so that what should have run out has."""
    today = clock.business_day() + timedelta(days=365)
    issued_on = today - timedelta(days=30 * int(row["issued_months_ago"]))
    lasts = timedelta(days=30 * int(row["lasts_months"])) if row["lasts_months"] else None
    return issued_on, issued_on + lasts if lasts else None
