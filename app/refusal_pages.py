"""How a no is shown: a page that says what to do next, or RFC 9457 problem details for programs."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import jobs, trail
from app.api.problems import problem
from app.doors import TooManyBytesError
from app.errors import NotFound, Refusal, SignInNeeded
from app.language import N_
from app.pages import go, in_language, language_of, page, url
from app.request_log import story_of

log = logging.getLogger(__name__)


class WrongMethod(Refusal):
    status = 405
    message = N_("This page cannot be used like that.")


class OurFault(Refusal):
    status = 500
    message = N_("Something went wrong on our side. Nothing you sent was lost halfway; please try again in a minute.")


def show_refusals(app: FastAPI) -> None:
    """Register how `app` answers each kind of no."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _framework_said_no)
    app.add_exception_handler(Exception, _unforeseen)


class Unforeseen:
    """Answers what nobody foresaw inside the doors: the page is in the reader's language and carries safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except TooManyBytesError:
            raise  # a door's own word
        except ClientDisconnect:
            log.info("the reader was gone before we had heard all")
        except Exception as error:
            if has_begun:
                raise
            await (await _unforeseen(Request(scope, receive), error))(scope, receive, send)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    await trail.note_refused(request, error.status)
    return _answer(request, error)


async def _malformed(request: Request, _error: Exception) -> Response:
    """An address with a part that cannot be: for people it is a page that does not exist."""
    return _answer(request, NotFound())


async def _framework_said_no(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.scope["path"]
    if status == HTTPStatus.NOT_FOUND and request.method == "GET" and path.endswith("/"):
        return go(request, in_language(path.rstrip("/"), language_of(request)))
    return _answer(request, {404: NotFound(), 405: WrongMethod()}.get(status) or Refusal())


async def _unforeseen(request: Request, error: Exception) -> Response:
    story = story_of(request.scope)
    log.error("unforeseen error at %s %s", request.method, story.route if story else "", exc_info=error)
    try:
        return _answer(request, OurFault())
    except Exception:
        log.exception("the page that says so is broken too")
        return PlainTextResponse(OurFault().text(language_of(request)), OurFault.status)


def _answer(request: Request, refusal: Refusal) -> Response:
    if _is_program(request):
        return problem(refusal, language_of(request))
    if isinstance(refusal, SignInNeeded):
        here = request.scope["path"] if request.method == "GET" else None
        return go(request, url(request, "sign_in", next=here))
    return page(
        request,
        "error.html",
        refusal.status,
        refusal=refusal,
        message=refusal.text(language_of(request)),
        request_id=jobs.request_id.get(),
    )


def _is_program(request: Request) -> bool:
    accepts = request.headers.get("accept", "")
    return request.scope["path"].startswith("/api/") or ("json" in accepts and "text/html" not in accepts)
