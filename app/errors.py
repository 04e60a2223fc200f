"""Refusals: what the market says no to, in words, with the field or item it concerns.

Raising a refusal rolls the request's transaction back and shows its message in the reader's language (a page, or
RFC 9457 problem details for programs); a page that must keep what was typed catches it and shows its form again.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from app.language import N_, Language, translate


class Refusal(Exception):  # noqa: N818 - the trade says refusal
    """A named no.  Keyword arguments fill the message and stay readable as `refusal.params`."""

    status: ClassVar[int] = 409
    message: ClassVar[str] = N_("This cannot be done right now.")

    def __init__(self, *, field: str | None = None, **params: Any) -> None:
        super().__init__(type(self).__name__, params)
        self.field = field
        self.params = params

    def text(self, lang: Language) -> str:
        return translate(lang, self.message, **self.params)

    @property
    def headers(self) -> Mapping[str, str]:
        """What programs read besides the words, such as when to come back."""
        return {}


class NotFound(Refusal):
    """Also what is somebody else's: it looks as if it did not exist."""

    status = 404
    message = N_("We could not find this page.")


class Forbidden(Refusal):
    status = 403
    message = N_("This request did not come from our own page. Please go back and try again.")


class SignInNeeded(Refusal):
    status = 401
    message = N_("Please sign in first.")


class TooManyAttempts(Refusal):
    status = 429
    message = N_("Too many attempts. Please try again in %(minutes)s minutes.")

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.params["minutes"] * 60)}


class TooLarge(Refusal):
    status = 413
    message = N_("What you sent is too large. A picture may have up to 20 MB.")
