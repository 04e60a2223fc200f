"""Backup and restore: what comes back is what was there, row by row and byte by byte, or nothing at all."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app import archive, backup, embedded, files, restore, snapshot
from app.archive import Damaged, Manifest
from app.clock import frozen
from app.database import engine, sessions
from app.restore import NotEmpty, NotFitting
from app.settings import settings
from catalog import renditions
from migrations import history
from orders import forgetting
from tests import factories, pictures
from tests.app.markets import at_home, everything_in, files_in
from tests.ground.databases import TUESDAY_MORNING, clean, empty_database
from tests.ground.homes import NewHome
from tests.orders import every_state
from tests.orders import factories as orders


@dataclass(frozen=True)
class Kept:
    """A backup, and what the market held when it was made."""

    file: Path
    rows: dict[str, str]
    files: dict[str, str]


@pytest.fixture(scope="module")
async def kept(migrated_database: str, homes: NewHome) -> Kept:
    """A backup of a market with an order in every state and pictures; the market itself is gone."""
    with at_home(homes()) as home, frozen(TUESDAY_MORNING) as clock:
        async with sessions()() as session:
            made = await every_state.market(session, clock)
            await every_state.photo(session, await every_state.stall_of(session, made[0]), pictures.jpeg(40, 30))
        file = await backed_up(home / "market.tar")
        kept = Kept(file, await everything_in(migrated_database), files_in(home))
        async with engine().begin() as connection:
            await clean(connection)
    return kept


@pytest.fixture
async def elsewhere(test_server: embedded.Server) -> AsyncIterator[str]:
    """An empty database of another installation."""
    async with empty_database(test_server, f"test_{os.getpid()}_elsewhere") as url:
        yield url


async def test_every_row_and_every_file_comes_back(kept: Kept, elsewhere: str, homes: NewHome) -> None:
    with at_home(homes()) as other_home:
        back = await restore.restore(elsewhere, kept.file)
        assert await everything_in(elsewhere) == kept.rows
        assert files_in(other_home) == kept.files
    assert back.files == len(kept.files) > 5
    assert {"holds", "ledger_entries", "order_events", "jobs", "photos"} <= set(kept.rows)


async def test_the_databases_guards_stand_again(kept: Kept, elsewhere: str, homes: NewHome) -> None:
    with at_home(homes()):
        await restore.restore(elsewhere, kept.file)
    assert await guards_of(elsewhere) == await guards_of(database())
    with pytest.raises(Exception, match="append-only"):
        await execute(elsewhere, "UPDATE ledger_entries SET satang = 0")


async def test_a_market_in_use_is_not_buried(kept: Kept, elsewhere: str) -> None:
    await history.upgrade(elsewhere)
    engine = create_async_engine(elsewhere, poolclass=NullPool)
    async with AsyncSession(engine) as session, session.begin():
        await factories.person(session)
    with pytest.raises(NotEmpty, match="people: 1"):
        await restore.restore(elsewhere, kept.file)
    assert await execute(elsewhere, "SELECT count(*) FROM people") == [1]


async def test_a_market_that_only_opened_counts_as_empty(kept: Kept, elsewhere: str, homes: NewHome) -> None:
    await history.upgrade(elsewhere)
    await execute(
        elsewhere,
        "INSERT INTO jobs (id, kind, payload, key, run_after_at, attempts, created_at)"
        " VALUES (gen_random_uuid(), 'jobs.forget', '{}', 'every', now(), 0, now())",
    )
    with at_home(homes()):
        await restore.restore(elsewhere, kept.file)
    assert await everything_in(elsewhere) == kept.rows


async def test_a_damaged_file_changes_nothing(kept: Kept, elsewhere: str, tmp_path: Path) -> None:
    whole = kept.file.read_bytes()
    for place in range(200, len(whole), len(whole) // 40):
        broken = tmp_path / "broken.tar"
        broken.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            archive.verified(broken)
        except Damaged:
            continue
        assert is_padding(kept.file, place), place
    with pytest.raises(Damaged, match="Nothing was changed"):
        await restore.restore(elsewhere, await broken_in_a_table(kept.file, tmp_path))
    assert await everything_in(elsewhere) == {}


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.9999])
async def test_a_file_that_was_cut_off_is_refused(kept: Kept, elsewhere: str, tmp_path: Path, part: float) -> None:
    with tarfile.open(kept.file) as tar:
        last = tar.getmembers()[-1]
    cut = tmp_path / "cut.tar"
    cut.write_bytes(kept.file.read_bytes()[: int((last.offset_data + last.size) * part)])
    with pytest.raises(Damaged, match=r"not a backup|not whole|not a whole"):
        await restore.restore(elsewhere, cut)
    assert await everything_in(elsewhere) == {}


async def test_a_backup_of_a_newer_market_is_refused(database: str, elsewhere: str, tmp_path: Path) -> None:
    file = tmp_path / "newer.tar"
    with archive.writing(file) as writer:
        writer.begin({"revision": "9999_from_the_future"})
        writer.finish({"tables": {}})
    with pytest.raises(NotFitting, match="9999_from_the_future"):
        await restore.restore(elsewhere, file)
    assert await everything_in(elsewhere) == {}


async def test_an_older_backup_moves_forward(elsewhere: str, test_server: embedded.Server, tmp_path: Path) -> None:
    async with empty_database(test_server, f"test_{os.getpid()}_older") as older:
        await history.upgrade(older, "0005_incubation_centers")
        await execute(
            older,
            "INSERT INTO people (id, name, email, password_hash, lang, created_at)"
            " VALUES (gen_random_uuid(), 'สุดา', 'suda@example.org', '-', 'th', now())",
        )
        with archive.writing(tmp_path / "older.tar") as writer:
            await backup.take(older, writer)
    back = await restore.restore(elsewhere, tmp_path / "older.tar")
    assert back.revision == "0005_incubation_centers"
    assert await execute(elsewhere, "SELECT name FROM people") == ["สุดา"]
    assert await history.revision_of(elsewhere) == history.newest()


async def test_a_backup_shows_one_moment(session: AsyncSession, tmp_path: Path) -> None:
    """What is written while it is made is not in it, not even half."""
    async with snapshot.taken(database()) as taken:
        await taken.connection.execute(text("SELECT 1"))
        await factories.person(session)
        await session.commit()
        assert await taken.connection.scalar(text("SELECT count(*) FROM people")) == 0
    assert await session.scalar(text("SELECT count(*) FROM people")) == 1


async def test_files_stay_while_a_backup_may_come_for_them(session: AsyncSession) -> None:
    assert not await snapshot.is_being_read(session)
    await session.rollback()
    async with snapshot.taken(database()):
        assert await snapshot.is_being_read(session)
    assert not await snapshot.is_being_read(session)


async def test_pictures_are_forgotten_after_the_backup(session: AsyncSession, new_home: Path) -> None:
    with at_home(new_home):
        for number, forget in enumerate((renditions.forget, forgetting.delete_picture)):
            key = f"originals/{number}.jpg"
            await files.put(key, b"jpeg", "image/jpeg")
            async with snapshot.taken(database()):
                await forget({"keys": [key], "key": key})
            assert await files.exists(key)
            await forget({"keys": [key], "key": key})
            assert not await files.exists(key)
    assert await session.scalar(text("SELECT count(*) FROM jobs WHERE payload ->> 'key' IS NOT NULL")) == 2


async def test_one_backup_at_a_time(migrated_database: str, tmp_path: Path) -> None:
    async with snapshot.taken(database()):
        with pytest.raises(snapshot.BackupUnderWay):
            await backed_up(tmp_path / "second.tar")
    assert entries(tmp_path) == []


async def test_a_missing_picture_is_named_and_does_not_stop_the_backup(session: AsyncSession, tmp_path: Path) -> None:
    photo = await every_state.photo(session, await orders.stall(session), pictures.jpeg(40, 30), made_ready=False)
    await files.delete(photo.original_key)
    with archive.writing(tmp_path / "again.tar") as writer:
        taken = await backup.take(database(), writer)
    assert taken.missing == [photo.original_key]
    assert archive.verified(tmp_path / "again.tar")["missing_files"] == [photo.original_key]


async def test_large_tables_are_cut_between_rows(session: AsyncSession, tmp_path: Path, elsewhere: str) -> None:
    await session.execute(
        text(
            "INSERT INTO attempts SELECT gen_random_uuid(), repeat(md5(n::text), 40) || E'\\n\\\\.', now()"
            " FROM generate_series(1, 8000) n"
        )
    )
    await session.commit()
    manifest = await manifest_of(tmp_path / "large.tar")
    assert manifest["tables"]["attempts"]["rows"] == 8000
    assert len([name for name in names_in(tmp_path / "large.tar") if "/attempts/" in name]) > 2
    await restore.restore(elsewhere, tmp_path / "large.tar")
    assert await everything_in(elsewhere) == await everything_in(database())


async def test_a_backup_is_for_its_owner_and_replaces_nothing(migrated_database: str, tmp_path: Path) -> None:
    file = await backed_up(tmp_path / "market.tar")
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(archive.CannotWrite, match="exists already"):
        await backed_up(file)
    assert entries(tmp_path) == [file.name]


def entries(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def database() -> str:
    url = settings().database_url
    assert url is not None
    return url


async def backed_up(file: Path) -> Path:
    with archive.writing(file) as writer:
        await backup.take(database(), writer)
    return file


async def manifest_of(file: Path) -> Manifest:
    return archive.verified(await backed_up(file))


def names_in(file: Path) -> list[str]:
    with tarfile.open(file) as tar:
        return tar.getnames()


async def broken_in_a_table(file: Path, folder: Path) -> Path:
    with tarfile.open(file) as tar:
        member = next(member for member in tar if "/ledger_entries/" in member.name)
    broken = folder / "broken-table.tar"
    shutil.copy(file, broken)
    with broken.open("r+b") as opened:
        opened.seek(member.offset_data + member.size // 2)
        opened.write(hashlib.sha256(b"dirt").digest())
    return broken


def is_padding(file: Path, place: int) -> bool:
    """Whether a byte belongs to nothing: the rest of a member's last block, or of the file's end."""
    with tarfile.open(file) as tar:
        for member in tar:
            blocks = -(-member.size // 512) * 512
            if member.offset <= place < member.offset_data + blocks:
                return place >= member.offset_data + member.size or place < member.offset_data
    return True


async def guards_of(url: str) -> list[str]:
    """Triggers, constraints and indexes, as the database itself writes them."""
    triggers = "SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
    constraints = (
        "SELECT conrelid::regclass::text || conname || pg_get_constraintdef(oid) || convalidated::text"
        " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
    )
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    return sorted([str(row) for question in (triggers, constraints, indexes) for row in await execute(url, question)])


async def execute(url: str, statement: str) -> list[object]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        result = await connection.execute(text(statement.replace(":", r"\:")))
        return list(result.scalars()) if result.returns_rows else []
