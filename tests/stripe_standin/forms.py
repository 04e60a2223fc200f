"""Reading form fields as Stripe's API takes them: `line_items[0][price_data][currency]=thb`."""

import re
from typing import Any
from urllib.parse import parse_qsl

NUMBERS = {"quantity", "unit_amount", "expires_at", "amount"}


def read(body: str) -> dict[str, Any]:
    """Return the nested form; lists are written as numbered brackets."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        path = re.findall(r"[^\[\]]+", name)
        place = found
        for word in path[:-1]:
            place = place.setdefault(word, {})
        place[path[-1]] = _value(path[-1], value)
    listed: dict[str, Any] = _lists(found)
    return listed


def _value(name: str, text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if name in NUMBERS and text.lstrip("-").isdigit() else text


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(each) for key, each in value.items()}
