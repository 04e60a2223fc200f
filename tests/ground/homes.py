"""Folders for markets of the test's own (MARKET_HOME).

Not pytest's temporary folders: every new test run of the same user closes those to other users, and as root the
embedded PostgreSQL is another user.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

NewHome = Callable[[], Path]


@pytest.fixture(scope="module")
def homes() -> Iterator[NewHome]:
    """Make a folder at every call; all of them go with the module's last test."""
    made: list[Path] = []

    def new() -> Path:
        made.append(Path(mkdtemp(prefix="market-home-")))
        return made[-1]

    yield new
    for home in made:
        shutil.rmtree(home)


@pytest.fixture
def new_home(homes: NewHome) -> Path:
    return homes()
