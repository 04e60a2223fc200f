"""An address in Thailand: street line typed, place chosen by postcode or by the first letters of the tambon.

With JavaScript the choice appears while typing; without it the form comes back once with the places to choose from.
Both fill the same field, `subdistrict_code`, which alone decides tambon, amphoe and province.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from app import places
from app.forms import Form, Line, Name
from app.language import N_
from app.places import Place

MOST_CHOICES = 40

router = APIRouter()


class AddressFields(BaseModel):
    """What an address form asks for; add it to a form's model by inheritance."""

    address_line: Line | None = None
    """House number, moo, soi, road."""
    area: Name | None = None
    """A postcode, or the beginning of a tambon's name."""
    subdistrict_code: str | None = None
    """Six digits of the Department of Provincial Administration."""


def chosen_place(form: Form[Any]) -> Place | None:
    """The place that was chosen or is the only one that fits; otherwise None, with what to do on the form."""
    choices = choices_for(form)
    code = form.raw("subdistrict_code")
    if chosen := next((place for place in choices if place.code == code), None):
        return chosen
    if not form.raw("area").strip():
        form.error("area", N_("Please write the postcode or the tambon."))
    elif not choices:
        form.error("area", N_("We do not know this postcode or tambon. Please check it."))
    elif len(choices) == 1:
        return choices[0]
    else:
        form.error("subdistrict_code", N_("Please choose your tambon from the list."))
    return None


def choices_for(form: Form[Any]) -> list[Place]:
    """The places to choose from after what was typed so far."""
    found = matching(form.raw("area"))
    chosen = places.place(form.raw("subdistrict_code"))
    return [chosen, *found] if chosen and not found and not form.raw("area") else found


@router.get("/places.json")
async def places_json(q: str = "") -> JSONResponse:
    """Places for a postcode or the first letters of a tambon, for the choice that appears while typing."""
    rows = [
        {
            "code": place.code,
            "th": place.line("th"),
            "en": place.line("en"),
        }
        for place in matching(q)
    ]
    return JSONResponse(rows, headers={"Cache-Control": "public, max-age=86400"})


def matching(area: str) -> list[Place]:
    """Places for a postcode or the first letters of a tambon, as many as anybody wants to choose from."""
    area = area.strip()
    if not area:
        return []
    found = places.by_postcode(area) if area.isdigit() else places.by_tambon_prefix(area, limit=MOST_CHOICES)
    return found[:MOST_CHOICES]
