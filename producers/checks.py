"""What must be true of the books, whoever wrote them."""

from typing import Final

from app.findings import Check
from producers.ledger import EARNED, PAID_OUT, Purpose


def _among(purposes: tuple[Purpose, ...]) -> str:
    return ", ".join(f"'{purpose.value}'" for purpose in purposes)


CHECKS: Final = (
    Check(
        "ledger facts sum to zero",
        'fact "{key}" ({id}) has {entries} entries that sum to {baht} baht',
        """
        SELECT facts.id, facts.key, coalesce(sums.entries, 0) AS entries, round(coalesce(sums.satang, 0) / 100.0, 2) AS baht
        FROM ledger_facts AS facts
            LEFT JOIN (
                SELECT fact_id, count(*) AS entries, sum(satang) AS satang FROM ledger_entries GROUP BY fact_id
            ) AS sums ON sums.fact_id = facts.id
        WHERE coalesce(sums.entries, 0) < 2 OR sums.satang <> 0
        """,
    ),
    Check(
        "the ledger sums to zero",
        "all entries together sum to {baht} baht",
        "SELECT round(sum(satang) / 100.0, 2) AS baht FROM ledger_entries HAVING sum(satang) <> 0",
    ),
    Check(
        "entries stand on the day of their fact",
        'fact "{key}" is of {fact_day}, entry {id} of {entry_day}',
        """
        SELECT facts.key, facts.business_day AS fact_day, entries.id, entries.business_day AS entry_day
        FROM ledger_entries AS entries JOIN ledger_facts AS facts ON facts.id = entries.fact_id
        WHERE entries.business_day <> facts.business_day
        """,
    ),
    Check(
        "groups' earnings are paid out or owed",
        "group {slug} earned {earned} baht, was paid {paid_out}, and is owed {owed}",
        f"""
        SELECT groups.slug, round(sums.earned / 100.0, 2) AS earned, round(sums.paid_out / 100.0, 2) AS paid_out,
            round(sums.owed / 100.0, 2) AS owed
        FROM (
            SELECT group_id,
                coalesce(-sum(satang) FILTER (WHERE purpose IN ({_among(EARNED)})), 0) AS earned,
                coalesce(sum(satang) FILTER (WHERE purpose IN ({_among(PAID_OUT)})), 0) AS paid_out,
                -sum(satang) AS owed
            FROM ledger_entries WHERE account = 'group' GROUP BY group_id
        ) AS sums JOIN groups ON groups.id = sums.group_id
        WHERE earned <> paid_out + owed
        """,  # noqa: S608 - our own words
    ),
)
