"""Plots drawn on the server as SVG, where people would rather look than read.

Every plot carries its figures in words as well (a title and a description that a screen reader says), takes its
colours from the style sheet by class, and is readable at 328 px wide and in black and white on paper: the plan is an
outline, what came in is filled.  Amounts are satang.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import log10

from markupsafe import Markup

from app.language import N_, Language, translate
from app.money import Satang, baht

WIDTH = 328
LEFT, RIGHT = 70, 2
TOP, TALL = 30, 132
ROW = 48
TRACK = 236
MONTHS_NAMED = 6
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A bar of `bars_horizontal`: its words, its size, the same size as people say it, a class for its colour."""

    label: str
    value: int
    said: str
    tone: str = "a"


def bars_plan_actual(
    months: Sequence[str], plan: Sequence[Satang], actual: Sequence[Satang | None], lang: Language
) -> Markup:
    """Plan (outline) against what came in (filled), month by month; None is a month that has not begun."""
    top = _round_top(max([*plan, *(satang or 0 for satang in actual), 100]))
    step = (WIDTH - LEFT - RIGHT) / len(months)
    bars = Markup("").join(
        _month(LEFT + i * step, step, wanted / top, (came or 0) / top)
        for i, (wanted, came) in enumerate(zip(plan, actual, strict=True))
    ) + Markup("").join(_month_words(months, step))
    title = translate(lang, N_("Plan and income by month"))
    told = "; ".join(_told(month, wanted, came, lang) for month, wanted, came in zip(months, plan, actual, strict=True))
    return _plot(TOP + TALL + 38, title, told, _key(lang) + _scale(top, lang) + bars)


def bars_horizontal(rows: Sequence[Row], title: str) -> Markup:
    """One bar a row, longest first as given, with words above it and the amount beside it."""
    most = max([row.value for row in rows] + [1])
    bars = Markup("").join(_bar(row, i * ROW, max(row.value, 0) / most) for i, row in enumerate(rows))
    return _plot(max(len(rows), 1) * ROW, title, "; ".join(f"{row.label}: {row.said}" for row in rows), bars)


def _plot(height: int, title: str, told: str, drawing: Markup) -> Markup:
    name = blake2b(f"{title}{told}".encode(), digest_size=4).hexdigest()
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" role="img" aria-labelledby="plot-{} plot-{}-told">'
        '<title id="plot-{}">{}</title><desc id="plot-{}-told">{}</desc>{}</svg>'
    ).format(WIDTH, height, name, name, name, title, name, told, drawing)


def _month(x: float, step: float, plan: float, actual: float) -> Markup:
    floor = TOP + TALL
    wide, narrow = step * 0.78, step * 0.5
    parts = Markup("")
    if actual > 0:
        parts += _rect("plot-actual", x + (step - narrow) / 2, floor - actual * TALL, narrow, actual * TALL)
    if plan > 0:
        high, left = floor - plan * TALL, x + (step - wide) / 2
        parts += Markup('<path class="plot-plan" d="M{:.1f} {}V{:.1f}h{:.1f}V{}"/>').format(
            left, floor, high, wide, floor
        )
    return parts


def _month_words(months: Sequence[str], step: float) -> Iterator[Markup]:
    """A month's name under its bars ("พ.ย. 69"), the year on a line below it and only where it begins.

    Twelve names that can be read do not fit a phone: then every second one stands, a new year's first among them.
    """
    parted = [label.rpartition(" ") for label in months]
    turn = next((i for i, (_, _, year) in enumerate(parted) if " " in months[i] and year != parted[0][2]), 0)
    every = 1 if len(months) <= MONTHS_NAMED else 2
    before = ""
    for i in range(turn % every, len(months), every):
        name, _, year = parted[i] if " " in months[i] else (months[i], "", "")
        x = LEFT + (i + 0.5) * step
        words = _words(x, TOP + TALL + 16, name, "plot-month")
        yield words + (_words(x, TOP + TALL + 33, year, "plot-month plot-soft") if year != before else "")
        before = year


def _bar(row: Row, y: int, part: float) -> Markup:
    words = _words(0, y + 16, row.label, "plot-label") + _words(WIDTH, y + 35, row.said, "plot-value plot-end")
    track = _rect("plot-track", 0, y + 24, TRACK, 12)
    return words + track + (_rect(f"plot-{row.tone}", 0, y + 24, max(part * TRACK, 2), 12) if part else Markup(""))


def _key(lang: Language) -> Markup:
    plan, actual = translate(lang, N_("Plan")), translate(lang, N_("Came in"))
    return (
        Markup('<path class="plot-plan" d="M{} 16V6h12V16"/>').format(LEFT)
        + _words(LEFT + 17, 15, plan, "plot-label")
        + _rect("plot-actual", LEFT + 78, 5, 12, 11)
        + _words(LEFT + 95, 15, actual, "plot-label")
    )


def _scale(top: int, lang: Language) -> Markup:
    """Lines at nothing, half and all of the height, with their amounts in short."""
    lines = Markup("")
    for part in (0.0, 0.5, 1.0):
        y = TOP + TALL * (1 - part)
        ink = "plot-line" if part else "plot-base"
        lines += Markup('<path class="{}" d="M{} {:.0f}H{}"/>').format(ink, LEFT, y, WIDTH)
        lines += _words(LEFT - 5, y + 4, _short(round(top * part), lang), "plot-soft plot-end")
    return lines


def _told(month: str, plan: Satang, actual: Satang | None, lang: Language) -> str:
    if actual is None:
        return translate(lang, N_("%(month)s: plan %(plan)s"), month=month, plan=baht(plan, lang))
    return translate(
        lang,
        N_("%(month)s: plan %(plan)s, came in %(actual)s"),
        month=month,
        plan=baht(plan, lang),
        actual=baht(actual, lang),
    )


def _short(satang: int, lang: Language) -> str:
    """An amount in baht that fits beside a scale: ฿950, ฿12,500, ฿1.2M (in Thai ฿1.2 ล้าน)."""
    whole = satang // 100
    if whole < MILLION:
        return f"฿{whole:,}"
    return translate(lang, N_("%(amount)sM"), amount=f"฿{whole / MILLION:.2f}".rstrip("0").rstrip("."))


def _round_top(satang: int) -> int:
    """The next round amount: 1, 2, 3, 4, 5, 6, 8 or 10 times a power of ten."""
    power = int(10 ** int(log10(satang)))
    return next((step * power for step in (1, 2, 3, 4, 5, 6, 8) if step * power >= satang), 10 * power)


def _rect(ink: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        ink, x, y, width, height
    )


def _words(x: float, y: float, words: str, ink: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(ink, x, y, words)
