"""What the rooms' shapes share: how names in two languages and files are written, and what is refused unread."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.language import Bilingual
from app.settings import settings

Slug = Annotated[str, Field(max_length=80, pattern=r"^[a-z0-9-]+$")]


def example(told: dict[str, Any]) -> ConfigDict:
    """For a shape's `model_config`: what it looks like, as the document shows it."""
    return ConfigDict(json_schema_extra={"examples": [told]})


def sent_example(told: dict[str, Any]) -> ConfigDict:
    """As `example`, for what is sent to us: a field we do not know is a mistake."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [told]})


class Sent(BaseModel):
    """A request's body: a field we do not know is a mistake, and is said to be one."""

    model_config = ConfigDict(extra="forbid")


class Words(BaseModel):
    """A name or text in Thai and, where somebody wrote it, in English."""

    th: str
    en: str | None


class Coded(BaseModel):
    """Something of a fixed list, by its code."""

    model_config = example({"code": "services", "name": {"th": "การบริการ", "en": "Services"}})

    code: str
    name: Words


class Slugged(BaseModel):
    """Something with a page of its own, by its slug."""

    slug: str
    name: Words


def words(thai: str | None, english: str | None = None) -> Words | None:
    """Write a text in two columns; None where there is none."""
    return Words(th=thai, en=english or None) if thai else None


def said(name: Bilingual) -> Words:
    return Words(th=name.th, en=name.en or None)


def absolute(path: str) -> str:
    """The whole address of something of ours: programs have no page it would be relative to."""
    return path if "://" in path else settings().address + path


def _no_blanks(typed: Any) -> Any:
    return (typed.strip() or None) if isinstance(typed, str) else typed


NotBlank = BeforeValidator(_no_blanks)
"""Blanks count as not said, as in forms."""
