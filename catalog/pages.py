"""The market's public shelves: front page, browse, listing, group and search.

Everyone may read these pages, so whoever carries no cookie is answered out of the page memory.
"""

from fastapi import APIRouter

router = APIRouter()
