"""The group's desk for what it offers: short pages, made for elders on phones.

A price or an amount is changed right in the list; a photo, a name, a price and an amount make a listing.
"""

from fastapi import APIRouter

router = APIRouter()
