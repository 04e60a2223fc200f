"""What docs/api.md tells receivers to do works."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from app.language import ROOT
from app.webhooks.sending import signature

SECRET = "whsec_example"
BODY = '{"id":"1","data":{"name":"ข้าวเม่า"}}'.encode()


def example() -> Any:
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)  # noqa: S102 - our own guide's words
    return told["is_from_the_market"]


def test_the_guides_example_knows_our_messages() -> None:
    now = datetime.now(UTC)
    assert example()(SECRET, signature([SECRET], now, BODY), BODY)
    assert example()(SECRET, signature(["whsec_new", SECRET], now, BODY), BODY)


def test_the_guides_example_refuses_everything_else() -> None:
    now, is_ours = datetime.now(UTC), example()
    assert not is_ours(SECRET, signature(["whsec_other"], now, BODY), BODY)
    assert not is_ours(SECRET, signature([SECRET], now, BODY), BODY + b" ")
    assert not is_ours(SECRET, signature([SECRET], now - timedelta(minutes=6), BODY), BODY)
    assert not is_ours(SECRET, "", BODY)
