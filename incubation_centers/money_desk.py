"""The coordinator's desk, part money: the account that buyers pay to.  Slips are judged on `orders.slip_desk`."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from app.access import CurrentPerson, CurrentScope
from app.database import Session
from app.forms import Form, Name, PromptPayId, read_form
from app.language import N_
from app.pages import said, see_other
from incubation_centers.desk import desk_page
from incubation_centers.own_center import OwnCenter
from producers import centers

router = APIRouter(prefix="/desk/centers/{slug}")


class AccountForm(BaseModel):
    promptpay_id: PromptPayId | None = None
    promptpay_name: Name | None = None


@router.get("/account", name="center_account")
async def show_account(request: Request, session: Session, scope: CurrentScope, center: OwnCenter) -> Response:
    form: Form[AccountForm] = Form.empty(promptpay_id=center.promptpay_id, promptpay_name=center.promptpay_name)
    return await desk_page(request, session, scope, center, "account", form=form)


@router.post("/account", name="take_center_account")
async def take_account(
    request: Request, session: Session, scope: CurrentScope, person: CurrentPerson, center: OwnCenter
) -> Response:
    form = await read_form(request, AccountForm)
    if form.ok and form.values.promptpay_id and not form.values.promptpay_name:
        form.error("promptpay_name", N_("Write the account name, so that buyers see they pay the right people."))
    if not form.ok:
        return await desk_page(request, session, scope, center, "account", 422, form=form)
    centers.set_promptpay(center, form.values.promptpay_id, form.values.promptpay_name, by=person)
    return see_other(request, "center_account", slug=center.slug, flash=said(N_("The account is kept.")))
