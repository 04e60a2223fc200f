"""What tests stand on: a real PostgreSQL built by the real migrations, a clock that jumps, clients and browsers.

One embedded server serves every test run on this machine (var/test; it alone forgoes durability).  The migrations
build a template database once per state of their files; each test process copies it.  Tests commit for real, so
that deferred constraints and other connections see what they would see in life; afterwards every table that a test
wrote to is emptied.
"""

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings

from app import embedded

ROOT = Path(__file__).resolve().parent.parent
TEST_HOME = ROOT / "var/test"
DATABASE_NAME = f"test_{os.getpid()}"

STRIPE = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "STRIPE_STANDIN", "STRIPE_STANDIN_PORT")

_HOME = mkdtemp(prefix="market-test-")
_SERVER = embedded.Server(TEST_HOME)
for _name in ("SMTP_URL", "FILES_URL", "PUBLIC_URL", "PROMPTPAY_ID", "MARKET_DEMO", *STRIPE):
    os.environ.pop(_name, None)
os.environ |= {
    "DATABASE_URL": _SERVER.url(DATABASE_NAME),
    "MARKET_HOME": _HOME,
    "SECRET_KEY": "a secret for tests only",
    "COUNTS_MEMORY_SECONDS": "0",
}

# A busy machine is slow, not wrong.
settings.register_profile("market", deadline=None)
settings.load_profile("market")

pytest_plugins = [
    f"tests.ground.{ground}"
    for ground in ("homes", "databases", "clients", "servers", "stocked", "browsers", "receivers", "stripe")
]


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
