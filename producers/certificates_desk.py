"""The group's desk, part "our certificates"."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints

from app.access import CurrentPerson
from app.database import Session
from app.errors import Refusal
from app.forms import Day, Form, Name, read_form
from app.language import N_
from app.pages import page, said, see_other
from producers import certificates
from producers.certificates import CertificateKind
from producers.groups import EditedGroup, Group, OwnGroup

router = APIRouter(prefix="/desk/groups/{slug}/certificates")


class CertificateForm(BaseModel):
    kind: CertificateKind
    number: Annotated[str, StringConstraints(max_length=60)] | None = None
    detail: Name | None = None
    issuer: Name | None = None
    issued_on: Day | None = None
    expires_on: Day | None = None


@router.get("")
async def group_certificates(request: Request, session: Session, group: OwnGroup) -> Response:
    rows = await certificates.certificates_of(session, group.id)
    return page(request, "producers/certificates.html", group=group, rows=rows)


@router.get("/new")
async def new_certificate(request: Request, group: EditedGroup, kind: CertificateKind | None = None) -> Response:
    """Which kind first (what is asked depends on it), then its particulars."""
    form: Form[CertificateForm] = Form.empty(kind=kind)
    return _new_page(request, group, kind, form)


@router.post("/new")
async def take_new_certificate(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson
) -> Response:
    form = await read_form(request, CertificateForm)
    if form.ok:
        try:
            values = form.values
            await certificates.add(session, group, **values.model_dump(), by=person)
            added = said(N_("The certificate is added. It shows on your page; staff will check it."))
            return see_other(request, "group_certificates", slug=group.slug, flash=added)
        except Refusal as refusal:
            form.refuse(refusal)
    kind = next((each for each in CertificateKind if each == form.raw("kind")), None)
    return _new_page(request, group, kind, form, 422)


@router.post("/{certificate_id}/remove")
async def remove_certificate(
    request: Request, session: Session, group: EditedGroup, person: CurrentPerson, certificate_id: UUID
) -> Response:
    certificates.remove(await certificates.certificate_of(session, group.id, certificate_id), by=person)
    removed = said(N_("The certificate is taken off your page."))
    return see_other(request, "group_certificates", slug=group.slug, flash=removed)


def _new_page(
    request: Request, group: Group, kind: CertificateKind | None, form: Form[CertificateForm], status: int = 200
) -> Response:
    return page(
        request,
        "producers/certificate_new.html",
        status,
        group=group,
        kind=kind,
        kinds=list(CertificateKind),
        form=form,
        number_hints=certificates.NUMBER_HINTS,
    )
