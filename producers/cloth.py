"""A cloth for every group: the woven pattern that stands where a photo is missing and along the top of its pages.

Everything follows from the group's name: which loom, which natural dyes, which counts of threads.  The same name gives
the same bytes for ever, so a cloth may be kept by browsers and printed on slips.  A card is 320 units across, so that
threads of two still show on a card of 158 px.
"""

from typing import Literal

from producers.looms import DYED, LOOMS, Dyes, Lot, Tile, khit

CARD = (320, 240)
BAND_HEIGHT = 160

Kind = Literal["card", "band"]


def cloth_svg(name: str, *, width_repeat: float = 1, kind: Kind = "card") -> str:
    """Return the cloth of `name` as an SVG document of a few kilobytes, to be used as a picture.

    A card is 4:3 and often has a hem; a band has no width of its own and repeats at its natural scale.
    `width_repeat` shows that many times more repeats across a card.
    """
    lot = Lot(name)
    dyes = lot.one_of(DYED)
    tile = lot.one_of(LOOMS)(lot, dyes)
    hem = _hem(lot, dyes) if lot.chance(55) else None
    if kind == "band":
        return _band(tile)
    width, height = (round(side * width_repeat) for side in CARD)
    body = _filled("c", tile, height) + (_hem_across(hem, height) if hem else "") + _threads(height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480" viewBox="0 0 {width} {height}"'
        f' preserveAspectRatio="xMidYMid slice">{body}</svg>'
    )


def _band(tile: Tile) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{BAND_HEIGHT}">'
        f"{_filled('c', tile, BAND_HEIGHT)}{_threads(BAND_HEIGHT)}</svg>"
    )


def _hem(lot: Lot, dyes: Dyes) -> Tile:
    """Tin chok: the patterned hem of a skirt, in the same dyes changed about."""
    ground, figure, accent = dyes
    return khit(lot, lot.one_of(((accent, ground, figure), (figure, ground, accent), (ground, accent, figure))))


def _hem_across(hem: Tile, height: int) -> str:
    top = height - hem.height - 22
    return (
        f'{_pattern("h", hem, top)}<path fill="#000" fill-opacity=".22" d="M0 {top - 2}h999v2h-999z"/>'
        f'<path fill="url(#h)" d="M0 {top}h999v{hem.height}h-999z"/>'
    )


def _filled(name: str, tile: Tile, height: int) -> str:
    return f'{_pattern(name, tile)}<rect width="100%" height="{height}" fill="url(#{name})"/>'


def _pattern(name: str, tile: Tile, top: int = 0) -> str:
    defs = f"<defs>{tile.defs}</defs>" if tile.defs else ""
    return (
        f'{defs}<pattern id="{name}" y="{top}" width="{tile.width}" height="{tile.height}"'
        f' patternUnits="userSpaceOnUse">{tile.drawing}</pattern>'
    )


def _threads(height: int) -> str:
    """Light and shade of warp over weft, laid over the colours."""
    return (
        '<pattern id="t" width="4" height="4" patternUnits="userSpaceOnUse">'
        '<path fill="#fff" fill-opacity=".13" d="M0 0h2v1.2h-2zM2 2h2v1.2h-2z"/>'
        '<path fill="#000" fill-opacity=".13" d="M2 0h.7v2h-.7zM0 2h.7v2h-.7zM0 1.4h2v.6h-2zM2 3.4h2v.6h-2z"/></pattern>'
        f'<rect width="100%" height="{height}" fill="url(#t)"/>'
    )
