"""The `market` command: everything an operator does on the terminal."""

import asyncio
import secrets
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from email_validator import EmailNotValidError, validate_email

from app import access, archive, database, demo, home, people, processes, supervisor, web, worker
from app import backup as backups
from app import check as checking
from app import restore as restoring
from app.access import Role
from app.errors import Refusal
from app.language import ROOMS
from app.settings import settings
from migrations import drafting, history

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def market() -> None:
    """The community organisation market. Settings come from the environment; README lists them."""
    processes.begin()


@app.command()
def run() -> None:
    """Start database, web and worker, and stay until Ctrl-C."""
    signal.signal(signal.SIGTERM, _leave)
    # A shell starts what it puts into the background deaf to SIGINT; who asks us to stop shall be heard from the start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with home.occupied(), home.opened() as server:
            asyncio.run(supervisor.run(server))
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    _run(_migrate())


@app.command()
def seed() -> None:
    """Stock an empty market with the demo: centres, groups, listings and a year of orders."""
    _run(_seed())


@app.command(name="worker")
def work() -> None:
    """Do jobs (pictures, mails …) until stopped."""
    _run(worker.run())


@app.command(name="web")
def serve() -> None:
    """Serve web pages until stopped."""
    with home.opened():
        web.serve()


@app.command()
def create_staff(
    name: Annotated[str, typer.Option(prompt=True)],
    email: Annotated[str | None, typer.Option()] = None,
    phone: Annotated[str | None, typer.Option()] = None,
    password: Annotated[str | None, typer.Option(help="Made and printed when left out.")] = None,
) -> None:
    """Let somebody sign in as staff of the network."""
    if not email and not phone:
        email = typer.prompt("E-mail")
    chosen = password or secrets.token_urlsafe(12)
    if len(chosen) < people.LEAST_PASSWORD_LENGTH:
        _complain(f"--password: use at least {people.LEAST_PASSWORD_LENGTH} characters")
    _run(_create_staff(name, _email(email), _phone(phone), chosen))
    print(f"{name} can sign in as {email or phone}" + ("" if password else f" with the password {chosen}"))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; - is standard output.")],
    *,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Write the whole market, database and pictures, into one file; the market may stay open."""
    _run(_backup(file, overwrite=overwrite))


@app.command()
def restore(file: Path) -> None:
    """Bring a backup into an empty market; a damaged file, or a market in use, changes nothing."""
    with home.occupied():
        _run(_restore(file))


@app.command()
def check(
    *,
    all_files: Annotated[bool, typer.Option("--files", help="Look for every picture, not only for some.")] = False,
) -> None:
    """Verify what must always be true of a market, also while it is open; fails when something is wrong."""
    _run(_check(all_files=all_files))


@app.command()
def makemigration(room: Annotated[str, typer.Option(help=", ".join(ROOMS))]) -> None:
    """For developers: print what the room's migration still lacks."""
    if room not in ROOMS:
        _complain(f"--room: one of {', '.join(ROOMS)}")
    _run(_draft(room))


async def _migrate() -> None:
    await history.upgrade(_database_url())


async def _seed() -> None:
    await history.upgrade(_database_url())
    async with database.session_scope() as session:
        is_empty = await demo.is_empty(session)
    if not is_empty:
        _complain("This market is not empty, so the demo stays out of it.")
    await demo.seed(database.sessions())


async def _create_staff(name: str, email: str | None, phone: str | None, password: str) -> None:
    await history.upgrade(_database_url())
    async with database.session_scope() as session:
        person = await people.register(session, name=name, email=email, phone=phone, password=password)
        await access.grant(session, person, Role.staff)


async def _backup(file: Path, *, overwrite: bool) -> None:
    with archive.writing(file, overwrite=overwrite) as writer:
        taken = await backups.take(_database_url(), writer)
    for key in taken.missing:
        print(f"Missing in the file store, so not in the backup: {key}", file=sys.stderr)
    print(f"{taken.rows} rows and {taken.files} files are in {file}", file=sys.stderr)


async def _restore(file: Path) -> None:
    back = await restoring.restore(_database_url(), file)
    print(f"{back.rows} rows and {back.files} files are back, as of {back.taken_at} (tables of {back.revision}).")
    print("`market check` tells whether all is well.")


async def _check(*, all_files: bool) -> None:
    found = await checking.check(_database_url(), all_files=all_files)
    for finding in found:
        print(finding)
    wrong = sum(not finding.is_warning for finding in found)
    print(f"{wrong} things are wrong." if wrong else "All is well.")
    if wrong:
        raise typer.Exit(1)


async def _draft(room: str) -> None:
    print(await drafting.draft(_database_url(), room))


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        with home.opened():
            asyncio.run(work)
    except Refusal as refusal:
        _complain(refusal.text("en"))


def _database_url() -> str:
    url = settings().database_url
    assert url is not None, "home.opened() sets it"
    return url


def _email(text: str | None) -> str | None:
    try:
        return validate_email(text, check_deliverability=False).normalized if text else None
    except EmailNotValidError as error:
        _complain(f"--email: {error}")
        return None


def _phone(text: str | None) -> str | None:
    phone = people.e164(text) if text else None
    if text and not phone:
        _complain(f"--phone: {text} is not a phone number")
    return phone


def _complain(message: str) -> None:
    print(message, file=sys.stderr)
    raise typer.Exit(1)


def _leave(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM while starting: leave as from Ctrl-C, so that what was started is stopped."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    app()
