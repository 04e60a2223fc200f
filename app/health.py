"""Is this process alive, and can it work?  Asked by supervisors and proxies, not by people."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from sqlalchemy import text

from app.database import Session

router = APIRouter()


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("alive")


@router.get("/readyz")
async def readyz(session: Session) -> PlainTextResponse:
    """Ready means that the database answers."""
    await session.execute(text("SELECT 1"))
    return PlainTextResponse("ready")
