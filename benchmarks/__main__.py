"""`make bench`: measures every size of market, prints the ratios beside their aims, and writes them to results/.

`python -m benchmarks --sizes 1000 10000 --only "placing an order" latency`.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from app import embedded
from benchmarks import ground, load, machine, report
from benchmarks.ground import SIZES, Size

RESULTS: Final = Path(__file__).parent / "results"


def main() -> None:
    asked = _asked()
    load.install()
    about = machine.description()
    figures: dict[str, Any] = {}
    with embedded.running(ground.HOME, ground.OPTIONS) as server:
        for size in (size for size in SIZES if size.listings in asked.sizes):
            sys.stderr.write(f"{size.listings:,} listings, {size.past_lines:,} past order lines\n")
            figures[str(size.listings)] = _measured(server, size, asked.only)
    told = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": about, "sizes": figures}
    sys.stdout.write(report.text(told))
    if not asked.only:
        _keep(told)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the market beside its ceilings.")
    every = [size.listings for size in SIZES]
    parser.add_argument("--sizes", nargs="+", type=int, choices=every, default=every)
    parser.add_argument("--only", nargs="+", default=[], help="chapters, by name; without it all are measured and kept")
    return parser.parse_args()


def _measured(server: embedded.Server, size: Size, only: list[str]) -> dict[str, Any]:
    """Measure in a process of its own: settings and engine belong to one database."""
    url = asyncio.run(ground.database(server, size))
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "figures.json"
        given = ground.SETTINGS | {"DATABASE_URL": url, "MARKET_HOME": home, "PAGE_MEMORY_SECONDS": "0"}
        command = [sys.executable, "-m", "benchmarks.one_size", str(file), *only]
        subprocess.run(command, env=os.environ | given, check=True)
        found: dict[str, Any] = json.loads(file.read_text())
        return found


def _keep(told: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    day = told["measured_at"][:10]
    (RESULTS / f"{day}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
