"""Figures as a table for people: what was measured, beside which aim, met or missed."""

from collections.abc import Iterator
from typing import Any, Final

AIMS: Final = {"remembered": 0.7, "afresh": 0.5, "basket change": 0.4, "placing an order": 0.4}
JAR_AIM: Final = 0.4
GROWTH_AIM: Final = 1.3
MEMORY_AIM_MIB: Final = 150
WEIGHT_AIM_KB: Final = 60


def text(told: dict[str, Any]) -> str:
    """Return the report; a `*` marks an aim that was missed."""
    lines = [" · ".join(f"{name} {value}" for name, value in told["machine"].items()), ""]
    for size, figures in told["sizes"].items():
        lines += [f"{int(size):,} listings", *_ratios(figures), *_others(figures), ""]
    return "\n".join([*lines, *_growth(told["sizes"])]) + "\n"


def _ratios(figures: dict[str, Any]) -> Iterator[str]:
    for chapter, found in figures.items():
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict) and "ceiling" in each:
                ratio = each["market"] / each["ceiling"]
                aim = AIMS.get(chapter, JAR_AIM)
                name = each["name"] if chapter == each["name"] else f"{chapter}: {each['name']}"
                rates = f"{each['market']:9,.0f}/s of {each['ceiling']:9,.0f}/s"
                yield f"  {name:44}{rates}   ratio {ratio:.2f} (aim {aim}){_mark(ratio >= aim)}"


def _others(figures: dict[str, Any]) -> Iterator[str]:
    for each in figures.get("weight", []):
        is_met = each["kilobytes"] <= WEIGHT_AIM_KB and not each["other_hosts"]
        yield f"  weight: {each['name']:36}{each['kilobytes']:9} kB (aim {WEIGHT_AIM_KB}){_mark(is_met)}"
    if memory := figures.get("memory_mib"):
        yield f"  {'memory of one web process':44}{memory:9} MiB (aim {MEMORY_AIM_MIB}){_mark(memory <= MEMORY_AIM_MIB)}"


def _growth(sizes: dict[str, Any]) -> Iterator[str]:
    told = {
        size: {each["name"]: each["milliseconds"] for each in found.get("latency", [])} for size, found in sizes.items()
    }
    first, last = next(iter(told)), list(told)[-1]
    if first == last or not told[first]:
        return
    yield f"growth of latency from {int(first):,} to {int(last):,} listings"
    for name, begun in told[first].items():
        times = told[last][name] / begun
        steps = " → ".join(f"{found[name]:.1f}" for found in told.values())
        yield f"  {name:44}{steps} ms   × {times:.2f} (aim {GROWTH_AIM}){_mark(times <= GROWTH_AIM)}"


def _mark(is_met: object) -> str:
    return "" if is_met else " *"
