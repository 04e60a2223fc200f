"""Where webhooks may go: to the public internet, never to a machine beside the market."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Refusal
from app.settings import settings
from app.webhooks import addresses
from app.webhooks.addresses import AddressNotPublic, AddressUnclear, NotEncrypted, UnknownHost

BESIDE_US = [
    "https://localhost/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://10.0.0.7/hook",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://0.0.0.0/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://database/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://app.localhost./",
]
UNCLEAR = [
    "",
    "example.com",
    "ftp://example.com/",
    "https://",
    "https://user:secret@example.com/",
    "https://example.com/#part",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com/\r\nHost: x",
    "https://ตลาด.ไทย/",
    "https://example.com/" + "a" * 500,
]


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting that lets webhooks go to this machine."""
    monkeypatch.setenv("WEBHOOKS_LOCAL", "1")
    settings.cache_clear()


@pytest.fixture(autouse=True)
def _settings_anew() -> Iterator[None]:
    yield
    settings.cache_clear()


@pytest.mark.parametrize("url", BESIDE_US)
def test_an_address_beside_us_is_refused(url: str) -> None:
    with pytest.raises(AddressNotPublic):
        addresses.checked(url)


@pytest.mark.parametrize("url", UNCLEAR)
def test_an_unclear_address_is_refused(url: str) -> None:
    with pytest.raises(AddressUnclear):
        addresses.checked(url)


def test_a_public_address_must_be_encrypted() -> None:
    assert addresses.checked(" https://example.com/market?x=1 ") == "https://example.com/market?x=1"
    with pytest.raises(NotEncrypted):
        addresses.checked("http://example.com/market")


@given(st.text(max_size=60))
def test_whatever_is_typed_is_an_address_or_refused(typed: str) -> None:
    with suppress(Refusal):
        assert urlsplit(addresses.checked(f"https://{typed}")).scheme == "https"


@given(st.ip_addresses())
def test_a_private_address_is_private_however_it_is_dressed(address: object) -> None:
    plain = ip_address(str(address))
    if plain.version == 4:
        dressed = [ip_address(f"::ffff:{plain}"), ip_address((0x64FF9B << 96) + int(plain))]
        assert [addresses.is_public(each) for each in dressed] == [addresses.is_public(plain)] * 2


async def test_a_name_that_leads_beside_us_is_refused_when_it_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server of somebody else's may say anything; the test's own one says 10.0.0.7."""

    async def says_inside(*_args: object, **_more: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("93.184.215.14", 443)), (0, 0, 0, "", ("10.0.0.7", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", says_inside, raising=False)
    with pytest.raises(AddressNotPublic):
        await addresses.targets("https://rebinding.example.com/")


async def test_a_name_nobody_has_is_told_as_such() -> None:
    with pytest.raises(UnknownHost):
        await addresses.targets("https://no-such-name.invalid/")


async def test_this_machine_may_be_told_things_only_where_the_setting_says_so(local: None) -> None:
    [first, *_] = await addresses.targets("http://localhost:8081/hook")
    assert (first.port, first.is_encrypted) == (8081, False)
    with pytest.raises(AddressNotPublic):
        addresses.checked("https://10.0.0.7/")
