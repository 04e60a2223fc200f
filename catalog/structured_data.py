"""What a page says to machines (schema.org, as JSON-LD): search engines and link previews read it, people never see it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from app.language import Bilingual, Language
from app.settings import settings
from catalog.cards import Availability, Offer
from catalog.display import Display
from catalog.listings import ListingKind
from producers.certificates import Certificate
from producers.groups import Group

CONTEXT: Final = "https://schema.org"

Thing = dict[str, Any]


def graph(*things: Thing) -> Markup:
    """Return things as JSON that is harmless inside a page, whatever people wrote into their texts."""
    return htmlsafe_json_dumps({"@context": CONTEXT, "@graph": things}, ensure_ascii=False, separators=(",", ":"))


def market(name: str, home: str, search: str) -> Thing:
    """The market itself; `search` is the address of its search with {words} in it."""
    return {
        "@type": "WebSite",
        "name": name,
        "url": absolute(home),
        "inLanguage": ["th", "en"],
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": absolute(search)},
            "query-input": "required name=words",
        },
    }


def breadcrumbs(trail: Sequence[tuple[str, str]]) -> Thing:
    """The way from the front page down to this one: names and paths."""
    items = [
        {"@type": "ListItem", "position": place, "name": name, "item": absolute(path)}
        for place, (name, path) in enumerate(trail, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def organization(group: Group, path: str, lang: Language) -> Thing:
    place = group.place
    area = place.province if place else None
    address: Thing = {"@type": "PostalAddress", "addressCountry": "TH"}
    if place and area:
        address["addressLocality"] = Bilingual(place.district.name_th, place.district.name_en).reading(lang)
        address["addressRegion"] = Bilingual(area.name_th, area.name_en).reading(lang)
    return _without_blanks(
        {
            "@type": "Organization",
            "@id": f"{absolute(path)}#group",
            "name": Bilingual(group.name_th, group.name_en).reading(lang),
            "url": absolute(path),
            "description": Bilingual(group.story_th or "", group.story_en).reading(lang),
            "address": address,
        }
    )


def product(shown: Display, path: str, group_path: str, lang: Language) -> Thing:
    """Goods with an offer per variant that has a price; an experience is a trip."""
    listing, group = shown.listing, shown.group
    seller = {
        "@type": "Organization",
        "name": Bilingual(group.name_th, group.name_en).reading(lang),
        "url": absolute(group_path),
    }
    is_trip = listing.kind == ListingKind.experience
    offers = [_offer(shown, offer, path, seller, lang) for offer in shown.offers if offer.variant.price_satang]
    return _without_blanks(
        {
            "@type": "TouristTrip" if is_trip else "Product",
            "@id": f"{absolute(path)}#listing",
            "name": Bilingual(listing.name_th, listing.name_en).reading(lang),
            "description": Bilingual(listing.description_th or listing.name_th, listing.description_en).reading(lang),
            "url": absolute(path),
            "image": [absolute(picture.largest_url) for picture in shown.pictures],
            "offers": offers,
            **({"provider": seller} if is_trip else _goods(shown, seller, lang)),
        }
    )


def absolute(path: str) -> str:
    """An address for the world; files may lie with another host already."""
    return path if path.startswith(("http://", "https://")) else f"{settings().address}{path}"


_AVAILABILITY: Final[Mapping[Availability, str]] = {
    Availability.here: "InStock",
    Availability.sold_out: "OutOfStock",
    Availability.out_of_season: "OutOfStock",
    Availability.on_asking: "PreOrder",
}


def _goods(shown: Display, seller: Thing, lang: Language) -> Thing:
    found = shown.category
    return {
        "sku": shown.listing.slug,
        "brand": {"@type": "Brand", "name": seller["name"]},
        "category": Bilingual(found.name_th, found.name_en).reading(lang) if found else "",
        "countryOfOrigin": {"@type": "Country", "name": "TH"},
        "hasCertification": [_certification(each, lang) for each in shown.certificates],
    }


def _offer(shown: Display, offer: Offer, path: str, seller: Thing, lang: Language) -> Thing:
    variant = offer.variant
    price = f"{variant.price_satang or 0:03}"
    there = shown.availability
    if shown.is_paused or (there is Availability.here and not offer.is_there):
        there = Availability.sold_out
    return {
        "@type": "Offer",
        "name": Bilingual(variant.label_th or variant.unit_th, variant.label_en or variant.unit_en).reading(lang),
        "url": absolute(path),
        "price": f"{price[:-2]}.{price[-2:]}",
        "priceCurrency": "THB",
        "availability": f"{CONTEXT}/{_AVAILABILITY[there]}",
        "itemCondition": f"{CONTEXT}/NewCondition",
        "seller": seller,
    }


def _certification(certificate: Certificate, lang: Language) -> Thing:
    return _without_blanks(
        {
            "@type": "Certification",
            "name": Bilingual(certificate.name_th, certificate.name_en).reading(lang),
            "certificationIdentification": certificate.number,
            "expires": certificate.expires_on.isoformat() if certificate.expires_on else None,
        }
    )


def _without_blanks(thing: Thing) -> Thing:
    return {name: value for name, value in thing.items() if value not in (None, "", [])}
