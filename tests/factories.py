"""Things to arrange a test with, made through the market's own verbs wherever there is one.

Every factory takes the session first, fills in what the test does not care about, and never commits.
"""

from itertools import count

from sqlalchemy.ext.asyncio import AsyncSession

from app import access, people
from app.access import Role, Scope
from app.people import Person

PASSWORD = "ข้าวเม่าอร่อย"
_numbers = count(1)


async def person(
    session: AsyncSession, *, name: str = "สมชาย ใจดี", email: str | None = None, phone: str | None = None
) -> Person:
    """Add somebody whose password is `PASSWORD`."""
    email = email or (None if phone else f"person{next(_numbers)}@example.com")
    return await people.register(session, name=name, email=email, phone=phone, password=PASSWORD)


async def staff(session: AsyncSession) -> Scope:
    """Add a member of the network's staff and return what they may see."""
    member = await person(session, name="เจ้าหน้าที่เครือข่าย")
    await access.grant(session, member, Role.staff)
    return await access.scope_of(session, member)
