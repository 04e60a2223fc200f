"""Which migrations this code knows, for those who only ask: web and worker need nothing of what migrates."""

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent


@cache
def known() -> tuple[str, ...]:
    """Return all revisions that this code knows, the newest first: each file is named after its own."""
    return tuple(sorted((file.stem for file in (FOLDER / "versions").glob("*.py")), reverse=True))
