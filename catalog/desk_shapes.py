"""How a group's own listings look to programs.  Prices are satang per sale unit, amounts thousandths of it."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from app.api.shapes import NotBlank, Sent, Words, example, sent_example, words
from app.forms import Name, Paragraphs
from app.language import Message
from app.money import Satang
from catalog import photos, units
from catalog import wares as ware
from catalog.listings import MILLI, Listing, ListingKind, ListingState
from catalog.photos import Photo, PhotoState
from catalog.seasons import Season
from catalog.stall import Offer, Size
from catalog.wares import Details, Terms
from producers.clusters import Cluster
from producers.groups import Storage

MOST_SATANG: Final = 10**10
MOST_MILLI: Final = 10**9
_VARIANT_ID: Final = "0199b7a6-2f7e-7d53-9f3e-2b0d5d9c7c11"
_NAME: Final = {"th": "ข้าวเม่าสด", "en": "Fresh khao mao"}
_SENT: Final = {
    "name": _NAME,
    "description": {"th": "ทำใหม่ทุกเช้า", "en": None},
    "kind": "goods",
    "category": "snacks-sweets",
    "storage": "ambient",
    "variant": {"unit": {"th": "ถุง 500 ก.", "en": "500 g bag"}, "price_satang": 4500, "net_weight_g": 500},
    "left_milli": 20000,
    "on_sale": True,
}

Unit = Annotated[str, Field(min_length=1, max_length=60)]
Price = Annotated[int, Field(gt=0, le=MOST_SATANG)]
Left = Annotated[int, Field(ge=0, le=MOST_MILLI)]
Month = Annotated[int, Field(ge=1, le=12)]


class NameSent(Sent):
    th: Annotated[Name, Field(min_length=1)]
    en: Annotated[Name | None, NotBlank] = None


class TextSent(Sent):
    th: Annotated[Paragraphs | None, NotBlank] = None
    en: Annotated[Paragraphs | None, NotBlank] = None


class UnitSent(Sent):
    th: Unit
    en: Annotated[Unit | None, NotBlank] = None


class LabelSent(Sent):
    th: Annotated[Unit | None, NotBlank] = None
    en: Annotated[Unit | None, NotBlank] = None


class SeasonSent(Sent):
    """Months 1 to 12; a season may run over the year's end."""

    from_month: Month
    to_month: Month


class VariantSent(Sent):
    """What one of it is and costs."""

    model_config = sent_example({"unit": {"th": "กก.", "en": "kg"}, "price_satang": 8000, "net_weight_g": 1000})

    unit: UnitSent
    label: LabelSent = LabelSent()
    price_satang: Price | None = Field(default=None, description="null: told on asking, cannot be ordered.")
    net_weight_g: Annotated[int, Field(gt=0, le=10**6)] | None = None
    step_milli: Annotated[int, Field(gt=0, le=MOST_MILLI)] = MILLI
    least_milli: Annotated[int, Field(gt=0, le=MOST_MILLI)] | None = None

    def terms(self) -> Terms:
        return Terms(
            unit_th=self.unit.th,
            unit_en=self.unit.en or units.english(self.unit.th),
            price_satang=Satang(self.price_satang) if self.price_satang else None,
            net_weight_g=self.net_weight_g,
            label_th=self.label.th,
            label_en=self.label.en,
            step_milli=self.step_milli,
            least_milli=self.least_milli,
        )


class SizeSent(VariantSent):
    """Another size, with how much there is of it."""

    model_config = sent_example({"unit": {"th": "ถุงใหญ่", "en": "big bag"}, "price_satang": 8000, "left_milli": 5000})

    left_milli: Left = 0


class ListingSent(Sent):
    """A new listing with one size; others are added afterwards."""

    model_config = sent_example(_SENT)

    name: NameSent
    description: TextSent = TextSent()
    kind: ListingKind = ListingKind.goods
    cluster: Cluster | None = Field(default=None, description="Left out: the category's, or the group's own.")
    category: Annotated[str | None, Field(max_length=80)] = None
    storage: Storage = Storage.ambient
    season: SeasonSent | None = None
    stream_id: UUID | None = None
    ref: Annotated[str | None, Field(max_length=120, description="Your own reference.")] = None
    variant: VariantSent
    left_milli: Left = 0
    on_sale: bool = False


class ListingChanged(Sent):
    """What is sent is changed, the rest stays; `season: null` means all year."""

    model_config = sent_example({"name": _NAME, "season": {"from_month": 11, "to_month": 2}})

    name: NameSent | None = None
    description: TextSent | None = None
    category: Annotated[str, Field(max_length=80)] | None = None
    storage: Storage | None = None
    season: SeasonSent | None = None

    @model_validator(mode="after")
    def _something(self) -> "ListingChanged":
        if not self.model_fields_set:
            raise ValueError("nothing to change")
        return self


class PriceSent(Sent):
    model_config = sent_example({"price_satang": 4500})

    price_satang: Price | None = Field(description="null: told on asking, cannot be ordered.")


class LeftSent(Sent):
    """How much more can be bought; with `seen_milli` refused when that is no longer what there is."""

    model_config = sent_example({"left_milli": 20000, "seen_milli": 12000})

    left_milli: Left
    seen_milli: Left | None = None


class PhotoOrder(Sent):
    """All photos of the listing; the first is the cover."""

    model_config = sent_example({"photo_ids": [_VARIANT_ID]})

    photo_ids: Annotated[list[UUID], Field(min_length=1, max_length=photos.MOST_PHOTOS)]


class ReasonTold(BaseModel):
    """Why it cannot be bought, in both languages."""

    th: str
    en: str


class SizeTold(BaseModel):
    id: UUID
    label: Words | None
    unit: Words
    price_satang: int | None
    net_weight_g: int | None
    step_milli: int
    least_milli: int
    left_milli: int
    held_milli: int = Field(description="Kept for buyers who have not paid yet.")


class PhotoTold(BaseModel):
    id: UUID
    state: PhotoState
    alt: Words | None
    why_failed: ReasonTold | None


class OwnListing(BaseModel):
    """A listing as its group sees it."""

    model_config = example(
        {
            "slug": "fresh-khao-mao",
            "ref": None,
            "kind": "goods",
            "state": "on_sale",
            "name": _NAME,
            "description": None,
            "cluster": "processing-marketing",
            "category": "snacks-sweets",
            "storage": "ambient",
            "season": None,
            "stream_id": _VARIANT_ID,
            "changed_at": "2026-11-24T03:00:00Z",
            "why_not_on_sale": [],
            "sizes": [
                {
                    "id": _VARIANT_ID,
                    "label": None,
                    "unit": {"th": "ถุง 500 ก.", "en": "500 g bag"},
                    "price_satang": 4500,
                    "net_weight_g": 500,
                    "step_milli": 1000,
                    "least_milli": 1000,
                    "left_milli": 20000,
                    "held_milli": 2000,
                }
            ],
            "photos": [],
        }
    )

    slug: str
    ref: str | None
    kind: ListingKind
    state: ListingState
    name: Words
    description: Words | None
    cluster: Cluster
    category: str
    storage: Storage
    season: SeasonSent | None
    stream_id: UUID
    changed_at: datetime
    why_not_on_sale: list[ReasonTold]
    sizes: list[SizeTold]
    photos: list[PhotoTold] | None = Field(description="null in lists.")

    def state_text(self) -> str:
        """Everything that its people decide: not what buyers take, nor whether a picture is ready."""
        return self.model_dump_json(
            exclude={
                "sizes": {"__all__": {"left_milli", "held_milli"}},
                "photos": {"__all__": {"state", "why_failed"}},
                "why_not_on_sale": True,
            }
        )


def listing(offer: Offer, pictures: list[Photo] | None) -> OwnListing:
    found = offer.listing
    return OwnListing(
        slug=found.slug,
        ref=found.ref,
        kind=ListingKind(found.kind),
        state=ListingState(found.state),
        name=Words(th=found.name_th, en=found.name_en),
        description=words(found.description_th, found.description_en),
        cluster=Cluster(found.cluster),
        category=found.category,
        storage=Storage(found.storage),
        season=_season(found.season),
        stream_id=found.stream_id,
        changed_at=found.changed_at,
        why_not_on_sale=[_reason(each) for each in offer.why],
        sizes=[_size(each) for each in offer.sizes],
        photos=[_photo(each) for each in pictures] if pictures is not None else None,
    )


def words_of(sent: ListingSent) -> ware.Words:
    return ware.Words(sent.name.th, sent.name.en, sent.description.th, sent.description.en)


def words_changed(found: Listing, sent: ListingChanged) -> ware.Words:
    name = sent.name or NameSent(th=found.name_th, en=found.name_en)
    if sent.description is None:
        return ware.Words(name.th, name.en, found.description_th, found.description_en)
    return ware.Words(name.th, name.en, sent.description.th, sent.description.en)


def details_changed(found: Listing, sent: ListingChanged, cluster: Cluster) -> Details:
    season = _season_of(sent.season) if "season" in sent.model_fields_set else found.season
    return Details(cluster, sent.category or found.category, sent.storage or Storage(found.storage), season)


def details_of(sent: ListingSent, cluster: Cluster) -> Details:
    return Details(cluster, sent.category, sent.storage, _season_of(sent.season))


def _season_of(sent: SeasonSent | None) -> Season | None:
    return Season(sent.from_month, sent.to_month) if sent else None


def _season(season: Season | None) -> SeasonSent | None:
    return SeasonSent(from_month=season.first, to_month=season.last) if season else None


def _size(size: Size) -> SizeTold:
    variant = size.variant
    return SizeTold(
        id=variant.id,
        label=words(variant.label_th, variant.label_en),
        unit=Words(th=variant.unit_th, en=variant.unit_en),
        price_satang=variant.price_satang,
        net_weight_g=variant.net_weight_g,
        step_milli=variant.step_milli,
        least_milli=variant.least_milli,
        left_milli=size.left_milli,
        held_milli=size.held_milli,
    )


def _photo(photo: Photo) -> PhotoTold:
    return PhotoTold(
        id=photo.id,
        state=PhotoState(photo.state),
        alt=words(photo.alt_th, photo.alt_en),
        why_failed=_reason(photo.why_failed) if photo.why_failed else None,
    )


def _reason(message: Message) -> ReasonTold:
    return ReasonTold(th=message.reading("th"), en=message.reading("en"))
