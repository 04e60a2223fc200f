"""Buyers of the demo's year: invented people with invented addresses in real tambons."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

from app import places
from app.people import e164
from orders.checkout import Buyer

HOW_MANY: Final = 240
EVERY_SO_MANY_A_VISITOR: Final = 24
WITH_EMAIL: Final = 0.4
FIRST_NAMES: Final = (
    "กมลวรรณ กฤษณา กานดา กิตติ เกศินี ขวัญใจ จตุพร จันทร์เพ็ญ จิราพร เฉลิมชัย ชลธิชา ชุติมา ณรงค์ ณัฐพล ดวงใจ ทิพวรรณ "
    "ธนพร ธีรยุทธ นงลักษณ์ นพดล นฤมล นันทนา บุษบา ปฐมพงษ์ ปรีชา ปาริชาติ ปิยะ พงศกร พรทิพย์ พัชรี เพ็ญศรี ภาวิณี มนัส "
    "มาลัย ยุพา รัชนี รุ่งโรจน์ เรณู ลัดดา วรรณา วราภรณ์ วันเพ็ญ วิภา วีระ ศศิธร ศิริพร สมชาย สมใจ สมบัติ สมพงษ์ สายสุนีย์ "
    "สุกัญญา สุชาดา สุเทพ สุนีย์ สุพจน์ สุภาพร เสาวลักษณ์ อดิศร อนงค์ อภิชาติ อมรรัตน์ อรุณี อัญชลี อารีย์ อุทัย อุไร"
)
FAMILY_NAMES: Final = (
    "กาญจนา เกษมสุข แก้วมณี ขำคม คงเจริญ จันทร์แดง จิตดี ใจกว้าง เจริญผล ชื่นบาน ชูชื่น ดวงแก้ว ทองคำ ทองสุข ทับทิม ธรรมดี "
    "นาคสวัสดิ์ นิลวงศ์ บัวหลวง บุญช่วย บุญเรือง ประเสริฐสุข ผลดี พงษ์ไพร พรหมมา พูลสวัสดิ์ เพชรรัตน์ โพธิ์ทอง ภู่ทอง มณีวงศ์ "
    "มั่นคง มีสุข ยิ้มแย้ม รักษ์ไทย รัตนพันธ์ เรืองศรี ลือชา วงศ์งาม วัฒนกุล วิเศษ ศรีทอง ศรีวิไล สว่างวงศ์ สายทอง สิงห์ทอง "
    "สุขใจ สุขเกษม สุวรรณ เสนาะ แสงจันทร์ แสนดี หอมหวาน อ่อนน้อม อินทร์แก้ว อุดมทรัพย์"
)
VISITORS: Final = (
    *("Emma Lindqvist", "Daniel Weber", "Sophie Martin", "James Carter", "Yuki Tanabe", "Chen Mei Ling"),
    *("Ingrid Solberg", "Luca Moretti", "Priya Nair", "Tom Hughes"),
)
#: How many of a hundred live there; the rest live anywhere.
BIG_CITIES: Final = {"10": 34, "12": 6, "11": 5, "13": 2, "20": 5, "21": 3, "30": 4, "40": 3, "50": 5, "83": 3, "90": 3}
STREETS: Final = ("หมู่", "หมู่", "หมู่", "ซอย", "ถนนเทศบาล")


def invented(dice: random.Random) -> list[Buyer]:
    """Return the same people for the same dice; their phones all begin 08x-000."""
    return list(_each(dice))


def _each(dice: random.Random) -> Iterator[Buyer]:
    provinces = [province.code for province in places.provinces()]
    first_names, family_names = FIRST_NAMES.split(), FAMILY_NAMES.split()
    for number in range(HOW_MANY):
        is_visitor = number % EVERY_SO_MANY_A_VISITOR == 0
        province = _province(dice, provinces)
        subdistrict = dice.choice(_subdistricts(province))
        name = (
            VISITORS[number // EVERY_SO_MANY_A_VISITOR]
            if is_visitor
            else f"{dice.choice(first_names)} {dice.choice(family_names)}"
        )
        phone = e164(f"08{dice.randint(4, 9)}000{number:04}")
        assert phone is not None
        yield Buyer(
            name=name,
            phone=phone,
            email=f"buyer{number}@shopper.example" if is_visitor or dice.random() < WITH_EMAIL else None,
            lang="en" if is_visitor else "th",
            address_line=f"{dice.randint(1, 299)}/{dice.randint(1, 40)} {dice.choice(STREETS)} {dice.randint(1, 12)}",
            subdistrict_code=subdistrict,
        )


def _province(dice: random.Random, provinces: Sequence[str]) -> str:
    elsewhere = 100 - sum(BIG_CITIES.values())
    (found,) = dice.choices([*BIG_CITIES, ""], [*BIG_CITIES.values(), elsewhere])
    return found or dice.choice(provinces)


def _subdistricts(province_code: str) -> list[str]:
    return [
        subdistrict.code
        for district in places.districts(province_code)
        for subdistrict in places.subdistricts(district.code)
    ]
