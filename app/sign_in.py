"""Pages where people sign in, sign out and look after their account."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from app import cookies, limits, people
from app.access import SESSION_COOKIE, CurrentPerson, CurrentScope
from app.database import Session
from app.errors import Refusal, TooManyAttempts
from app.forms import Email, Form, Name, Phone, read_form
from app.language import N_
from app.pages import go, language_of, page, said, see_other, url
from app.people import LEAST_PASSWORD_LENGTH, SESSION_LASTS

router = APIRouter()

MOST_WRONG_PASSWORDS = 8
MOST_REGISTRATIONS = 40
"""From one address, refused ones too: they tell who is known here."""
WITHIN = timedelta(minutes=15)

NewPassword = Annotated[str, StringConstraints(min_length=LEAST_PASSWORD_LENGTH, max_length=200)]


class SignInForm(BaseModel):
    name: Name
    password: Annotated[str, StringConstraints(max_length=200)]
    next: str = ""


class RegisterForm(BaseModel):
    name: Name
    email: Email | None = None
    phone: Phone | None = None
    password: NewPassword
    next: str = ""


class PasswordForm(BaseModel):
    old_password: Annotated[str, StringConstraints(max_length=200)]
    password: NewPassword


@router.get("/sign-in")
async def sign_in(request: Request, scope: CurrentScope, next: str = "") -> Response:  # noqa: A002 - its name in the address
    if scope.person:
        return go(request, next or url(request, "account"))
    return page(request, "app/sign_in.html", form=Form[SignInForm].empty(next=next))


@router.post("/sign-in")
async def take_sign_in(request: Request, session: Session) -> Response:
    form = await read_form(request, SignInForm)
    if form.ok and (token := await _try_sign_in(request, session, form)):
        return _enter(request, token, form.values.next)
    return page(request, "app/sign_in.html", 422, form=form)


@router.get("/register")
async def register(request: Request, next: str = "") -> Response:  # noqa: A002 - its name in the address
    return page(request, "app/register.html", form=Form[RegisterForm].empty(next=next))


@router.post("/register")
async def take_register(request: Request, session: Session) -> Response:
    form = await read_form(request, RegisterForm)
    if form.ok and not (form.values.email or form.values.phone):
        form.error("phone", N_("Please give a phone number or an e-mail address: you will sign in with it."))
    if form.ok:
        about = f"register from {_address(request)}"
        try:
            await limits.refuse_after(session, about, MOST_REGISTRATIONS, WITHIN)
            limits.count(session, about)
            token = await _registered(request, session, form.values)
            return _enter(request, token, form.values.next)
        except (people.AlreadyKnown, TooManyAttempts) as refusal:
            form.refuse(refusal)
    return page(request, "app/register.html", 422, form=form)


@router.post("/sign-out")
async def sign_out(request: Request, session: Session) -> Response:
    if token := cookies.read(request, SESSION_COOKIE):
        await people.sign_out(session, token)
    response = see_other(request, "home", flash=said(N_("You are signed out.")))
    cookies.drop(response, SESSION_COOKIE)
    return response


@router.get("/account")
async def account(request: Request, session: Session, person: CurrentPerson) -> Response:
    return await _account_page(request, session, person, Form[PasswordForm].empty())


@router.post("/account/password")
async def take_password(request: Request, session: Session, person: CurrentPerson) -> Response:
    form = await read_form(request, PasswordForm)
    about = f"password {person.id}"
    if form.ok:
        try:
            await limits.refuse_after(session, about, MOST_WRONG_PASSWORDS, WITHIN, in_turn=True)
            token = cookies.read(request, SESSION_COOKIE) or ""
            await people.change_password(session, person, form.values.old_password, form.values.password, token=token)
            return see_other(request, "account", flash=said(N_("Your password is changed.")))
        except Refusal as refusal:
            limits.count(session, about)
            form.refuse(refusal)
    return await _account_page(request, session, person, form, 422)


@router.post("/account/sign-out-elsewhere")
async def sign_out_elsewhere(request: Request, session: Session, person: CurrentPerson) -> Response:
    await people.sign_out_elsewhere(session, person, except_token=cookies.read(request, SESSION_COOKIE))
    return see_other(request, "account", flash=said(N_("You are signed out everywhere else.")))


async def _account_page(
    request: Request, session: Session, person: people.Person, form: Form[PasswordForm], status: int = 200
) -> Response:
    browsers = await people.browsers_of(session, person)
    here = people.token_hash(cookies.read(request, SESSION_COOKIE) or "")
    return page(request, "app/account.html", status, form=form, person=person, browsers=browsers, here=here)


async def _try_sign_in(request: Request, session: Session, form: Form[SignInForm]) -> str | None:
    """Return the new session's token, or None with the reason on the form; wrong tries are counted by name and by address."""
    abouts = [f"sign-in {form.values.name.lower()}", f"sign-in from {_address(request)}"]
    try:
        await limits.refuse_after(session, abouts[0], MOST_WRONG_PASSWORDS, WITHIN, in_turn=True)
        await limits.refuse_after(session, abouts[1], 10 * MOST_WRONG_PASSWORDS, WITHIN)
        return await people.sign_in(
            session, form.values.name, form.values.password, device=request.headers.get("user-agent", "")
        )
    except TooManyAttempts as refusal:
        form.refuse(refusal)
    except people.WrongSignIn as refusal:
        for about in abouts:
            limits.count(session, about)
        form.refuse(refusal)
    return None


async def _registered(request: Request, session: Session, values: RegisterForm) -> str:
    person = await people.register(
        session,
        name=values.name,
        email=values.email,
        phone=values.phone,
        password=values.password,
        lang=language_of(request),
    )
    return people.open_browser(session, person, device=request.headers.get("user-agent", ""))


def _enter(request: Request, token: str, next_path: str) -> Response:
    response = go(request, next_path or url(request, "desk"))
    cookies.keep(response, SESSION_COOKIE, token, SESSION_LASTS)
    return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
