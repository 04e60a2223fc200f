"""What hostile or broken programs post instead of a form.  Spreadsheets are not here: none can be sent to the market."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, quote_plus

FORM: Final = "application/x-www-form-urlencoded"
BOUNDARY: Final = "multipart/form-data; boundary=x"

VALUES: Final[Mapping[str, bytes]] = {
    "huge": b"A" * 200_000,
    "NUL": b"a%00b",
    "only NUL": b"%00",
    "lone surrogate": b"%ED%A0%80%ED%B0%80",
    "broken UTF-8": b"%FF%FE%C3",
    "TIS-620": quote("ข้าวเม่า".encode("tis-620")).encode(),
    "UTF-16": quote("ข้าวเม่า".encode("utf-16")).encode(),
    "negative": b"-1",
    "huge number": b"9" * 400,
    "beyond bigint": b"9223372036854775808",
    "exponent": b"1e400",
    "minus infinity": b"-inf",
    "NaN": b"NaN",
    "Thai digits": quote("๑๒๓๔๕๖๗๘๙๐").encode(),
    "other digits": quote("٣²Ⅷ").encode(),
    "right to left": quote("\u202eกขค\u202c\u2066").encode(),
    "zero width": quote("\u200b\u200d\ufeff").encode(),
    "formula": quote("=cmd|'/c calc'!A0").encode(),
    "script": quote('"><script>alert(1)</script>{{7*7}}%s%(x)s').encode(),
    "path": quote("../../../../etc/passwd").encode(),
    "day that never was": b"2026-02-30",
    "day far away": b"9999-12-31",
    "beyond Unicode": b"%F4%90%80%80",
    "many lines": b"%0D%0A" * 3000,
}


@dataclass(frozen=True, slots=True)
class Body:
    name: str
    content_type: str | None
    content: bytes


def bodies(names: Iterable[str], usual: Mapping[str, str]) -> Iterator[Body]:
    """Everything hostile for a form with these fields; `usual` is what an honest one holds."""
    fields = list(names) or ["name"]
    for title, value in VALUES.items():
        yield Body(f"{title} everywhere", FORM, _joined((field, value) for field in fields))
        for field in fields:
            others = [(name, quote_plus(typed).encode()) for name, typed in usual.items() if name != field]
            yield Body(f"{title} in {field}", FORM, _joined([*others, (field, value)]))
    for title, made in SHAPES.items():
        yield made(title, fields)


def _joined(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    return b"&".join(quote_plus(name).encode() + b"=" + value for name, value in pairs)


def _part(name: str, value: bytes, more: str = "", headers: str = "") -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{headers}\r\n'.encode() + value + b"\r\n"


def _nested(title: str, fields: list[str]) -> Body:
    inner = _part(fields[0], b"inner").replace(b"--x", b"--y") + b"--y--\r\n"
    content = _part(fields[0], inner, headers="Content-Type: multipart/mixed; boundary=y\r\n") + b"--x--\r\n"
    return Body(title, BOUNDARY, content)


def _files(title: str, fields: list[str]) -> Body:
    parts = [_part(field, b"=cmd", '; filename="../=cmd.jpg\x07"') for field in [*fields, "photos", "slip", "photo"]]
    return Body(title, BOUNDARY, b"".join(parts) + b"--x--\r\n")


SHAPES: Final[Mapping[str, Callable[[str, list[str]], Body]]] = {
    "nothing": lambda title, _: Body(title, FORM, b""),
    "no type": lambda title, fields: Body(title, None, _joined((field, b"1") for field in fields)),
    "JSON called a form": lambda title, _: Body(title, FORM, b'{"a": [1, {"b": null}]}'),
    "JSON": lambda title, _: Body(title, "application/json", b'{"a": 1}'),
    "an unknown charset": lambda title, fields: Body(title, f"{FORM}; charset=klingon", _joined([(fields[0], b"1")])),
    "thousands of fields": lambda title, fields: Body(
        title, FORM, _joined((f"{fields[0]}-{n}", b"1") for n in range(5000))
    ),
    "a field a thousand times": lambda title, fields: Body(
        title, FORM, _joined((fields[0], b"%d" % n) for n in range(1000))
    ),
    "all fields twice": lambda title, fields: Body(
        title, FORM, _joined((field, b"%d" % n) for n in range(2) for field in fields)
    ),
    "no boundary": lambda title, fields: Body(title, "multipart/form-data", _part(fields[0], b"1")),
    "a wrong boundary": lambda title, fields: Body(title, "multipart/form-data; boundary=z", _part(fields[0], b"1")),
    "an endless boundary": lambda title, _: Body(title, f"multipart/form-data; boundary={'b' * 3000}", b"--b"),
    "cut off": lambda title, fields: Body(title, BOUNDARY, _part(fields[0], b"1")[:-8]),
    "a part without a name": lambda title, _: Body(title, BOUNDARY, b"--x\r\n\r\nvalue\r\n--x--\r\n"),
    "a part in another charset": lambda title, fields: Body(
        title,
        BOUNDARY,
        _part(fields[0], b"\xa1\xa2\xff", headers="Content-Type: text/plain; charset=tis-620\r\n") + b"--x--\r\n",
    ),
    "a file where words go": _files,
    "nested multipart": _nested,
    "many parts": lambda title, fields: Body(
        title, BOUNDARY, b"".join(_part(fields[0], b"") for _ in range(3000)) + b"--x--\r\n"
    ),
}
