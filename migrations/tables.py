"""All tables: importing this module makes `metadata` whole.

One line for every module that has a table (tests/test_migrations.py finds a forgotten one); rooms from the foundation
upwards.
"""

from app import access, erasures, jobs, limits, mail, people, trail
from app.api import idempotency, rates, tokens
from app.database import Base
from app.webhooks import deliveries, hooks
from catalog import capacity, listings, photos
from orders import basket, card_payments, giving_back, order, payments, provider_events, refunds, slips
from producers import centers, certificates, fees, groups, ledger, members, notes, plan, streams

__all__ = ["metadata", "room_of"]

metadata = Base.metadata

MODULES = (
    *(access, erasures, jobs, limits, mail, people, trail),
    *(idempotency, rates, tokens),
    *(deliveries, hooks),
    *(centers, certificates, fees, groups, ledger, members, notes, plan, streams),
    *(capacity, listings, photos),
    *(basket, card_payments, giving_back, order, payments, provider_events, refunds, slips),
)


def room_of(table_name: str) -> str:
    """Return the room (top-level package) whose module declares the table."""
    for mapper in Base.registry.mappers:
        if table_name in {table.name for table in mapper.tables if hasattr(table, "name")}:
            return mapper.class_.__module__.partition(".")[0]
    return str(metadata.tables[table_name].info["room"])
