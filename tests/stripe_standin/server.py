"""The stand-in's addresses: Stripe's API, the payment page, and the control of tests."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from html import escape
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.stripe_standin import forms, objects
from tests.stripe_standin.bank import Bank, No
from tests.stripe_standin.postman import Rules

Answer = tuple[int, bytes]
Work = Callable[[Request, dict[str, Any]], Any]

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Stripe stand-in</title>
<style>body{{font:18px/1.5 sans-serif;max-width:28rem;margin:2rem auto;padding:0 1rem}}button{{font:inherit;width:100%;
padding:.7rem;margin:.3rem 0}}</style>
<h1>A stand-in for Stripe's page</h1>
<p>{title}</p><p><strong>{amount} {currency}</strong> · {status}</p>
{buttons}
</html>"""
BUTTONS = (
    ("card", "Pay by card"),
    ("promptpay", "Pay by PromptPay"),
    ("fail", "Fail"),
    ("back", "Come back without paying"),
)


class Api:
    """Stripe's own manners around every call: keys, idempotency, errors, and the rule to think for a while."""

    def __init__(self, bank: Bank, secret_key: str) -> None:
        self.bank, self.secret_key = bank, secret_key
        self.answers: dict[str, tuple[str, Answer | None]] = {}

    def __call__(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            status, body = await self._answered(request, work)
            headers = {"Request-Id": f"req_{secrets.token_hex(7)}", "Stripe-Version": objects.API_VERSION}
            return Response(body, status, headers, "application/json")

        return answer

    async def _answered(self, request: Request, work: Work) -> Answer:
        body = (await request.body()).decode()
        if request.headers.get("Authorization") != f"Bearer {self.secret_key}":
            return 401, _bytes(objects.error("Invalid API Key provided"))
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return await self._worked(request, work, body)
        fingerprint = f"{request.url.path} {body}"
        if key in self.answers:
            return _repeated(key, fingerprint, *self.answers[key])
        self.answers[key] = (fingerprint, None)
        worked = await self._worked(request, work, body)
        self.answers[key] = (fingerprint, worked)
        return worked

    async def _worked(self, request: Request, work: Work, body: str) -> Answer:
        await asyncio.sleep(self.bank.rules.sleep_seconds)
        try:
            return 200, _bytes(work(request, forms.read(body or request.url.query)))
        except No as no:
            return no.status, _bytes(no.body)


def create_app(bank: Bank, secret_key: str) -> Starlette:
    api = Api(bank, secret_key)
    app = Starlette(routes=[*_api(api, bank), *_pages(bank), *_control(api, bank)])
    app.state.bank = bank
    return app


def _api(api: Api, bank: Bank) -> list[Route]:
    def make_session(_request: Request, given: dict[str, Any]) -> Any:
        return bank.make_session(given)

    def session(request: Request, given: dict[str, Any]) -> Any:
        return bank.session(request.path_params["id"], is_whole="payment_intent" in given.get("expand", []))

    def expire(request: Request, _given: dict[str, Any]) -> Any:
        return bank.expire(request.path_params["id"])

    def make_refund(_request: Request, given: dict[str, Any]) -> Any:
        return bank.make_refund(given)

    def refund(request: Request, _given: dict[str, Any]) -> Any:
        return bank.refund(request.path_params["id"])

    return [
        Route("/v1/checkout/sessions", api(make_session), methods=["POST"]),
        Route("/v1/checkout/sessions/{id}", api(session)),
        Route("/v1/checkout/sessions/{id}/expire", api(expire), methods=["POST"]),
        Route("/v1/refunds", api(make_refund), methods=["POST"]),
        Route("/v1/refunds/{id}", api(refund)),
    ]


def _pages(bank: Bank) -> list[Route]:
    async def show(request: Request) -> Response:
        found = bank.session(request.path_params["id"])
        item = bank.given[found["id"]]["line_items"][0]["price_data"]["product_data"]["name"]
        buttons = "".join(
            f'<form method="post" action="{found["id"]}/{how}"><button>{words}</button></form>'
            for how, words in BUTTONS
        )
        return HTMLResponse(
            PAGE.format(
                title=escape(item),
                amount=f"{found['amount_total'] / 100:,.2f}",
                currency=found["currency"].upper(),
                status=found["status"],
                buttons=buttons,
            )
        )

    async def press(request: Request) -> Response:
        how = request.path_params["how"]
        found = bank.session(request.path_params["id"])
        if how != "back":
            bank.pay(found["id"], how)
        if how == "fail":
            return RedirectResponse(f"/c/pay/{found['id']}", 303)
        return RedirectResponse(found["cancel_url"] if how == "back" else found["success_url"], 303)

    return [Route("/c/pay/{id}", show), Route("/c/pay/{id}/{how}", press, methods=["POST"])]


def _control(api: Api, bank: Bank) -> list[Route]:
    async def state(_request: Request) -> Response:
        bank.tick()
        postman = bank.postman
        return JSONResponse(
            {
                "sessions": bank.sessions,
                "intents": bank.intents,
                "refunds": bank.refunds,
                "events": postman.events,
                "deliveries": postman.deliveries,
            }
        )

    async def rules(request: Request) -> Response:
        bank.postman.rules = Rules(**(asdict(bank.rules) | await request.json()))
        return JSONResponse(asdict(bank.rules))

    async def pay(request: Request) -> Response:
        return JSONResponse(bank.pay(request.path_params["id"], request.path_params["how"]))

    async def expire(request: Request) -> Response:
        return JSONResponse(bank.expire(request.path_params["id"]))

    async def turn_refund(request: Request) -> Response:
        return JSONResponse(bank.turn_refund(request.path_params["id"], request.path_params["state"]))

    async def send(request: Request) -> Response:
        event = next(event for event in bank.postman.events if event["id"] == request.path_params["id"])
        return JSONResponse({"status": await bank.postman.send(event)})

    async def reset(_request: Request) -> Response:
        bank.reset()
        api.answers.clear()
        return JSONResponse({})

    return [
        Route("/_control/state", state),
        Route("/_control/rules", rules, methods=["POST"]),
        Route("/_control/pay/{id}/{how}", pay, methods=["POST"]),
        Route("/_control/expire/{id}", expire, methods=["POST"]),
        Route("/_control/refunds/{id}/{state}", turn_refund, methods=["POST"]),
        Route("/_control/send/{id}", send, methods=["POST"]),
        Route("/_control/reset", reset, methods=["POST"]),
    ]


def _repeated(key: str, fingerprint: str, known: str, answer: Answer | None) -> Answer:
    if known != fingerprint:
        message = f"Keys for idempotent requests can only be used with the same parameters. Key: {key}"
        return 400, _bytes(objects.error(message, kind="idempotency_error"))
    if answer is None:
        message = "There is currently another in-progress request using this Idempotent Key"
        return 409, _bytes(objects.error(message, code="idempotency_key_in_use", kind="idempotency_error"))
    return answer


def _bytes(found: Any) -> bytes:
    return json.dumps(found).encode()
