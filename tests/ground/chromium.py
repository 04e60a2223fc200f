"""Which Chromium the journeys drive: the system's, or Playwright's own.

`python -m tests.ground.chromium` prints it, and fails when none starts (tests/install_browser.sh asks).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-proxy-server",
)
START_SECONDS = 30


def executable() -> str | None:
    """Return the path of a Chromium that starts, or None."""
    named = (os.environ.get("CHROMIUM"), *map(shutil.which, NAMES))
    return next((path for path in (*filter(None, named), _playwrights_own()) if _starts(path)), None)


def _playwrights_own() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _starts(path: str) -> bool:
    # A program of that name may be a placeholder (Ubuntu's asks for a snap) or lack its libraries.
    try:
        return (
            subprocess.run(
                [path, *FLAGS, "--version"], capture_output=True, timeout=START_SECONDS, check=False
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    found = executable()
    if found is None or not Path(found).exists():
        sys.exit("no Chromium")
    sys.stdout.write(f"{found}\n")
