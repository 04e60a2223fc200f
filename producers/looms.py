"""The looms: six Thai weaving traditions, each a tile of threads that repeats into cloth.

A loom takes a lot (choices drawn from a name) and three dyes (ground, figure, accent); sizes are in units, a thread is
two of them.  Nothing here is random: the same lot gives the same tile for ever.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

THREAD = 2

#: Natural dyes as they come out of the vat on cotton and silk.
INDIGO, SECOND_DIP, LAC, ROSE, TURMERIC, MARIGOLD = "#22406b", "#7d9cbd", "#8b2c3a", "#cf9a92", "#d29a2b", "#e6b853"
EBONY, JACKFRUIT, LEAF, PALE_LEAF, SEA, MUD = "#2b2622", "#b58737", "#56703f", "#b4be93", "#2b5f5d", "#6c513d"
SAPPAN, COTTON, SILK = "#b4573a", "#f3ead9", "#e4d2a8"

#: Ground, figure, accent: what weavers put side by side.
DYED = (
    (INDIGO, COTTON, TURMERIC), (INDIGO, SECOND_DIP, COTTON), (INDIGO, ROSE, COTTON), (INDIGO, SILK, SAPPAN),
    (LAC, COTTON, MARIGOLD), (LAC, MARIGOLD, EBONY), (LAC, ROSE, COTTON), (LAC, SILK, INDIGO),
    (EBONY, JACKFRUIT, COTTON), (EBONY, COTTON, SAPPAN), (EBONY, MARIGOLD, LAC), (EBONY, SECOND_DIP, COTTON),
    (COTTON, INDIGO, LAC), (COTTON, EBONY, JACKFRUIT), (COTTON, LEAF, SAPPAN), (COTTON, LAC, INDIGO),
    (COTTON, SEA, MARIGOLD), (COTTON, MUD, SECOND_DIP), (LEAF, COTTON, MARIGOLD), (LEAF, PALE_LEAF, COTTON),
    (SEA, COTTON, MARIGOLD), (SEA, PALE_LEAF, COTTON), (SEA, SILK, SAPPAN), (MUD, COTTON, SECOND_DIP),
    (MUD, MARIGOLD, COTTON), (MUD, ROSE, COTTON), (SAPPAN, COTTON, EBONY), (SAPPAN, SILK, INDIGO),
    (JACKFRUIT, EBONY, COTTON), (JACKFRUIT, COTTON, LAC), (TURMERIC, LAC, COTTON), (SILK, INDIGO, LAC),
    (SILK, MUD, SEA), (SECOND_DIP, INDIGO, COTTON), (ROSE, LAC, COTTON), (PALE_LEAF, SEA, COTTON),
)  # fmt: skip

Dyes = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Tile:
    """What repeats: its size in units and its drawing; `defs` is what the drawing refers to."""

    width: int
    height: int
    drawing: str
    defs: str = ""


class Lot:
    """Choices drawn from a name, one after another, always the same ones."""

    def __init__(self, name: str) -> None:
        self._bytes = iter(hashlib.shake_256(unicodedata.normalize("NFC", name.strip()).encode()).digest(8192))

    def below(self, n: int) -> int:
        return (next(self._bytes) << 8 | next(self._bytes)) % n

    def between(self, least: int, most: int) -> int:
        return least + self.below(most - least + 1)

    def one_of(self, things: Sequence[T]) -> T:
        return things[self.below(len(things))]

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent


def check(lot: Lot, dyes: Dyes) -> Tile:
    """Pha khao ma: stripes in the warp cross stripes in the weft, each over two threads and under two."""
    warp = _sett(lot, dyes)
    weft = warp if lot.chance(60) else _sett(lot, dyes)
    width, height = (sum(threads for _, threads in sett) * THREAD for sett in (warp, weft))
    twill = (
        '<pattern id="w" width="8" height="8" patternUnits="userSpaceOnUse">'
        '<path fill="#fff" d="M0 0h4v2h-4zM2 2h4v2h-4zM4 4h4v2h-4zM6 6h2v2h-2zM0 6h2v2h-2z"/></pattern>'
        f'<mask id="m"><path fill="url(#w)" d="M0 0h{width}v{height}h-{width}z"/></mask>'
    )
    across = "".join(f'<path fill="{dye}" d="M0 {at}h{width}v{size}h-{width}z"/>' for dye, at, size in _laid(weft))
    down = "".join(f'<path fill="{dye}" d="M{at} 0h{size}v{height}h-{size}z"/>' for dye, at, size in _laid(warp))
    return Tile(width, height, f'{across}<g mask="url(#m)">{down}</g>', twill)


def ikat(lot: Lot, dyes: Dyes) -> Tile:
    """Mudmee: diamonds tied into the weft before dyeing, so that every pick starts a little off its place."""
    ground, figure, accent = dyes
    half, tall = lot.one_of(((26, 36), (32, 44), (22, 40), (36, 36)))
    halo, light, heart = _tied(lot, half, tall)
    quarter = (
        f'<g id="q" fill="none" stroke-width="{THREAD}">'
        f'<path stroke="{figure}" stroke-opacity=".45" d="{halo}"/>'
        f'<path stroke="{figure}" d="{light}"/><path stroke="{accent}" d="{heart}"/></g>'
    )
    mirrored = "".join(
        f'<use href="#q" transform="matrix({x} 0 0 {y} {half} {tall})"/>' for y in (1, -1) for x in (1, -1)
    )
    return Tile(2 * half, 2 * tall, ground_of(ground, 2 * half, 2 * tall) + mirrored, quarter)


def khit(lot: Lot, dyes: Dyes) -> Tile:
    """Khit: an extra weft floats over the ground in bands of mirrored hooks and diamonds, with stripes between."""
    ground, figure, accent = dyes
    across, down = lot.one_of((12, 14, 16, 18, 20)), lot.between(6, 11)
    cell = 4
    drawn = _floats(_mirrored(lot, across), across, down, cell, figure, accent, lot.between(1, 4))
    width, band = 2 * across * cell, (2 * down + 1) * cell
    gap = lot.one_of((12, 20, 28))
    stripes = ground_of(accent, width, 2, band + gap // 2 - 5) + ground_of(accent, width, 2, band + gap // 2 + 3)
    stripes += ground_of(figure, width, 4, band + gap // 2 - 2)
    return Tile(width, band + gap, ground_of(ground, width, band + gap) + drawn + stripes)


def point_twill(lot: Lot, dyes: Dyes) -> Tile:
    """Luk kaeo of the Tai Lue: warp and weft of two dyes change places thread by thread into small diamonds."""
    ground, figure, accent = dyes
    across = lot.between(11, 19)
    drawn = _floats(_mirrored(lot, across), across, across, THREAD * 1.5, figure, accent, lot.below(2))
    side = round(2 * across * THREAD * 1.5)
    return Tile(side, side, ground_of(ground, side, side) + drawn)


def flowing_water(lot: Lot, dyes: Dyes) -> Tile:
    """Lai nam lai of Nan: tapestry steps swell and sink like water over stones, thin stripes beside broad ones."""
    runs = lot.one_of(((14, 8, 4, 4, 4, 8), (18, 8, 4, 4, 8), (10, 6, 4, 4, 4, 4, 6), (20, 8, 6, 6, 8), (8, 8, 8, 8)))
    rise = lot.one_of((4, 4, 6))
    stripes = _ripples(lot, dyes)
    crest = runs[0] + runs[1]
    up = "".join(f"v-{rise}h{run}" for run in runs[1:])
    down = "".join(f"v{rise}h{run}" for run in runs[:0:-1])
    wave = f'<path id="v" d="M0 0h{crest}{up}h{crest}{down}V900H0z"/>'
    width, height = 2 * crest + 2 * sum(runs[1:]), sum(size for _, size in stripes)
    drawing, at = ground_of(dyes[0], width, height), -height
    while at < height + len(runs) * rise:
        for dye, size in stripes:
            drawing += f'<use href="#v" y="{at}" fill="{dye}"/>'
            at += size
    return Tile(width, height, drawing, wave)


def batik(lot: Lot, dyes: Dyes) -> Tile:
    """Batik of the southern coast: flowers kept free by wax, dots around them, fine cracks over all."""
    ground, figure, accent = dyes
    petals, long, wide = lot.one_of((4, 5, 6, 8)), lot.between(17, 23), lot.between(6, 10)
    side = 2 * long + lot.between(14, 22)
    turn = lot.one_of((0, 180 // petals))
    wax = f'fill="{figure}" stroke="{COTTON}" stroke-width="1.6"'
    vein = f'fill="none" stroke="{ground}" stroke-width="1.1" stroke-linecap="round"'
    flower = _turned("p", petals, turn, wax) + _turned("n", petals, turn, vein)
    flower += f'<circle r="5" fill="{accent}"/><circle r="2" fill="{ground}"/>'
    flower += _ring_of_dots(lot.one_of((8, 10, 12)), round(side * 0.5), accent)
    places = ((0, 0), (side, 0), (0, side), (side, side), (side // 2, side // 2))
    spray = "".join(f'<use href="#f" x="{x}" y="{y}"/>' for x, y in places)
    drawing = ground_of(ground, side, side) + spray + _crackle(lot, side)
    return Tile(side, side, drawing, f'{_petal(long, wide)}<g id="f">{flower}</g>')


LOOMS: tuple[Callable[[Lot, Dyes], Tile], ...] = (check, ikat, khit, point_twill, flowing_water, batik, ikat, khit)


# Threads, ties, floats, wax.


def _tied(lot: Lot, half: int, tall: int) -> tuple[str, str, str]:
    """A quarter of an ikat diamond, pick by pick: the blur around it, its rings, its heart."""
    rings, heart_rings, zigzag = _runs(lot, 10), lot.between(2, 3), lot.chance(55)
    halo = light = heart = ""
    for y in range(0, tall, THREAD):
        blur, slip = lot.below(3), lot.below(5) - 2
        for start, end, ring in _ring_runs(half, tall, y, rings):
            halo += _pick(start + slip - 2 - blur, end + slip + 2 + blur, y, half)
            if ring < heart_rings:
                heart += _pick(start + slip, end + slip, y, half)
            else:
                light += _pick(start + slip, end + slip, y, half)
        if zigzag:
            edge = half - round(abs(y - tall / 2) / tall * half / 2.2) - slip
            light += _pick(edge - 3, edge, y, half)
    return halo, light, heart


def _ripples(lot: Lot, dyes: Dyes) -> list[tuple[str, int]]:
    ground, figure, accent = dyes
    broad, thin = lot.between(5, 9) * 2, lot.between(1, 2) * 2
    stripes = [(figure, broad), (ground, thin), (accent, thin + 2), (ground, thin), (figure, thin + 2)]
    stripes += [(ground, lot.between(5, 10) * 2), (lot.one_of((figure, accent)), 4), (ground, lot.between(2, 5) * 2)]
    if lot.chance(50):
        stripes += [(accent, broad - 2), (ground, thin), (figure, 2), (ground, lot.between(3, 6) * 2)]
    return stripes


def _petal(long: int, wide: int) -> str:
    belly, tip = f"{long * 0.4:.0f}", f"{wide * 0.7:.0f}"
    return (
        f'<path id="p" d="M0-4C{wide}-{belly} {tip}-{long - 3} 0-{long}C-{tip}-{long - 3}-{wide}-{belly} 0-4z"/>'
        f'<path id="n" d="M0-7V-{long - 6}M0-9l{wide * 0.35:.1f}-4M0-9l-{wide * 0.35:.1f}-4"/>'
    )


def _sett(lot: Lot, dyes: Dyes) -> list[tuple[str, int]]:
    """A symmetrical run of stripes: (dye, threads)."""
    ground, figure, accent = dyes
    side = [(figure, lot.between(4, 10)), (ground, lot.between(1, 3)), (figure, lot.between(1, 2))]
    side += [(ground, lot.between(2, 6)), (accent, lot.between(1, 2))]
    sett = [(ground, lot.between(6, 12)), *side[::-1], *side[1:]]
    spare = -sum(threads for _, threads in sett) % 4  # the twill repeats over four threads
    return [(ground, sett[0][1] + spare), *sett[1:]]


def _laid(sett: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int, int]]:
    at = 0
    for dye, threads in sett:
        yield dye, at, threads * THREAD
        at += threads * THREAD


def _runs(lot: Lot, n: int, lengths: Sequence[int] = (1, 1, 2, 2, 3)) -> list[bool]:
    """On and off by turns, in runs of the given lengths."""
    runs: list[bool] = []
    while len(runs) < n:
        runs += [not runs or not runs[-1]] * lot.one_of(lengths)
    return runs[:n]


def _mirrored(lot: Lot, n: int) -> Callable[[int, int], bool]:
    """Where the figure shows: diamonds and crosses laid over each other, the same in all four quarters."""
    diamonds, crosses = _runs(lot, 2 * n), _runs(lot, n + 1, (2, 3, 4, 5))
    both = lot.chance(35)

    def shows(x: int, y: int) -> bool:
        diamond, cross = diamonds[(x + y) % (2 * n)], crosses[abs(x - y) % (n + 1)]
        return diamond != cross if both else diamond and not (cross and x + y > n)

    return shows


def _floats(
    shows: Callable[[int, int], bool], across: int, down: int, cell: float, figure: str, accent: str, heart: int
) -> str:
    """Draw the figure row by row as floats of yarn; the rows nearest the middle are in the accent."""
    paths: dict[str, list[str]] = {figure: [], accent: []}
    for row in range(-down, down + 1):
        cells = [shows(min(x, 2 * across - x), abs(row)) for x in range(2 * across)]
        dye = accent if abs(row) < heart else figure
        y = (row + down + 0.5) * cell
        paths[dye] += [f"M{_n(s * cell)} {_n(y)}h{_n((e - s) * cell)}" for s, e in _stretches(cells)]
    thick = _n(cell * 0.86)
    return "".join(f'<path stroke="{dye}" stroke-width="{thick}" d="{"".join(d)}"/>' for dye, d in paths.items() if d)


def _stretches(cells: Sequence[bool]) -> Iterable[tuple[int, int]]:
    start: int | None = None
    for at, on in enumerate([*cells, False]):
        if on and start is None:
            start = at
        elif not on and start is not None:
            yield start, at
            start = None


def _ring_runs(half: int, tall: int, y: int, rings: Sequence[bool]) -> Iterable[tuple[int, int, int]]:
    """Where concentric diamonds cross the pick at `y`: (from, to, ring)."""
    width = half / len(rings)
    for ring, on in enumerate(rings):
        outer, inner = ((r * width) - y / tall * half for r in (ring + 1, ring))
        if on and outer > 1:
            yield round(max(inner, 0)), round(outer), ring


def _pick(start: int, end: int, y: int, half: int) -> str:
    start, end = max(start, 0), min(end, half)
    return f"M{start} {y + 1}h{end - start}" if end > start else ""


def ground_of(dye: str, width: int, height: int, y: int = 0) -> str:
    return f'<path fill="{dye}" d="M0 {y}h{width}v{height}h-{width}z"/>'


def _turned(what: str, times: int, first: int, paint: str) -> str:
    turns = (first + round(360 * i / times, 1) for i in range(times))
    return f"<g {paint}>" + "".join(f'<use href="#{what}" transform="rotate({_n(turn)})"/>' for turn in turns) + "</g>"


def _ring_of_dots(times: int, radius: int, dye: str) -> str:
    length = 6.2832 * radius
    return (
        f'<circle r="{radius}" fill="none" stroke="{dye}" stroke-width="2.4" stroke-linecap="round"'
        f' stroke-dasharray="0 {length / (times * 3):.2f}"/>'
    )


def _crackle(lot: Lot, side: int) -> str:
    lines = []
    for _ in range(5):
        bends = "".join(f"l{lot.between(4, 15)} {lot.between(-13, 13)}" for _ in range(4))
        lines.append(f"M{lot.between(-10, side)} {lot.between(0, side)}{bends}")
    return f'<path fill="none" stroke="{COTTON}" stroke-opacity=".33" stroke-width=".7" d="{"".join(lines)}"/>'


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
