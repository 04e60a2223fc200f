"""How the catalogue looks to programs.  Prices are satang per sale unit, amounts thousandths of it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from app import places
from app.api.shapes import Coded, Slugged, Words, absolute, example, said, words
from app.language import Named
from app.pages import in_language
from app.places import Place, Region
from catalog import renditions
from catalog.cards import Availability, Card, Offer
from catalog.categories import Category
from catalog.display import FEW_MILLI, Display
from catalog.facets import Facets
from catalog.listings import Listing, ListingKind
from catalog.photos import Picture
from catalog.seasons import Season
from producers.centers import Center
from producers.certificates import Certificate, CertificateKind
from producers.fees import FeeKind
from producers.groups import Group, Storage

_KHAO_MAO: Final = {"th": "ข้าวเม่าสด", "en": "Fresh khao mao"}
_GROUP: Final = {"slug": "khao-mao-group", "name": {"th": "กลุ่มข้าวเม่า", "en": "Khao Mao Group"}}
_CENTER: Final = {"slug": "nong-sano", "name": {"th": "ศูนย์บ่มเพาะหนองโสน", "en": "Nong Sano centre"}}
_BAG: Final = {"th": "ถุง 500 ก.", "en": "500 g bag"}
_PICTURE: Final = {
    "alt": _KHAO_MAO,
    "width": 1600,
    "height": 1200,
    "files": [
        {
            "width": 640,
            "avif": "https://market.example/media/photos/0199/640.avif",
            "webp": "https://market.example/media/photos/0199/640.webp",
            "jpeg": "https://market.example/media/photos/0199/640.jpg",
        }
    ],
}
_CARD: Final = {
    "slug": "fresh-khao-mao",
    "url": "https://market.example/listings/fresh-khao-mao",
    "name": _KHAO_MAO,
    "kind": "goods",
    "cluster": "processing-marketing",
    "category": "snacks-sweets",
    "province": "buri-ram",
    "group": _GROUP,
    "availability": "here",
    "price_satang": 4500,
    "unit": _BAG,
    "has_other_prices": False,
    "certificates": ["otop"],
    "picture": _PICTURE,
}
_OPTION: Final = {"code": "snacks-sweets", "name": {"th": "ขนมและของกินเล่น", "en": "Snacks and sweets"}, "count": 12}


class PictureFiles(BaseModel):
    """One width of a picture, in every format."""

    width: int
    avif: str
    webp: str
    jpeg: str


class PictureTold(BaseModel):
    alt: Words
    width: int = Field(description="Pixels of the original; `height` likewise.")
    height: int
    files: list[PictureFiles] = Field(description="Narrow first.")


class ListingCard(BaseModel):
    """A listing at a glance."""

    model_config = example(_CARD)

    slug: str
    url: str = Field(description="Its page for people.")
    name: Words
    kind: ListingKind
    cluster: str
    category: str
    province: str
    group: Slugged
    availability: Availability
    price_satang: int | None = Field(description="The cheapest that can be had, for one unit; null: told on asking.")
    unit: Words | None
    has_other_prices: bool
    certificates: list[CertificateKind] = Field(description="What holds today.")
    picture: PictureTold | None


class OptionTold(BaseModel):
    code: str
    name: Words
    count: int


class FacetsTold(BaseModel):
    """How many listings each other choice would give, by facet."""

    model_config = example({"total": 40, "facets": {"category": [_OPTION]}})

    total: int = Field(description="Listings that fit the whole choice.")
    facets: dict[str, list[OptionTold]]


class VariantTold(BaseModel):
    """What is offered of a listing; `id` is what goes into a basket."""

    id: UUID
    label: Words | None
    unit: Words
    price_satang: int | None = Field(description="For one unit; null: told on asking, and it cannot be ordered.")
    net_weight_g: int | None
    step_milli: int = Field(description="In which steps it is sold.")
    least_milli: int
    is_there: bool
    left_milli: int | None = Field(description="How much is left where it is little; null: plenty.")


class CertificateTold(BaseModel):
    kind: CertificateKind
    name: Words
    number: str | None


class SeasonTold(BaseModel):
    """Months 1 to 12; a season may run over the year's end."""

    from_month: int
    to_month: int


class ParcelTold(BaseModel):
    """A line of the group's parcel table: up to that weight a parcel costs so much."""

    up_to_g: int
    fee_satang: int


class ShareTold(BaseModel):
    kind: FeeKind
    name: Words
    satang: int


class PartsTold(BaseModel):
    """Where each baht of one unit's price goes."""

    price_satang: int
    group_satang: int
    shares: list[ShareTold]


class ListingTold(BaseModel):
    """Everything about one listing."""

    model_config = example(
        {
            "slug": "fresh-khao-mao",
            "url": "https://market.example/listings/fresh-khao-mao",
            "name": _KHAO_MAO,
            "description": {"th": "ตำใหม่ทุกเช้า", "en": "Pounded every morning"},
            "kind": "goods",
            "cluster": "processing-marketing",
            "category": "snacks-sweets",
            "storage": "ambient",
            "province": "buri-ram",
            "group": _GROUP,
            "center": _CENTER,
            "season": None,
            "is_paused": False,
            "can_be_ordered": True,
            "availability": "here",
            "variants": [
                {
                    "id": "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11",
                    "label": None,
                    "unit": _BAG,
                    "price_satang": 4500,
                    "net_weight_g": 500,
                    "step_milli": 1000,
                    "least_milli": 1000,
                    "is_there": True,
                    "left_milli": 4000,
                }
            ],
            "certificates": [{"kind": "otop", "name": {"th": "OTOP 4 ดาว", "en": "OTOP 4 stars"}, "number": "4"}],
            "pictures": [_PICTURE],
            "parcels": [{"up_to_g": 5000, "fee_satang": 6000}],
            "can_be_picked_up": True,
            "takes_cash": True,
            "parts": {
                "price_satang": 4500,
                "group_satang": 4185,
                "shares": [{"kind": "center", "name": {"th": "ศูนย์", "en": "Centre"}, "satang": 315}],
            },
            "changed_at": "2026-11-24T03:00:00Z",
        }
    )

    slug: str
    url: str
    name: Words
    description: Words | None
    kind: ListingKind
    cluster: str
    category: str
    storage: Storage
    province: str
    group: Slugged
    center: Slugged
    season: SeasonTold | None = Field(description="null: all year.")
    is_paused: bool
    can_be_ordered: bool
    availability: Availability
    variants: list[VariantTold] = Field(description="In the group's own order.")
    certificates: list[CertificateTold]
    pictures: list[PictureTold]
    parcels: list[ParcelTold] = Field(description="For things stored like this; empty: it sends none.")
    can_be_picked_up: bool
    takes_cash: bool
    parts: PartsTold | None
    changed_at: datetime


class GroupCard(BaseModel):
    model_config = example(
        {
            **_GROUP,
            "url": "https://market.example/groups/khao-mao-group",
            "cluster": "production",
            "province": "buri-ram",
        }
    )

    slug: str
    url: str
    name: Words
    cluster: str
    province: str


class GroupTold(GroupCard):
    """A group that sells here."""

    model_config = example(
        {
            **_GROUP,
            "url": "https://market.example/groups/khao-mao-group",
            "cluster": "production",
            "province": "buri-ram",
            "story": {"th": "ตำข้าวเม่ามาสามรุ่น", "en": None},
            "center": _CENTER,
            "place": {"th": "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์", "en": "Nong Sano, Nang Rong, Buri Ram"},
            "is_example": False,
            "can_be_picked_up": True,
            "pickup": {"th": "ศาลาหมู่ 3 ทุกวัน", "en": None},
            "takes_cash": True,
            "certificates": [],
            "pictures": [],
        }
    )

    story: Words | None
    center: Slugged
    place: Words | None
    is_example: bool
    can_be_picked_up: bool
    pickup: Words | None = Field(description="Where and when to come.")
    takes_cash: bool
    certificates: list[CertificateTold]
    pictures: list[PictureTold]


class CenterTold(BaseModel):
    """An incubation centre."""

    model_config = example(
        {
            **_CENTER,
            "number": 3,
            "story": None,
            "cluster": "processing-marketing",
            "region": "northeast",
            "province": "buri-ram",
            "place": {"th": "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์", "en": None},
            "latitude": 14.737,
            "longitude": 102.934,
        }
    )

    slug: str
    number: int
    name: Words
    story: Words | None
    cluster: str
    region: str
    province: str
    place: Words
    latitude: float
    longitude: float


class CategoryTold(Coded):
    model_config = example({"code": "snacks-sweets", "name": _OPTION["name"], "cluster": "processing-marketing"})

    cluster: str


class RegionTold(Coded):
    model_config = example(
        {
            "code": "northeast",
            "name": {"th": "ภาคตะวันออกเฉียงเหนือ", "en": "Northeast (Isan)"},
            "provinces": [{"code": "buri-ram", "name": {"th": "บุรีรัมย์", "en": "Buri Ram"}}],
        }
    )

    provinces: list[Coded]


class PlaceTold(BaseModel):
    """A subdistrict: what an address names by its `code`."""

    model_config = example(
        {
            "code": "310427",
            "name": {"th": "ต.หนองโสน อ.นางรอง จ.บุรีรัมย์", "en": "Nong Sano, Nang Rong, Buri Ram"},
            "postcodes": ["31110"],
        }
    )

    code: str = Field(description="Six digits of the Department of Provincial Administration.")
    name: Words
    postcodes: list[str]


def card(found: Card) -> ListingCard:
    first = found.first
    return ListingCard(
        **_head(found.listing),
        group=Slugged(slug=found.seller.slug, name=Words(th=found.seller.name_th, en=found.seller.name_en)),
        availability=found.availability,
        price_satang=first.variant.price_satang if first else None,
        unit=_unit(first) if first else None,
        has_other_prices=found.has_other_prices,
        certificates=list(found.certificates),
        picture=picture(found.picture) if found.picture else None,
    )


def listing(shown: Display) -> ListingTold:
    return ListingTold(
        **_head(shown.listing),
        description=words(shown.listing.description_th, shown.listing.description_en),
        storage=Storage(shown.listing.storage),
        group=Slugged(slug=shown.group.slug, name=Words(th=shown.group.name_th, en=shown.group.name_en)),
        center=Slugged(slug=shown.center.slug, name=Words(th=shown.center.name_th, en=shown.center.name_en)),
        season=_season(shown.listing.season),
        is_paused=shown.is_paused,
        can_be_ordered=shown.can_be_ordered,
        availability=shown.availability,
        variants=[variant(offer) for offer in shown.offers],
        certificates=[certificate(each) for each in shown.certificates],
        pictures=[picture(each) for each in shown.pictures],
        parcels=[ParcelTold(up_to_g=tier.up_to_g, fee_satang=tier.fee_satang) for tier in shown.parcels],
        can_be_picked_up=shown.group.pickup_enabled,
        takes_cash=shown.group.pickup_enabled and shown.group.cash_enabled,
        parts=_parts(shown),
        changed_at=shown.listing.changed_at,
    )


def facets(counted: Facets) -> FacetsTold:
    return FacetsTold(
        total=counted.total,
        facets={
            facet.value: [OptionTold(code=each.code, name=said(each.name), count=each.count) for each in options]
            for facet, options in counted.options.items()
        },
    )


def variant(offer: Offer) -> VariantTold:
    sold = offer.variant
    return VariantTold(
        id=sold.id,
        label=words(sold.label_th, sold.label_en),
        unit=_unit(offer),
        price_satang=sold.price_satang,
        net_weight_g=sold.net_weight_g,
        step_milli=sold.step_milli,
        least_milli=sold.least_milli,
        is_there=offer.is_there,
        left_milli=max(offer.left_milli, 0) if offer.left_milli < FEW_MILLI else None,
    )


def certificate(held: Certificate) -> CertificateTold:
    return CertificateTold(
        kind=CertificateKind(held.kind), name=Words(th=held.name_th, en=held.name_en), number=held.number
    )


def picture(shown: Picture) -> PictureTold:
    return PictureTold(
        alt=said(shown.alt),
        width=shown.width,
        height=shown.height,
        files=[
            PictureFiles(width=width, **{form: absolute(renditions.url(shown.id, width, form)) for form in _FORMS})
            for width in shown.widths
        ],
    )


def group_card(found: Group) -> GroupCard:
    return GroupCard(**_group_head(found))


def group(found: Group, center_of: Center, certificates: list[Certificate], pictures: list[Picture]) -> GroupTold:
    return GroupTold(
        **_group_head(found),
        story=words(found.story_th, found.story_en),
        center=Slugged(slug=center_of.slug, name=Words(th=center_of.name_th, en=center_of.name_en)),
        place=place_words(places.place(found.subdistrict_code)) if found.subdistrict_code else None,
        is_example=found.is_example,
        can_be_picked_up=found.pickup_enabled,
        pickup=words(found.pickup_text_th, found.pickup_text_en) if found.pickup_enabled else None,
        takes_cash=found.pickup_enabled and found.cash_enabled,
        certificates=[certificate(each) for each in certificates],
        pictures=[picture(each) for each in pictures],
    )


def center(found: Center) -> CenterTold:
    return CenterTold(
        slug=found.slug,
        number=found.number,
        name=Words(th=found.name_th, en=found.name_en),
        story=words(found.story_th, found.story_en),
        cluster=found.cluster,
        region=found.region,
        province=_province(found.province_code),
        place=place_words(found.place) or Words(th=found.place_text_th, en=None),
        latitude=found.latitude,
        longitude=found.longitude,
    )


def category(found: Category) -> CategoryTold:
    return CategoryTold(code=found.code, name=Words(th=found.name_th, en=found.name_en), cluster=found.cluster.value)


def cluster(found: Named) -> Coded:
    return Coded(code=found.value, name=Words(th=found.name_th, en=found.name_en))


def region(found: Region) -> RegionTold:
    known = (places.province(code) for code in found.province_codes)
    return RegionTold(
        code=found.id,
        name=Words(th=found.name_th, en=found.name_en),
        provinces=[
            Coded(code=places.province_slug(each), name=Words(th=each.name_th, en=each.name_en))
            for each in known
            if each
        ],
    )


def place(found: Place) -> PlaceTold:
    return PlaceTold(
        code=found.code, name=Words(th=found.line("th"), en=found.line("en")), postcodes=list(found.postcodes)
    )


def place_words(found: Place | None) -> Words | None:
    return Words(th=found.line("th"), en=found.line("en")) if found else None


_FORMS: Final = tuple(renditions.SUFFIXES)


def _head(found: Listing) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "url": absolute(in_language(f"/listings/{found.slug}", "th")),
        "name": Words(th=found.name_th, en=found.name_en),
        "kind": ListingKind(found.kind),
        "cluster": found.cluster,
        "category": found.category,
        "province": _province(found.province_code),
    }


def _group_head(found: Group) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "url": absolute(in_language(f"/groups/{found.slug}", "th")),
        "name": Words(th=found.name_th, en=found.name_en),
        "cluster": found.cluster,
        "province": _province(found.province_code),
    }


def _province(code: str) -> str:
    found = places.province(code)
    return places.province_slug(found) if found else code


def _unit(offer: Offer) -> Words:
    return Words(th=offer.variant.unit_th, en=offer.variant.unit_en)


def _season(season: Season | None) -> SeasonTold | None:
    return SeasonTold(from_month=season.first, to_month=season.last) if season else None


def _parts(shown: Display) -> PartsTold | None:
    if shown.parts is None:
        return None
    return PartsTold(
        price_satang=shown.parts.price_satang,
        group_satang=shown.parts.group_satang,
        shares=[
            ShareTold(kind=share.kind, name=Words(th=share.name_th, en=share.name_en), satang=share.satang)
            for share in shown.parts.shares
        ],
    )
