"""Words stand in the order in which a Thai dictionary has them, by nothing but the bytes of a stored key."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.thai_order import sort_key

#: Each line is in the order of the Royal Institute's dictionary.
IN_ORDER = {
    "consonants": "กลม ขนม คน งา จาน ฉลาม ชา ซอง ญาติ ดอก ตา ถั่ว ทอง นา บัว ปลา ผัก ฝ้าย พริก ฟัก มะม่วง ยา รัก ลม วัว ศาลา สาน หอม อ้อย ฮวงซุ้ย",
    "without a vowel first": "กก กกุธภัณฑ์ กง กฎ กด กบ กะ กัก กา",
    "vowels": "กะ กัก กัง กา กาก กำ กิน กี กึก กื กุ กู เก แก โก ใก ไก",
    "vowels around": "เก เกม เกะ เกา เกาะ เกิด เกีย เกียะ เกือ แก แกะ โก โกะ",
    "leading vowels": "กล้วย เกลือ แกง โกโก้ ใกล้ ไก่ ขนม เข่ง แขก โขน ไข่ คน",
    "clusters by their first letter": "กวาง เกวียน แกว่ง ไกว ขวาน เขวี้ยง",
    "marks last": "แหง แห่ง แห้ง แหน แหนม",
    "one spelling, all its marks": "เกง เก็ง เก่ง เก้ง เก๊ง เก๋ง",
    "with and without a silencer": "การ การ์ การ้อง",
    "marks between words": "ปาน ป่าน ป้าน ปานี",
    "ฤ and ฦ": "รวย ระ รัก เรือ ไร ฤกษ์ ฤดู ฤทธิ์ ฤๅษี ลม ละคร ไล่ ฦๅสาย วัด",
    "khao": "ขาว ข่าว ข้าว ข้าวเกรียบ ข้าวตัง ข้าวเม่า ข้าวหอมมะลิ ขิง",
    "sara am": "นา น้า นาน น้ำ น้ำปลา น้ำผึ้ง นิล",
    "figures, Latin, Thai": "๑๐ฐาน 2ฐาน apple Banana cherry กล้วย",
    "beginnings first": "ปลา ปลากรอบ ปลากระป๋อง ปลาร้า ปลาส้ม",
}


@pytest.mark.parametrize("rule", IN_ORDER)
def test_words_stand_as_in_the_dictionary(rule: str) -> None:
    words = IN_ORDER[rule].split()
    shuffled = random.Random(rule).sample(words, len(words))

    assert sorted(shuffled, key=lambda word: sort_key(word).encode()) == words


def test_plain_code_points_would_get_it_wrong() -> None:
    words = IN_ORDER["leading vowels"].split()

    assert sorted(words) != words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ข้าว เม่า", "ข้าวเม่า"),
        ("(ปลา)ร้า", "ปลาร้า"),
        ("นํ้า", "น้ำ"),
        ("เเกง", "แกง"),
        ("๒ ฐาน", "2 ฐาน"),
        ("Café", "CAFE"),
    ],
)
def test_what_is_read_alike_sorts_alike(one: str, other: str) -> None:
    assert sort_key(one) == sort_key(other)


def test_marks_decide_only_between_words_spelt_alike() -> None:
    assert sort_key("ข้าวเก่า") < sort_key("ข้าว เก้า") < sort_key("ข้าวเก่าหอม")


async def test_postgresql_agrees(session: AsyncSession) -> None:
    words = IN_ORDER["khao"].split()
    keys = [sort_key(word) for word in reversed(words)]

    question = text('SELECT key FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key COLLATE "C"')
    found = (await session.scalars(question, {"keys": keys})).all()

    assert found == list(reversed(keys))


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")))
def test_any_text_has_a_key_that_postgresql_can_keep(typed: str) -> None:
    key = sort_key(typed)

    assert "\x00" not in key
    assert key.count("\x1f") == 1
