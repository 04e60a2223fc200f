"""The cast: people of the demo who can sign in.  All of them are invented, and all have the same password.

Their addresses end in .example, where no mail ever arrives.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import access, clock, people
from app.access import Role, Scope, scope_of
from app.people import Person

PASSWORD: Final = "demo-market"
STAFF_EMAIL: Final = "staff@market.example"

#: Coordinators by the slug of their centre.
COORDINATORS: Final = {
    "khao-mai-kaeo": "อรทัย แก้วผัก",
    "bang-bon": "วิชัย แซ่ตั้ง",
    "trat": "สุนันท์ ทะเลงาม",
    "ban-chamrung": "ธวัช เนินทราย",
    "tha-sao": "มาลี แควน้อย",
    "ban-klang": "บุญส่ง ใจมา",
    "ban-phetchomphu": "ประเสริฐ วังปลา",
    "nong-sano": "ทองใบ นาดี",
    "na-kha": "สมพร สวนไกล",
    "ban-tham-suea": "ดารุณี คลองใส",
    "talo-kapo": "ฟาตีเมาะ อาแว",
}
#: Owner and packer of each group, by the group's code.
MEMBERS: Final = {
    "1a": ("สายฝน พันธุ์ดี", "ก้อง พันธุ์ดี"),
    "1b": ("สำรวย บุญมาก", "นิด บุญมาก"),
    "2a": ("จินดา อยู่เย็น", "แป้ง อยู่เย็น"),
    "2b": ("รัตนา เข็มทอง", "อ้อย เข็มทอง"),
    "3a": ("สมหมาย อ่าวใหญ่", "เล็ก อ่าวใหญ่"),
    "3b": ("ประนอม ไพลงาม", "ตุ้ม ไพลงาม"),
    "3c": ("ชัย ห้วงน้ำ", "แอ๊ด ห้วงน้ำ"),
    "4a": ("บังอร โอ่งทอง", "โต โอ่งทอง"),
    "4b": ("สมควร หมอนทอง", "ต้น หมอนทอง"),
    "4c": ("ครูเกียรติ บ้านนอก", "ฝ้าย บ้านนอก"),
    "5a": ("วาสนา ท่าเสา", "เจี๊ยบ ท่าเสา"),
    "5b": ("น้อย ไทรโยค", "หนุ่ม ไทรโยค"),
    "6a": ("คำปัน บ้านกลาง", "แก้ว บ้านกลาง"),
    "6b": ("บัวผัน หม้อห้อม", "ดาว หม้อห้อม"),
    "7a": ("ละเอียด แม่ท้อ", "ปู แม่ท้อ"),
    "8a": ("บุญเลิศ ข้าวใหม่", "แตน ข้าวใหม่"),
    "8b": ("บุญมี กี่ทอง", "ใบเตย กี่ทอง"),
    "9a": ("สุชาติ นาขา", "มิ้นท์ นาขา"),
    "9b": ("อำนวย นาพญา", "เอก นาพญา"),
    "10a": ("วิโรจน์ ถ้ำเสือ", "พลอย ถ้ำเสือ"),
    "11a": ("มะรอนิง บูดานารา", "ยะห์ บูดานารา"),
    "11b": ("แมะซง บางปู", "นูรี บางปู"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the cast, with what they may see."""

    person: Person
    scope: Scope


@dataclass(frozen=True, slots=True)
class Cast:
    staff: Member
    coordinators: Mapping[UUID, Member]
    """By centre."""
    owners: Mapping[UUID, Member]
    """By group."""
    packers: Mapping[UUID, Member]


def sign_ins() -> list[str]:
    """Say who one can sign in as, for whoever has just opened the market."""
    return [
        f"Everybody's password is {PASSWORD}. Sign in as",
        f"  {STAFF_EMAIL}      staff of the network",
        "  nong-sano@market.example  coordinator of a centre (each by the name in its address)",
        "  8a@market.example         owner of a group: 1a, 2b, 4a, 6b, 9a, 11a … likewise",
        "  8a-pack@market.example    who packs for that group",
    ]


class Casting:
    """Registers people as they are needed; the password is hashed once for all of them."""

    def __init__(self, session: AsyncSession, password_hash: str) -> None:
        self._session, self._hash = session, password_hash

    async def staff(self) -> Person:
        person = await self._register("ปิ่น เครือข่าย", STAFF_EMAIL, "080", 1)
        await access.grant(self._session, person, Role.staff)
        return person

    async def coordinator(self, slug: str, number: int, center_id: UUID) -> Person:
        person = await self._register(COORDINATORS[slug], f"{slug}@market.example", "081", number)
        await access.grant(self._session, person, Role.coordinator, center_id=center_id)
        return person

    async def owner(self, code: str) -> Person:
        """Who applies for a group becomes its owner by that."""
        return await self._register(MEMBERS[code][0], f"{code}@market.example", "082", _place(code))

    async def packer(self, code: str, group_id: UUID) -> Person:
        person = await self._register(MEMBERS[code][1], f"{code}-pack@market.example", "083", _place(code))
        await access.grant(self._session, person, Role.packer, group_id=group_id)
        return person

    async def member(self, person: Person) -> Member:
        return Member(person, await scope_of(self._session, person))

    async def _register(self, name: str, email: str, prefix: str, number: int) -> Person:
        person = Person(
            name=name,
            email=email,
            phone=people.e164(f"{prefix}000{number:04}"),
            password_hash=self._hash,
            lang="th",
            created_at=clock.now(),
        )
        self._session.add(person)
        await self._session.flush()
        return person


def _place(code: str) -> int:
    return list(MEMBERS).index(code) + 1
