"""Certificates and labels: structured records, so that a badge means something and an expired one hides itself.

Kinds and number patterns follow what the Thai authorities print (FDA frame, TISI's community product standard, CDD's
OTOP stars); where no pattern is published, any number is taken.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, Utc
from app.errors import NotFound, Refusal
from app.language import N_, Named
from app.people import Person
from producers.groups import Group

STARS: Final = ("1", "2", "3", "4", "5")


class WrongFdaNumber(Refusal):
    status = 422
    message = N_("The number in the FDA (อย.) frame has 13 digits, like 10-3-03468-5-0007.")


class WrongTcpsNumber(Refusal):
    status = 422
    message = N_("A community product standard (มผช.) number looks like มผช. 123/2558.")


class WrongGiNumber(Refusal):
    status = 422
    message = N_("A geographical indication number looks like สช 58100067: สช and eight digits.")


class StarsMissing(Refusal):
    status = 422
    message = N_("Please choose how many OTOP stars, 1 to 5.")


class NumberMissing(Refusal):
    status = 422
    message = N_("Please write the number on the certificate.")


class EndsBeforeItStarts(Refusal):
    status = 422
    message = N_("This certificate would expire before it was issued. Please check the dates.")


class CertificateKind(Named):
    fda = "fda", "อย.", "Thai FDA"
    tcps = "tcps", "มผช.", "Community product standard"
    otop = "otop", "OTOP", "OTOP"
    organic = "organic", "เกษตรอินทรีย์", "Organic"
    pgs = "pgs", "PGS รับรองกันเอง", "PGS organic"
    gap = "gap", "GAP", "GAP"
    gi = "gi", "สิ่งบ่งชี้ทางภูมิศาสตร์ (GI)", "Geographical indication"
    halal = "halal", "ฮาลาล", "Halal"
    homestay = "homestay", "มาตรฐานโฮมสเตย์ไทย", "Thai homestay standard"
    cbt = "cbt", "มาตรฐานท่องเที่ยวโดยชุมชน", "CBT Thailand standard"
    guide = "guide", "ใบอนุญาตมัคคุเทศก์", "Licensed guide"
    other = "other", "อื่น ๆ", "Other"


NUMBER_HINTS: Final = {
    CertificateKind.fda: N_("13 digits in the FDA frame, like 10-3-03468-5-0007"),
    CertificateKind.tcps: N_("Like มผช. 123/2558"),
    CertificateKind.gi: N_("Like สช 58100067"),
}
#: Kinds whose number may be left out.
_NUMBERLESS: Final = (CertificateKind.otop, CertificateKind.cbt)


class Certificate(Base):
    __tablename__ = "certificates"
    __table_args__ = (
        CheckConstraint("expires_on >= issued_on", name="ends_after_it_starts"),
        Index("ix_certificates_group_id_kind", "group_id", "kind"),
    )

    id: Mapped[Id]
    group_id: Mapped[UUID] = mapped_column(ForeignKey("groups.id"))
    kind: Mapped[str]
    number: Mapped[str | None]
    detail: Mapped[str | None]
    """Stars of OTOP, else the standard, level or product in the certificate's words."""
    issuer: Mapped[str | None]
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    """The last day it is good for; None does not run out."""
    added_at: Mapped[Utc]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    verified_at: Mapped[datetime | None]
    verified_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    removed_at: Mapped[datetime | None]
    removed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    @property
    def of_kind(self) -> CertificateKind:
        return CertificateKind(self.kind)

    @property
    def name_th(self) -> str:
        return _badge(self.of_kind.name_th, self, "%s ดาว")

    @property
    def name_en(self) -> str:
        return _badge(self.of_kind.name_en, self, "%s stars")

    def is_living(self, on: date) -> bool:
        return self.removed_at is None and (self.expires_on is None or self.expires_on >= on)


def living(on: date) -> ColumnElement[bool]:
    """Condition: the certificate holds on that day."""
    return Certificate.removed_at.is_(None) & or_(Certificate.expires_on.is_(None), Certificate.expires_on >= on)


async def certificates_of(session: AsyncSession, group_id: UUID) -> Sequence[Certificate]:
    """Return a group's certificates, the expired ones too (its desk shows them), newest first."""
    return (
        await session.scalars(
            select(Certificate)
            .where(Certificate.group_id == group_id, Certificate.removed_at.is_(None))
            .order_by(Certificate.added_at.desc(), Certificate.id.desc())
        )
    ).all()


async def living_of(session: AsyncSession, group_ids: Sequence[UUID]) -> dict[UUID, list[Certificate]]:
    """Return what the pages of these groups may show today, by group."""
    rows = await session.scalars(
        select(Certificate)
        .where(Certificate.group_id.in_(group_ids), living(clock.business_day()))
        .order_by(Certificate.kind, Certificate.id)
    )
    found: dict[UUID, list[Certificate]] = {}
    for row in rows:
        found.setdefault(row.group_id, []).append(row)
    return found


async def certificate_of(session: AsyncSession, group_id: UUID, certificate_id: UUID) -> Certificate:
    """Return one of the group's own certificates; refuses with `NotFound`."""
    found = await session.scalar(
        select(Certificate).where(
            Certificate.group_id == group_id, Certificate.id == certificate_id, Certificate.removed_at.is_(None)
        )
    )
    if found is None:
        raise NotFound
    return found


async def add(
    session: AsyncSession,
    group: Group,
    kind: CertificateKind,
    *,
    number: str | None = None,
    detail: str | None = None,
    issuer: str | None = None,
    issued_on: date | None = None,
    expires_on: date | None = None,
    by: Person | None = None,
) -> Certificate:
    """Add a certificate that staff have not seen yet.  Refuses a number that cannot be of that kind."""
    if issued_on and expires_on and expires_on < issued_on:
        raise EndsBeforeItStarts(field="expires_on")
    if kind is CertificateKind.otop and detail not in STARS:
        raise StarsMissing(field="detail")
    certificate = Certificate(
        group_id=group.id,
        kind=kind,
        number=checked_number(kind, number),
        detail=detail,
        issuer=issuer,
        issued_on=issued_on,
        expires_on=expires_on,
        added_at=clock.now(),
        added_by=by.id if by else None,
    )
    session.add(certificate)
    await session.flush()
    return certificate


def verify(certificate: Certificate, *, by: Person) -> None:
    """Say that staff have seen the paper."""
    certificate.verified_at, certificate.verified_by = clock.now(), by.id


def remove(certificate: Certificate, *, by: Person) -> None:
    certificate.removed_at, certificate.removed_by = clock.now(), by.id


def checked_number(kind: CertificateKind, typed: str | None) -> str | None:
    """Return a number as the authority prints it, from how people type it; refuses what cannot be one."""
    number = (typed or "").translate(_ARABIC).strip()
    if not number:
        if kind in _NUMBERLESS:
            return None
        raise NumberMissing(field="number")
    match kind:
        case CertificateKind.fda:
            return _fda(number)
        case CertificateKind.tcps:
            return _tcps(number)
        case CertificateKind.gi:
            return _gi(number)
        case _:
            return number


_ARABIC: Final = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")


def _fda(number: str) -> str:
    digits = re.sub(r"[\s\-–./]", "", re.sub(r"^อย\.?", "", number))
    found = re.fullmatch(r"(\d{2})(\d)(\d{5})(\d)(\d{4})", digits)
    if found is None:
        raise WrongFdaNumber(field="number")
    return "-".join(found.groups())


def _tcps(number: str) -> str:
    found = re.fullmatch(r"(?:มผช\.?)?\s*(\d{1,4})\s*/\s*(25\d{2})", number)
    if found is None:
        raise WrongTcpsNumber(field="number")
    return f"มผช. {found[1]}/{found[2]}"


def _gi(number: str) -> str:
    found = re.fullmatch(r"(?:สช\.?)?\s*(\d{8})", number)
    if found is None:
        raise WrongGiNumber(field="number")
    return f"สช {found[1]}"


def _badge(name: str, certificate: Certificate, stars: str) -> str:
    return f"{name} {stars % certificate.detail}" if certificate.kind == CertificateKind.otop else name
