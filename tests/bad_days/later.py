"""`python -m tests.bad_days.later MINUTES`: do what the worker does until so long from now, then `market check`.

Runs beside an open market, or while it is closed.  Prints what the check finds as a JSON list, warnings left out.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from app import check, clock, database, home, jobs, worker
from app.settings import settings

ROUNDS = 3
"""What a periodic job finds leaves jobs, whose work may leave more."""


async def until(moment: datetime) -> list[str]:
    url = settings().database_url
    assert url is not None
    with clock.frozen(moment):
        for _ in range(ROUNDS):
            async with database.session_scope() as session:
                await jobs.tend(session)
            await worker.work_off()
        found = await check.check(url, all_files=True)
    await database.engine().dispose()
    return [str(finding) for finding in found if not finding.is_warning]


if __name__ == "__main__":
    with home.opened():
        print(json.dumps(asyncio.run(until(datetime.now(UTC) + timedelta(minutes=int(sys.argv[1]))))))  # noqa: T201
