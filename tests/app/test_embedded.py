"""The embedded PostgreSQL: made once, shared, found again after any crash, wherever its folder lies."""

import gc
import os
import signal
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import embedded
from app.embedded import Server
from app.embedded_user import CannotStart
from tests.ground.homes import NewHome

QUICKLY_MADE = {"fsync": "off"}
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def home(homes: NewHome) -> Path:
    """One installation for this module's tests: making the data folder takes most of a second."""
    return homes()


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    with embedded.running(home, QUICKLY_MADE) as server:
        yield server


def ask(server: Server, statement: str) -> str:
    return server._psql(statement)


def test_it_speaks_utf8_in_code_point_order_and_utc(server: Server) -> None:
    assert ask(server, "SELECT datlocale FROM pg_database WHERE datname = 'market'") == "C.UTF-8"
    assert ask(server, "SELECT current_setting('server_encoding'), current_setting('timezone')") == "UTF8|UTC"
    assert ask(server, "SELECT lower('ÉTÉ'), 'ก' < 'ข'") == "été|t"


def test_what_was_committed_stays_on_disk_by_default(new_home: Path) -> None:
    with embedded.running(new_home) as server:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        assert {ask(server, f"SHOW {name}") for name in names} == {"on"}


def test_nobody_reaches_it_over_the_network_or_from_another_account(server: Server) -> None:
    assert ask(server, "SHOW listen_addresses") == ""
    assert server.socket_folder.stat().st_mode & 0o077 == 0


def test_the_last_user_stops_it(home: Path) -> None:
    with embedded.running(home, QUICKLY_MADE) as first:
        with embedded.running(home, QUICKLY_MADE) as second:
            assert ask(second, "SELECT 1") == "1"
        assert first.is_running()
    assert not first.is_running()


def test_a_server_left_behind_is_used_again(home: Path) -> None:
    left = Server(home, QUICKLY_MADE)
    left.ensure_running()
    with embedded.running(home, QUICKLY_MADE) as server:
        assert server._pid() == left._pid()
    assert left._process is not None
    assert left._process.wait(PATIENCE_SECONDS) == 0


def test_after_kill_9_it_starts_with_all_that_was_committed(home: Path, server: Server) -> None:
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill_everything(server)
    server.ensure_running()
    assert ask(server, "SELECT answer FROM kept") == "42"
    ask(server, "DROP TABLE kept")


def test_a_dead_postmasters_number_may_belong_to_somebody_else(home: Path, server: Server) -> None:
    kill_everything(server)
    for file in (server.data / "postmaster.pid", server.socket_folder / ".s.PGSQL.5432.lock"):
        file.write_text("\n".join([str(os.getppid()), *file.read_text().splitlines()[1:]]) + "\n")
    server.ensure_running()
    assert ask(server, "SELECT 1") == "1"


def test_a_half_made_folder_is_made_anew(new_home: Path) -> None:
    (new_home / "postgres.new").mkdir()
    (new_home / "postgres.new/PG_VERSION").write_text("18\n")
    with embedded.running(new_home, QUICKLY_MADE) as server:
        assert ask(server, "SELECT 1") == "1"


@pytest.mark.parametrize("name", ["ตลาดนัด องค์กรชุมชน", "x" * 120, "a, b: c%20d"])
def test_its_folder_may_have_any_name(new_home: Path, name: str) -> None:
    with embedded.running(new_home / name, QUICKLY_MADE) as server:
        assert ask(server, "SELECT 1") == "1"
    assert server.socket_folder == server.data or not server.socket_folder.exists()


def test_its_folder_may_lie_where_others_cannot_look(new_home: Path) -> None:
    with embedded.running(new_home / "market", QUICKLY_MADE) as server:
        assert ask(server, "SELECT 1") == "1"
    assert new_home.stat().st_mode & 0o077 in {0o000, 0o001}  # passed through at most, never listed


def test_a_socket_folder_of_somebody_else_is_refused(new_home: Path) -> None:
    home = new_home / ("x" * 120)
    home.mkdir()
    Server(home).socket_folder.symlink_to(new_home)
    with pytest.raises(CannotStart, match="belongs to somebody else"), embedded.running(home, QUICKLY_MADE):
        pass
    Server(home).socket_folder.unlink()


def test_a_server_that_cannot_start_shows_its_log(new_home: Path) -> None:
    with embedded.running(new_home, QUICKLY_MADE) as server:
        ask(server, "SELECT 1")
    with (
        pytest.raises(CannotStart, match="no_such_setting"),
        embedded.running(new_home, {"no_such_setting": "1"}),
    ):
        pass


def kill_everything(server: Server) -> None:
    while pids := server._processes_here():
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def test_who_started_the_server_may_leave_it_to_others(new_home: Path) -> None:
    with embedded.running(new_home) as first, warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        first.leave_to_others()
        gc.collect()
        assert first.is_running()
    assert [each for each in complaints if each.category is ResourceWarning] == []
