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


LOOMS: tuple[Callable[[Lot, Dyes], Tile], ...] = (check, ikat, khit, point_twill, flowing_water, batik, ikat, khit)


# Threads and floats.


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


def _turned_dots(times: int, radius: int, dye: str) -> str:
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
