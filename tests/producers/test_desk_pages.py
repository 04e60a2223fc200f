"""The group's desk, the way in, and the staff's desk."""

from datetime import date

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import access
from app.access import Role, scope_of
from app.mail import Notice
from app.money import Satang
from app.people import Person
from producers import certificates, groups, members
from producers.certificates import CertificateKind
from producers.groups import Group, GroupState, Storage, Tier
from tests import factories
from tests.producers import factories as make
from tests.producers.desk import enter, sent, soup, words


@pytest.fixture
async def owner(session: AsyncSession) -> Person:
    return await factories.person(session, name="ป้าแดง")


@pytest.fixture
async def group(session: AsyncSession, client: httpx.AsyncClient, owner: Person) -> Group:
    """A group; `client` is signed in as its owner."""
    group = await make.group(session, owner=owner)
    await enter(client, session, owner)
    return group


async def fresh(session: AsyncSession, group: Group) -> Group:
    await session.refresh(group)
    return group


async def test_the_story_is_changed(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    path = f"/desk/groups/{group.slug}/about/story"

    await sent(client, path, name_th="กลุ่มทอผ้า", story_th="ทอมือ\nย้อมคราม", phone="081 234 5678")

    changed = await fresh(session, group)
    assert (changed.name_th, changed.phone, changed.slug) == ("กลุ่มทอผ้า", "+66812345678", "khao-mao-group")
    assert "ทอมือ ย้อมคราม" in words(await soup(client, f"/desk/groups/{group.slug}/about"))


async def test_a_wrong_phone_keeps_the_story_as_typed(client: httpx.AsyncClient, group: Group) -> None:
    page = await sent(
        client, f"/desk/groups/{group.slug}/about/story", 422, name_th="กลุ่มทอผ้า", story_th="ทอมือ", phone="12"
    )

    assert page.select_one("#f-phone-error")
    assert "ทอมือ" in words(page)


async def test_promptpay_needs_its_name(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    path = f"/desk/groups/{group.slug}/about/money"

    page = await sent(client, path, 422, promptpay_id="0812345678", whole="yes")
    assert page.select_one("#f-promptpay_name-error")
    await sent(client, path, promptpay_id="081-234-5678", promptpay_name="กลุ่มข้าวเม่า", whole="yes")

    changed = await fresh(session, group)
    assert (changed.promptpay_id, changed.promptpay_name) == ("0812345678", "กลุ่มข้าวเม่า")


async def test_an_editor_does_not_touch_the_money(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    await enter(client, session, await make.member(session, group, Role.editor))
    path = f"/desk/groups/{group.slug}/about/money"

    assert (await client.get(path)).status_code == 404
    await sent(client, path, 404, promptpay_id="0812345678", promptpay_name="ของฉัน")
    assert (await fresh(session, group)).promptpay_id is None


async def test_delivery_is_set_with_its_parcel_table(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    typed = {"ambient-0-kg": "1", "ambient-0-fee": "50", "ambient-2-kg": "2.5", "ambient-2-fee": "80"}

    await sent(client, f"/desk/groups/{group.slug}/about/delivery", parcel_enabled="yes", whole="yes", **typed)

    tables = await groups.parcel_tiers(session, [group.id])
    assert tables == {(group.id, Storage.ambient): [Tier(1000, Satang(50_00)), Tier(2500, Satang(80_00))]}
    assert (await fresh(session, group)).parcel_enabled


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ({"parcel_enabled": "yes"}, "parcel_enabled"),
        ({"pickup_enabled": "yes"}, "pickup_text_th"),
        ({"ambient-0-kg": "หนัก", "ambient-0-fee": "50"}, "ambient-0-kg"),
        ({"ambient-0-kg": "1"}, "ambient-0-fee"),
        ({"ambient-0-kg": "2", "ambient-0-fee": "5", "ambient-1-kg": "1", "ambient-1-fee": "5"}, "ambient"),
    ],
)
async def test_wrong_delivery_changes_nothing_and_is_kept(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, typed: dict[str, str], where: str
) -> None:
    await groups.set_parcel_tiers(session, group, Storage.chilled, [Tier(1000, Satang(90_00))])
    await session.commit()

    page = await sent(
        client, f"/desk/groups/{group.slug}/about/delivery", 422, pickup_text_en="Ask first", whole="yes", **typed
    )

    assert page.select_one(f'[id="f-{where}-error"]')
    assert "Ask first" in words(page)
    assert list(await groups.parcel_tiers(session, [group.id])) == [(group.id, Storage.chilled)]


async def test_a_wrong_line_of_the_parcel_table_is_named(client: httpx.AsyncClient, group: Group) -> None:
    typed = {"chilled-1-kg": "1", "chilled-1-fee": "แพง", "whole": "yes"}

    page = await sent(client, f"/en/desk/groups/{group.slug}/about/delivery", 422, **typed)

    summary = page.select_one("#form-errors")
    assert summary
    assert "Chilled goods · Line 2: fee in baht:" in words(summary)


@pytest.mark.parametrize("part", ["about/delivery", "about/money"])
async def test_half_a_form_takes_nothing_away(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, part: str
) -> None:
    await groups.set_parcel_tiers(session, group, Storage.chilled, [Tier(1000, Satang(90_00))])
    group.promptpay_id, group.promptpay_name = "0812345678", "กลุ่มข้าวเม่า"
    await session.commit()

    page = await sent(client, f"/desk/groups/{group.slug}/{part}", 422, junk="x")

    assert "ส่งมาไม่ครบ" in words(page)
    shown = page.select_one('[id="f-chilled-0-fee"], #f-promptpay_id')
    assert shown
    assert shown["value"] in {"90", "0812345678"}
    assert list(await groups.parcel_tiers(session, [group.id])) == [(group.id, Storage.chilled)]
    assert (await fresh(session, group)).promptpay_id == "0812345678"


async def test_somebody_comes_in_by_a_link(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    page = await sent(client, f"/desk/groups/{group.slug}/members/invite", 200, role="editor", hint="หลานแดง")
    shown = page.select_one(".panel .number")
    assert shown
    path = shown.get_text().removeprefix("http://localhost:8000")
    friend = await factories.person(session)

    client.cookies.clear()
    guest = await soup(client, path)
    assert [link["href"] for link in guest.select(".panel a")] == [
        f"/register?next={path.replace('/', '%2F')}",
        f"/sign-in?next={path.replace('/', '%2F')}",
    ]
    await enter(client, session, friend)
    await sent(client, path)

    assert (await scope_of(session, friend)).roles == {group.id: Role.editor}
    assert (await client.get(path)).status_code == 410


async def test_a_coordinators_role_cannot_be_given_by_a_group(client: httpx.AsyncClient, group: Group) -> None:
    for role in ("staff", "coordinator", "king"):
        page = await sent(client, f"/desk/groups/{group.slug}/members/invite", 422, role=role)
        assert page.select_one("#f-role-error")


async def test_an_invitation_is_taken_back(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    path = f"/desk/groups/{group.slug}/members"
    await sent(client, f"{path}/invite", 200, role="packer")
    form = (await soup(client, path)).select_one('form[action*="take-back"]')
    assert form

    await sent(client, str(form["action"]))

    assert await members.open_invitations(session, group.id) == []


async def test_the_last_owner_is_told_why_not(client: httpx.AsyncClient, group: Group, owner: Person) -> None:
    path = f"/desk/groups/{group.slug}/members"

    page = await sent(client, f"{path}/{owner.id}/end", 409)

    assert "กลุ่มต้องมีเจ้าของ" in words(page)
    assert "ป้าแดง" in words(page)


async def test_a_membership_is_ended(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    packer = await make.member(session, group, Role.packer)
    await session.commit()

    await sent(client, f"/desk/groups/{group.slug}/members/{packer.id}/end")

    assert (await scope_of(session, packer)).roles == {}


async def test_an_editor_neither_invites_nor_ends(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, owner: Person
) -> None:
    await enter(client, session, await make.member(session, group, Role.editor))
    path = f"/desk/groups/{group.slug}/members"

    assert (await client.get(f"{path}/invite")).status_code == 404
    await sent(client, f"{path}/invite", 404, role="packer")
    await sent(client, f"{path}/{owner.id}/end", 404)
    assert not (await soup(client, path)).select("main form")


async def test_a_certificate_is_added_and_removed(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    path = f"/desk/groups/{group.slug}/certificates"
    wrong = await sent(client, f"{path}/new", 422, kind="fda", number="123", issuer="สสจ.")
    error, issuer = wrong.select_one("#f-number-error"), wrong.select_one("#f-issuer")
    assert error
    assert "13 หลัก" in words(wrong)
    assert issuer
    assert issuer["value"] == "สสจ."

    await sent(client, f"{path}/new", kind="fda", number="1030346850007")

    page = await soup(client, path)
    assert "10-3-03468-5-0007" in words(page)
    form = page.select_one("main form")
    assert form
    await sent(client, str(form["action"]))
    assert await certificates.certificates_of(session, group.id) == []


async def test_nobody_removes_another_groups_certificate(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    other = await make.group(session, name_en="Other")
    added = await certificates.add(session, other, CertificateKind.halal, number="H-1")
    await session.commit()

    await sent(client, f"/desk/groups/{group.slug}/certificates/{added.id}/remove", 404)


APPLICATION = {
    "name_th": "กลุ่มจักสานบ้านเรา",
    "story_th": "สานกระบุงจากไม้ไผ่",
    "cluster": "processing-marketing",
    "phone": "0812345678",
    "area": "31110",
    "subdistrict_code": make.NONG_SANO,
}


async def test_a_group_applies_and_is_approved(client: httpx.AsyncClient, session: AsyncSession) -> None:
    person, center = await factories.person(session), await make.center(session)
    await enter(client, session, person)
    await sent(client, "/apply", **APPLICATION, center_id=str(center.id))
    [group] = await session.scalars(select(Group))
    assert (group.state, group.slug, group.region) == (GroupState.applied, "nong-sano", "northeast")

    await enter(client, session, await network_staff(session))
    assert "กลุ่มจักสานบ้านเรา" in words(await soup(client, "/staff/groups"))
    await sent(client, f"/staff/groups/{group.slug}/approve")
    await sent(client, f"/staff/groups/{group.slug}/approve")

    assert (await fresh(session, group)).is_approved
    assert [notice.to for notice in await session.scalars(select(Notice))] == [person.email]


async def test_an_application_without_its_place_comes_back_with_a_choice(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    person, center = await factories.person(session), await make.center(session)
    await enter(client, session, person)

    page = await sent(client, "/apply", 422, **(APPLICATION | {"subdistrict_code": ""}), center_id=str(center.id))

    assert page.select_one("#f-subdistrict_code-error")
    assert len(page.select("#f-subdistrict_code option")) > 2
    assert "สานกระบุงจากไม้ไผ่" in words(page)


@pytest.mark.parametrize("field", ["name_th", "story_th", "cluster", "phone", "center_id"])
async def test_an_application_names_what_is_missing(
    client: httpx.AsyncClient, session: AsyncSession, field: str
) -> None:
    person, center = await factories.person(session), await make.center(session)
    await enter(client, session, person)
    typed = {**APPLICATION, "center_id": str(center.id)} | {field: ""}

    page = await sent(client, "/en/apply", 422, **typed)

    assert page.select_one(f"#f-{field}-error")


async def test_a_guest_who_wants_to_sell_makes_an_account_first(client: httpx.AsyncClient) -> None:
    page = await soup(client, "/apply")

    assert "/register?next=%2Fapply" in [link["href"] for link in page.select("main a")]
    assert not page.select("main form")


async def test_an_application_is_turned_down_with_a_reason(
    client: httpx.AsyncClient, session: AsyncSession, group: Group, owner: Person
) -> None:
    await enter(client, session, await network_staff(session))
    await sent(client, f"/staff/groups/{group.slug}/close", 422, because="")
    await sent(client, f"/staff/groups/{group.slug}/close", because="ซ้ำกับกลุ่มเดิม")

    await enter(client, session, owner)
    assert "ซ้ำกับกลุ่มเดิม" in words(await soup(client, f"/desk/groups/{group.slug}/about"))


async def test_staff_look_at_a_certificate(client: httpx.AsyncClient, session: AsyncSession, group: Group) -> None:
    added = await certificates.add(session, group, CertificateKind.halal, number="H-1", expires_on=date(2099, 1, 1))
    await enter(client, session, await network_staff(session))

    await sent(client, f"/staff/groups/{group.slug}/certificates/{added.id}/verify")

    await session.refresh(added)
    assert added.verified_at


async def test_staff_invite_a_coordinator(client: httpx.AsyncClient, session: AsyncSession) -> None:
    center, friend = await make.center(session), await factories.person(session)
    await enter(client, session, await network_staff(session))
    page = await sent(client, "/staff/invite", 200, center_id=str(center.id))
    shown = page.select_one(".panel .number")
    assert shown

    await enter(client, session, friend)
    await sent(client, shown.get_text().removeprefix("http://localhost:8000"))

    assert (await scope_of(session, friend)).centers == {center.id}


async def test_the_staffs_desk_does_not_exist_for_others(
    client: httpx.AsyncClient, session: AsyncSession, group: Group
) -> None:
    paths = ["/staff/groups", f"/staff/groups/{group.slug}", "/staff/invite"]

    assert [(await client.get(path)).status_code for path in paths] == [404] * 3
    await sent(client, f"/staff/groups/{group.slug}/approve", 404)
    client.cookies.clear()
    assert [(await client.get(path)).status_code for path in paths] == [303] * 3


async def test_a_cloth_is_kept_for_ever(client: httpx.AsyncClient) -> None:
    answer = await client.get("/cloth/khao-mao-group.svg")

    assert answer.headers["content-type"] == "image/svg+xml"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.text.startswith("<svg")
    assert (await client.get("/cloth/KHAO%20MAO.svg")).status_code == 404
    assert (await client.get("/cloth/khao-mao-group.svg?kind=carpet")).status_code == 404


async def network_staff(session: AsyncSession) -> Person:
    person = await factories.person(session, name="เจ้าหน้าที่")
    await access.grant(session, person, Role.staff)
    return person
