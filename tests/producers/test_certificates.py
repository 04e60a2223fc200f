"""Certificates: numbers that can be real, and expired ones that hide."""

from datetime import date, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import FrozenClock
from app.errors import NotFound
from producers import certificates
from producers.certificates import CertificateKind
from tests import factories
from tests.producers import factories as make


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("fda", "10-3-03468-5-0007", "10-3-03468-5-0007"),
        ("fda", "๑๐๓๐๓๔๖๘๕๐๐๐๗", "10-3-03468-5-0007"),
        ("fda", "อย. 10 3 03468 5 0007", "10-3-03468-5-0007"),
        ("tcps", "มผช.123/2558", "มผช. 123/2558"),
        ("tcps", "1351/2549", "มผช. 1351/2549"),
        ("gi", "สช 58100067", "สช 58100067"),
        ("otop", "", None),
        ("organic", "TAS 9000-1234", "TAS 9000-1234"),
    ],
)
def test_a_number_is_kept_as_the_authority_prints_it(kind: str, typed: str, kept: str | None) -> None:
    assert certificates.checked_number(CertificateKind(kind), typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed", "refusal"),
    [
        ("fda", "10-3-03468-5-000", certificates.WrongFdaNumber),
        ("fda", "อาหารดี", certificates.WrongFdaNumber),
        ("tcps", "123/2015", certificates.WrongTcpsNumber),
        ("gi", "สช 123", certificates.WrongGiNumber),
        ("halal", "  ", certificates.NumberMissing),
    ],
)
def test_a_number_that_cannot_be_is_refused(kind: str, typed: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        certificates.checked_number(CertificateKind(kind), typed)


async def test_an_expired_certificate_hides_itself(session: AsyncSession, clock: FrozenClock) -> None:
    group = await make.group(session)
    last_day = date(2026, 11, 24)
    await certificates.add(session, group, CertificateKind.halal, number="H-1", expires_on=last_day)

    assert [each.number for each in (await certificates.living_of(session, [group.id]))[group.id]] == ["H-1"]
    clock.jump(timedelta(days=1))

    assert await certificates.living_of(session, [group.id]) == {}
    assert [each.number for each in await certificates.certificates_of(session, group.id)] == ["H-1"]


async def test_otop_needs_its_stars(session: AsyncSession) -> None:
    group = await make.group(session)

    with pytest.raises(certificates.StarsMissing):
        await certificates.add(session, group, CertificateKind.otop, detail="หก")
    added = await certificates.add(session, group, CertificateKind.otop, detail="4")

    assert (added.name_th, added.name_en) == ("OTOP 4 ดาว", "OTOP 4 stars")


async def test_a_certificate_does_not_end_before_it_starts(session: AsyncSession) -> None:
    group = await make.group(session)

    with pytest.raises(certificates.EndsBeforeItStarts):
        await certificates.add(
            session,
            group,
            CertificateKind.gap,
            number="กษ 03-1",
            issued_on=date(2026, 5, 2),
            expires_on=date(2026, 5, 1),
        )


async def test_a_removed_certificate_is_gone(session: AsyncSession) -> None:
    group, owner = await make.group(session), await factories.person(session)
    added = await certificates.add(session, group, CertificateKind.halal, number="H-1")
    certificates.remove(added, by=owner)
    await session.flush()

    with pytest.raises(NotFound):
        await certificates.certificate_of(session, group.id, added.id)
    assert not added.is_living(date(2026, 11, 24))
