"""Asking the payment provider to give money back, while no transaction is open.

The task stands first, with the payment it gives back; its id is the key of the call, so however often the job runs the
provider makes one refund.  What it answers, now or in an event later, is told to `refunds.provider_said`.
"""

from typing import Any
from uuid import UUID

from app import jobs
from app.database import session_scope
from orders import refunds, stripe_gateway
from orders.stripe_gateway import GatewayRefused


@jobs.handler("refunds.ask_provider")
async def ask_provider(payload: dict[str, Any]) -> None:
    """Ask for one refund; a provider that is away is asked again later, one that says no leaves it to a person."""
    task_id = UUID(payload["task_id"])
    async with session_scope() as session:
        wanted = await refunds.to_ask(session, task_id)
    if wanted is None:
        return
    key = f"refund {task_id}"
    try:
        said = await stripe_gateway.refund(wanted.intent_id, wanted.satang, key=key, instructions_email=wanted.email)
    except GatewayRefused as refusal:
        async with session_scope() as session:
            await refunds.could_not_ask(session, task_id, str(refusal.params.get("reason", "")))
        return
    async with session_scope() as session:
        await refunds.provider_said(session, said.id, said.state, task_id=task_id, reason=said.reason)
