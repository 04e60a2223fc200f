"""`market run`: opens, says what is wrong in plain words, keeps its children alive, closes in order, comes back."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.embedded import Server
from tests.ground.families import children, descendants, is_alive, kill, words
from tests.ground.homes import NewHome
from tests.ground.servers import MarketProcess, market_begun, market_run

EMBEDDED = {"DATABASE_URL": "", "WEB_PROCESSES": "2", "SECRET_KEY": ""}
PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def home(homes: NewHome) -> Path:
    """One installation for this module's tests, opened and closed again and again."""
    return homes()


@pytest.fixture(scope="module")
def open_home(homes: NewHome) -> Path:
    return homes()


@pytest.fixture(scope="module")
def market(open_home: Path) -> Iterator[MarketProcess]:
    """A market that stays open for the tests that only look at it, or hurt its children."""
    with market_run(open_home, **EMBEDDED) as market:
        yield market


def test_it_opens_says_where_and_leaves_nothing_behind(home: Path) -> None:
    with market_run(home, **EMBEDDED) as market:
        eventually(lambda: f"The market is open: {market.url}" in market.output)
        family = descendants(market.process.pid)
        assert {"app.web", "app.worker"} <= {command for pid in family for command in words(pid)}
    assert [pid for pid in family if is_alive(pid)] == []
    assert not Server(home).is_running()


def test_the_secret_is_made_once_and_for_its_owner_only(open_home: Path, market: MarketProcess) -> None:
    secret = open_home / "secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_text()) >= 40
    web = next(pid for pid in descendants(market.process.pid) if "app.web" in words(pid))
    assert f"SECRET_KEY={secret.read_text()}" in Path(f"/proc/{web}/environ").read_text().split("\0")


def test_a_second_run_in_the_same_folder_says_so(open_home: Path, market: MarketProcess) -> None:
    with market_begun(open_home, **EMBEDDED) as second:
        assert second.process.wait(PATIENCE_SECONDS) == 1
        assert second.output.startswith(f"A market runs in {open_home} already.")
    assert market.is_ready()


def test_a_taken_port_is_named(new_home: Path, market: MarketProcess) -> None:
    port = market.url.rpartition(":")[2]
    with market_begun(new_home, **EMBEDDED, PORT=port) as other:
        assert other.process.wait(PATIENCE_SECONDS) == 1
        assert f"PORT: cannot listen on 127.0.0.1:{port}" in other.output
    assert not Server(new_home).is_running()


def test_a_wrong_setting_is_named(new_home: Path) -> None:
    with market_begun(new_home, DATABASE_URL="mysql://localhost/market") as wrong:
        assert wrong.process.wait(PATIENCE_SECONDS) == 1
        assert "DATABASE_URL: " in wrong.output


def test_ctrl_c_closes_everything(home: Path) -> None:
    with market_begun(home, **EMBEDDED) as market:
        market.wait_until_ready()
        market.process.send_signal(signal.SIGINT)
        assert market.process.wait(PATIENCE_SECONDS) == 0
    assert not Server(home).is_running()


def test_ctrl_c_while_it_is_still_opening_closes_everything(home: Path) -> None:
    with market_begun(home, **EMBEDDED) as market:
        eventually(lambda: Server(home).is_running())
        market.process.send_signal(signal.SIGINT)
        assert market.process.wait(PATIENCE_SECONDS) in {0, 130}
    assert not Server(home).is_running()


@pytest.mark.parametrize("victim", ["web", "worker", "granian-process", "postgres"])
def test_what_dies_is_started_again(open_home: Path, market: MarketProcess, victim: str) -> None:
    before = find(market, open_home, victim)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: find(market, open_home, victim) not in {0, before} and market.is_ready())


def test_after_kill_9_of_the_supervisor_its_children_go_and_it_opens_again(home: Path) -> None:
    with market_begun(home, **EMBEDDED) as market:
        market.wait_until_ready()
        family = descendants(market.process.pid)
        postgres = Server(home)._processes_here()
        market.process.kill()
        eventually(lambda: not any(is_alive(pid) for pid in family if pid not in postgres))
    with market_run(home, **EMBEDDED, PORT=market.url.rpartition(":")[2]) as again:
        assert again.is_ready()


def test_after_kill_9_of_everything_it_opens_again(home: Path) -> None:
    with market_begun(home, **EMBEDDED) as market:
        market.wait_until_ready()
        for pid in [market.process.pid, *descendants(market.process.pid), *Server(home)._processes_here()]:
            kill(pid)
        market.process.wait(PATIENCE_SECONDS)
    with market_run(home, **EMBEDDED) as again:
        assert again.is_ready()


def test_with_a_database_server_the_embedded_one_is_not_touched(new_home: Path, migrated_database: str) -> None:
    with market_run(new_home, DATABASE_URL=migrated_database):
        assert not (new_home / "postgres").exists()


def find(market: MarketProcess, home: Path, name: str) -> int:
    """The process of that name: a child by its command, granian's first worker, or the postmaster."""
    if name == "postgres":
        return Server(home)._pid() or 0
    web = next((pid for pid in children(market.process.pid) if words(pid)[-1:] == ["app.web"]), 0)
    if name == "granian-process":
        return next(iter(children(web)), 0)
    return next((pid for pid in children(market.process.pid) if words(pid)[-1:] == [f"app.{name}"]), 0)


def eventually(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > ends_at:
            processes = subprocess.run(["/bin/ps", "-ef"], capture_output=True, text=True, check=False).stdout
            pytest.fail(f"it did not happen within {PATIENCE_SECONDS} s; processes:\n{processes}")
        time.sleep(0.05)
