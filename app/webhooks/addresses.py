"""Which addresses the market opens when somebody asks it to: public ones on the internet, never a machine beside it.

A hook's address is typed by a person we do not know, and our worker stands inside a network that trusts it.  So the
name is looked up right before sending, every address it has must be public, and the connection goes to exactly the
address that was checked (`Target.address`): a name that answers differently a moment later gains nothing.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from app.errors import Refusal
from app.language import N_
from app.settings import settings

LONGEST: Final = 500
HTTPS_PORT: Final = 443
HTTP_PORT: Final = 80
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""May be told things only where `WEBHOOKS_LOCAL` says so: while somebody writes a program."""
INNER_NAMES: Final = (".localhost", ".local", ".internal", ".home.arpa")
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressUnclear(Refusal):
    status = 422
    message = N_("Please write the whole address, such as https://example.com/market")


class NotEncrypted(Refusal):
    status = 422
    message = N_("The address must begin with https://")


class AddressNotPublic(Refusal):
    status = 422
    message = N_("This address is not on the public internet, so we cannot send anything there.")


class UnknownHost(Refusal):
    status = 422
    message = N_("There is no server of this name.")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: an address that was checked, and the name that the server must prove to have."""

    address: str
    host: str
    port: int
    is_encrypted: bool

    @property
    def origin(self) -> str:
        name = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.is_encrypted else 'http'}://{name}:{self.port}"


def checked(url: str) -> str:
    """Return the address if it can be one of a hook; nothing is looked up.

    Refuses with `AddressUnclear`, `NotEncrypted`, `AddressNotPublic`.
    """
    parts = _split(url.strip())
    host = parts.hostname or ""
    if not _is_local(host):
        if parts.scheme != "https":
            raise NotEncrypted(field="url")
        if not _may_be_public(host):
            raise AddressNotPublic(field="url")
    return parts.geturl()


async def targets(url: str) -> list[Target]:
    """Look the name up and return where to connect; refuses as `checked`, and with `UnknownHost`."""
    parts = urlsplit(checked(url))
    host, is_encrypted = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (HTTPS_PORT if is_encrypted else HTTP_PORT)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UnknownHost(field="url") from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not _is_local(host) and not all(is_public(ipaddress.ip_address(each)) for each in addresses):
        raise AddressNotPublic(field="url")
    return [Target(each, host, port, is_encrypted) for each in addresses]


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """True for an address that anybody on the internet may open; one inside another counts as the inner one."""
    if isinstance(address, IPv6Address) and (inner := _inner(address)):
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_makes_sense = parts.port != 0
    except ValueError:
        raise AddressUnclear(field="url") from None
    has_secret = parts.username is not None or parts.password is not None
    is_clean = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and not parts.fragment
    if not (parts.hostname and port_makes_sense and is_clean) or has_secret or len(url) > LONGEST:
        raise AddressUnclear(field="url")
    if parts.scheme not in {"http", "https"}:
        raise AddressUnclear(field="url")
    return parts


def _may_be_public(host: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        name = host.rstrip(".").lower()
        return "." in name and not name.endswith(INNER_NAMES)


def _is_local(host: str) -> bool:
    return settings().webhooks_local and host in LOCAL_HOSTS


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64)."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
