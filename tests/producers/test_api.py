"""A group's program reads who they are and the books, and writes plans, income and costs."""

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Role
from orders import hand_over
from tests.ground.callers import program
from tests.orders import factories
from tests.orders.factories import GROUP, Stall, producers


async def earned(session: AsyncSession) -> Stall:
    """A stall that has sold two bags for 100 baht and delivery for 40."""
    stall = await factories.stall(session)
    order = await factories.paid_order(session, (stall, 2000))
    await hand_over.hand_over(session, (await factories.only_part(session, order)).id, GROUP)
    return stall


async def test_a_program_learns_where_it_may_work(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    own = await program(client, session, stall.owner, "orders:read")
    desk = await own.get("/desk")
    assert [(each["slug"], each["role"]) for each in desk["groups"]] == [(stall.group.slug, "owner")]
    assert (desk["centers"], desk["is_staff"]) == ([], False)


async def test_delivery_settings_are_read_changed_and_guarded(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    own = await program(client, session, stall.owner, "listings:write")
    path = f"/desk/groups/{stall.group.slug}"
    read = await own.raw("GET", path)
    delivery = read.json()["delivery"]
    delivery["parcels"]["ambient"] = [{"up_to_g": 1000, "fee_satang": 3500}, {"up_to_g": 5000, "fee_satang": 6000}]
    tag = {"If-Match": read.headers["ETag"]}
    changed = await own.raw("PUT", f"{path}/delivery", json=delivery, headers=tag)
    assert changed.json()["delivery"]["parcels"]["ambient"] == delivery["parcels"]["ambient"]
    late = await own.raw("PUT", f"{path}/delivery", json=delivery, headers=tag)
    assert late.status_code == 412
    no = await own.ask(
        "PUT", f"{path}/delivery", 422, json={**delivery, "parcel_enabled": False, "pickup_enabled": False}
    )
    assert no["type"] == "urn:market:no-way-of-delivery"


async def test_the_story_is_told_anew(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    own = await program(client, session, stall.owner, "listings:write")
    path = f"/desk/groups/{stall.group.slug}"
    story = (await own.get(path))["story"] | {"story_en": "We pound young rice every morning.", "phone": "0812345678"}
    told = await own.ask("PUT", f"{path}/story", json=story)
    assert (told["story"]["story_en"], told["story"]["phone"]) == (story["story_en"], "+66812345678")


async def test_the_canvas_shows_plan_beside_what_came_in(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await earned(session)
    own = await program(client, session, stall.owner, "money:read", "money:write")
    path = f"/desk/groups/{stall.group.slug}/canvas"
    shown = await own.get(path)
    [line] = [each for each in shown["income"] if each["stream_id"] == str(stall.listing.stream_id)]
    month = line["months"][-1]["month"]
    assert (len(shown["notes"]), len(line["months"]), line["months"][-1]["sold_satang"]) == (9, 12, 100_00)
    cell = {"stream_id": line["stream_id"], "month": month, "satang": 500_00}
    planned = await own.ask("PUT", f"{path}/plan", json={"cells": [cell]})
    [line] = [each for each in planned["income"] if each["stream_id"] == cell["stream_id"]]
    assert line["months"][-1] == {"month": month, "planned_satang": 500_00, "sold_satang": 100_00, "typed_satang": 0}


async def test_a_figure_opens_down_to_its_entries(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await earned(session)
    own = await program(client, session, stall.owner, "money:read")
    path = f"/desk/groups/{stall.group.slug}/canvas/entries"
    first = await own.get(path, what="income", limit=1)
    rest = await own.get(path, what="income", cursor=first["next"])
    entries = first["items"] + rest["items"]
    assert sorted((each["purpose"], each["satang"]) for each in entries) == [("delivery", 40_00), ("sale", 100_00)]
    assert rest["next"] is None
    await own.ask("GET", path, 422, params={"what": "secrets"})


async def test_income_and_costs_are_written_and_taken_back(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    own = await program(client, session, stall.owner, "money:read", "money:write")
    path = f"/desk/groups/{stall.group.slug}/canvas"
    day = (await own.get("/desk/groups/" + stall.group.slug + "/canvas"))["income"][0]["months"][-1]["month"] + "-01"
    fact = await own.ask("POST", f"{path}/income", 201, json={"day": day, "satang": 300_00, "note": "ตลาดนัด"})
    await own.ask("POST", f"{path}/costs", 201, json={"day": day, "satang": 50_00})
    typed = await own.get(f"{path}/entries", what="typed")
    assert [(each["satang"], each["note"], each["may_be_taken_back"]) for each in typed["items"]] == [
        (300_00, "ตลาดนัด", True)
    ]
    await own.ask("POST", f"{path}/facts/{fact['fact_id']}/take-back")
    typed = await own.get(f"{path}/entries", what="typed")
    assert sum(each["satang"] for each in typed["items"]) == 0
    await own.ask("POST", f"{path}/income", 422, json={"day": "2999-01-01", "satang": 1})


async def test_a_note_is_not_overwritten_unseen(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await factories.stall(session)
    own = await program(client, session, stall.owner, "money:write")
    path = f"/desk/groups/{stall.group.slug}/canvas/notes/1"
    shown = await own.ask("PUT", path, json={"text_th": "หอม นุ่ม", "seen_version": 0})
    assert (shown["notes"][0]["text"]["th"], shown["notes"][0]["version"]) == ("หอม นุ่ม", 1)
    no = await own.ask("PUT", path, 409, json={"text_th": "อย่างอื่น", "seen_version": 0})
    assert no["type"] == "urn:market:note-changed"


async def test_a_packer_sees_the_books_but_writes_nothing(session: AsyncSession, client: httpx.AsyncClient) -> None:
    stall = await earned(session)
    packer = await producers.member(session, stall.group, Role.packer)
    own = await program(client, session, packer)
    assert (await own.get(f"/desk/groups/{stall.group.slug}/balance"))["earned_satang"] == 140_00
    path = f"/desk/groups/{stall.group.slug}/canvas/costs"
    await own.ask("POST", path, 404, json={"day": "2026-11-01", "satang": 1_00})


async def test_another_groups_books_do_not_exist(session: AsyncSession, client: httpx.AsyncClient) -> None:
    ours, theirs = await factories.stall(session), await earned(session)
    own = await program(client, session, ours.owner)
    for path in ("", "/canvas", "/canvas/entries", "/balance"):
        await own.ask("GET", f"/desk/groups/{theirs.group.slug}{path}", 404)
