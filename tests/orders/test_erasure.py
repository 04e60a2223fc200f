"""Personal data that goes: on a wish, or by itself after its time.  The books stay, and no transfer pays twice."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import access, files, mail, people
from app.access import Role
from app.clock import FrozenClock
from app.erasures import Erasure
from app.mail import Notice
from app.people import Person
from app.worker import work_off
from orders import cancellation, erasure, forgetting, hand_over, order, payments, refunds, slips
from orders.erasure import BUYERS_KEPT, NEVER_PAID_KEPT
from orders.order import Order
from orders.refunds import RefundReason
from orders.slips import Slip, SlipPicture, SlipUsedBefore
from orders.states import BUYER
from producers import ledger, members
from tests import factories as someone
from tests.orders import factories
from tests.orders.factories import GROUP, MALI, STAFF, replace

TELLTALES = ("มะลิ", "891112222", "mali@", "12 หมู่ 3", "ฝากป้าแดง", "กสิกร 123")


async def done_order(session: AsyncSession, buyer: Person | None = None) -> Order:
    """An order that was paid and handed over, with a note to the group."""
    stall = await factories.stall(session)
    bought_by = replace(MALI, note="ฝากป้าแดงไว้", person_id=buyer.id if buyer else None)
    placed = await factories.paid_order(session, (stall, 1000), buyer=bought_by)
    await hand_over.hand_over(session, (await factories.only_part(session, placed)).id, GROUP, None)
    return placed


async def paid_by_slip(session: AsyncSession, picture: SlipPicture) -> tuple[Order, Slip]:
    placed = await factories.order(session, (await factories.stall(session), 1000))
    slip = await slips.send_slip(session, placed, picture)
    await slips.accept_slip(session, await someone.staff(session), slip.id, placed.total_satang, STAFF)
    return placed, slip


async def everything(session: AsyncSession) -> str:
    """All rows of all tables, as text."""
    await session.flush()
    names = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    rows = [await session.scalars(text(f'SELECT t::text FROM "{name}" t')) for name in names.all()]
    return "\n".join(row for table in rows for row in table)


async def test_nothing_of_a_person_is_left_in_any_table(session: AsyncSession) -> None:
    mali = await someone.person(session, name="มะลิ ใจเย็น", email="mali@example.com", phone="+66891112222")
    people.open_browser(session, mali, device="Android · มะลิ")
    await done_order(session, mali)
    before = await everything(session)
    await erasure.erase_person(session, mali)
    after = await everything(session)
    assert all(telltale in before for telltale in TELLTALES[:5])
    assert [telltale for telltale in TELLTALES if telltale in after] == []


async def test_an_erased_order_keeps_its_amounts_and_its_province(session: AsyncSession) -> None:
    placed = await done_order(session)
    number, total = placed.number, placed.total_satang
    await erasure.erase_guest_order(session, placed)
    await session.refresh(placed)
    assert (placed.number, placed.total_satang, placed.subdistrict_code) == (number, total, "31")
    assert len(await order.lines_of(session, [part.id for part in await order.parts_of(session, placed.id)])) == 1
    assert await ledger.sum_of_all(session) == 0


async def test_an_erased_order_is_found_by_no_phone(session: AsyncSession) -> None:
    placed = await done_order(session)
    await erasure.erase_guest_order(session, placed)
    assert await order.by_number_and_phone(session, placed.number, "") is None
    assert await order.by_link(session, placed.link_token) is placed


async def test_an_erasure_is_told_without_the_name(session: AsyncSession) -> None:
    mali = await someone.person(session, name="มะลิ")
    await done_order(session, mali)
    await erasure.erase_person(session, mali)
    told = (await session.scalars(select(Erasure))).one()
    assert (told.subject, told.subject_id, told.counts["orders"]) == ("person", mali.id, 1)


async def test_the_only_owner_of_a_living_group_cannot_vanish(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    with pytest.raises(members.OnlyOwner) as refusal:
        await erasure.erase_person(session, stall.owner)
    assert str(stall.group.name_en) in refusal.value.text("en")
    assert stall.owner.erased_at is None


async def test_an_owner_among_others_goes_and_the_group_stays(session: AsyncSession) -> None:
    stall = await factories.stall(session)
    other = await someone.person(session)
    await access.grant(session, other, Role.owner, group_id=stall.group.id)
    await erasure.erase_person(session, stall.owner)
    assert [member.person.id for member in await members.members_of(session, stall.group.id)] == [other.id]


async def test_nobody_is_erased_while_their_order_is_under_way(session: AsyncSession) -> None:
    mali = await someone.person(session, name="มะลิ")
    buyer = replace(MALI, person_id=mali.id)
    await factories.paid_order(session, (await factories.stall(session), 1000), buyer=buyer)
    with pytest.raises(erasure.OrderUnderWay):
        await erasure.erase_person(session, mali)


async def test_a_guest_waits_for_their_money_before_they_vanish(session: AsyncSession) -> None:
    placed = await factories.order(session, (await factories.stall(session), 1000))
    await cancellation.cancel(session, placed, BUYER, "ฝากป้าแดง")
    await payments.settle(session, placed, placed.total_satang, STAFF)
    await refunds.say_where(session, placed, "กสิกร 123 มะลิ")
    with pytest.raises(erasure.MoneyUnderWay):
        await erasure.erase_guest_order(session, placed)


async def test_a_refund_that_was_made_forgets_where_the_buyer_was_asked(session: AsyncSession) -> None:
    placed = await done_order(session)
    (task,) = await refunds.owe(session, placed, 100, RefundReason.given_back, explanation="ฝากป้าแดง")
    task.email, task.pay_to = "mali@example.com", "กสิกร 123"
    await refunds.finish(session, await someone.staff(session), task.id, STAFF, "มะลิ")
    await erasure.erase_guest_order(session, placed)
    await session.refresh(task)
    assert [name for name in ("email", "pay_to", "explanation", "note") if getattr(task, name)] == []


async def test_an_order_of_an_account_is_not_erased_by_whoever_has_its_link(session: AsyncSession) -> None:
    placed = await done_order(session, await someone.person(session))
    with pytest.raises(erasure.OfAnAccount):
        await erasure.erase_guest_order(session, placed)


async def test_a_slip_loses_its_picture_after_ninety_days_and_never_pays_again(
    session: AsyncSession, clock: FrozenClock
) -> None:
    picture = factories.slip("0199ABC")
    await files.put(picture.file_key, b"jpeg", "image/jpeg")
    _, slip = await paid_by_slip(session, picture)
    await session.commit()
    clock.jump(forgetting.PICTURES_KEPT + timedelta(minutes=1))
    await forgetting.forget_old_pictures({})
    await work_off()
    await session.refresh(slip)
    assert not await files.exists(picture.file_key)
    assert (slip.trans_ref, slip.bank_code) == (None, "004")
    again = factories.slip("0199ABC")
    other = await factories.order(session, (await factories.stall(session), 1000))
    with pytest.raises(SlipUsedBefore):
        await slips.send_slip(session, other, again)


async def test_a_young_slip_keeps_its_picture(session: AsyncSession, clock: FrozenClock) -> None:
    picture = factories.slip("0199ABD")
    await files.put(picture.file_key, b"jpeg", "image/jpeg")
    _, slip = await paid_by_slip(session, picture)
    await session.commit()
    clock.jump(forgetting.PICTURES_KEPT - timedelta(hours=1))
    await forgetting.forget_old_pictures({})
    await session.refresh(slip)
    assert slip.picture_gone_at is None
    assert slip.trans_ref == "0199ABD"


async def test_slips_of_older_markets_get_their_fingerprint_when_they_are_forgotten(
    session: AsyncSession, clock: FrozenClock
) -> None:
    picture = factories.slip("0199ABE")
    _, slip = await paid_by_slip(session, picture)
    expected, slip.transfer_hash = slip.transfer_hash, None
    await session.commit()
    clock.jump(forgetting.PICTURES_KEPT + timedelta(minutes=1))
    await forgetting.forget_old_pictures({})
    await session.refresh(slip)
    assert slip.transfer_hash == expected


async def test_who_bought_is_forgotten_after_its_years(session: AsyncSession, clock: FrozenClock) -> None:
    placed = await done_order(session)
    await session.commit()
    clock.jump(BUYERS_KEPT - timedelta(days=1))
    await forgetting.forget_old_buyers({})
    await session.refresh(placed)
    assert placed.buyer_name == MALI.name
    clock.jump(timedelta(days=2))
    await forgetting.forget_old_buyers({})
    await session.refresh(placed)
    assert (placed.buyer_name, placed.buyer_phone, placed.address_line) == ("", "", None)


async def test_who_never_paid_is_forgotten_sooner(session: AsyncSession, clock: FrozenClock) -> None:
    placed = await factories.order(session, (await factories.stall(session), 1000))
    await cancellation.cancel(session, placed, BUYER, None)
    await session.commit()
    clock.jump(NEVER_PAID_KEPT + timedelta(days=1))
    await forgetting.forget_old_buyers({})
    await session.refresh(placed)
    assert placed.erased_at is not None


async def test_old_notices_and_ended_sign_ins_lose_their_words(session: AsyncSession, clock: FrozenClock) -> None:
    mali = await someone.person(session)
    people.open_browser(session, mali, device="phone")
    notice = await mail.keep(session, to="mali@example.com", lang="th", subject="hello", body="มะลิ")
    await session.commit()
    clock.jump(mail.KEPT + people.SESSION_LASTS + people.SIGN_IN_KEPT + timedelta(days=1))
    await mail.forget({})
    await people.forget_sign_ins({})
    await session.refresh(notice)
    assert (notice.to, notice.body_text, notice.subject) == ("", "", "hello")
    assert await session.scalar(select(people.SignIn.id)) is None
    assert await session.scalar(select(Notice.id)) == notice.id
