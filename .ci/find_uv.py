"""Print the path of `uv`, getting it from PyPI into .tools/ when the machine has none.

Needs nothing but Python's standard library: not every Python comes with `venv`, `ensurepip` or `pip`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

TOOLS = Path(__file__).resolve().parent.parent / ".tools"
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")


def find() -> str | None:
    """Return a uv that works: one on PATH, or the one we got before."""
    for candidate in (shutil.which("uv"), str(TOOLS / "bin/uv")):
        if candidate and works(candidate, "--version"):
            return candidate
    return None


def get() -> None:
    """Install uv into .tools, which touches neither the system's Python nor the user's home."""
    say("Getting uv (it installs everything else) …")
    pip = [sys.executable, "-m", "pip"]
    if not works(*pip, "--version"):
        pip = [sys.executable, str(pip_from_index() / "pip")]
    command = [
        *pip,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action",
        "ignore",
        "--target",
        str(TOOLS),
        "--upgrade",
        "uv",
    ]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        give_up("pip could not install uv (its message is above).")


def pip_from_index() -> Path:
    """Fetch pip itself: its wheel can be run without being installed."""
    page = f"{INDEX}/pip/"
    try:
        with urllib.request.urlopen(page, timeout=60) as answer:  # noqa: S310 - the package index the user chose
            links = re.findall(r'href="([^"#]+/(pip-([\d.]+)-py3-none-any\.whl))#sha256=(\w+)"', answer.read().decode())
        link, name, _, digest = max(links, key=lambda found: [int(part) for part in found[2].split(".")])
        with urllib.request.urlopen(urljoin(page, link), timeout=60) as answer:  # noqa: S310 - as above
            wheel = answer.read()
    except (OSError, ValueError) as error:
        give_up(f"This Python has no pip, and pip could not be fetched from {page}: {error}")
    if hashlib.sha256(wheel).hexdigest() != digest:
        give_up(f"{link} is not what {page} announces.")
    TOOLS.mkdir(exist_ok=True)
    (TOOLS / name).write_bytes(wheel)
    return TOOLS / name


def works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def give_up(reason: str) -> None:
    say(f"{reason}\nPlease install uv yourself (https://docs.astral.sh/uv/) and try again.")
    sys.exit(1)


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        give_up(f"The market needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
    if find() is None:
        get()
    sys.stdout.write(find() or "")
