"""What must be true of the foundation: jobs get done."""

from typing import Final

from app.findings import Check

CHECKS: Final = (
    Check(
        "failed jobs",
        "job {id} ({kind}) was given up after {attempts} attempts: {last_error}",
        "SELECT id, kind, attempts, left(last_error, 200) AS last_error FROM jobs WHERE failed_at IS NOT NULL",
    ),
    Check(
        "overdue jobs",
        "{jobs} of kind {kind} should have been done since {since:%Y-%m-%d %H:%M} UTC: does a worker run?",
        """
        SELECT kind, count(*) AS jobs, min(run_after_at) AT TIME ZONE 'UTC' AS since FROM jobs
        WHERE done_at IS NULL AND failed_at IS NULL AND run_after_at < CAST(:now AS timestamptz) - interval '15 minutes'
            AND (claimed_until_at IS NULL OR claimed_until_at < :now)
        GROUP BY kind
        """,
    ),
)
