"""The process apart in which a stranger's picture is decoded: `app.pictures` starts one for each picture.

It reads the file from stdin, says one Answer on stdout, and holds itself to little memory and time before it looks at
the first byte.  It can write no file, and the kernel ends it before anything else of the market when memory is short.
"""

import contextlib
import os
import resource
import sys
from pathlib import Path
from typing import Final

from app.picture_checks import MOST_BYTES, PictureRefused, PictureTooHeavy
from app.pictures import Answer, Pixels, make, read_upright

MOST_MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space: the largest allowed PNG (80 megapixels that show through) needs three quarters."""
MOST_SECONDS: Final = 45
"""Of computing, on all cores together."""


def main(task: str, most_memory: int = MOST_MEMORY) -> None:
    hold_back(most_memory)
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        answer = _answer(task, data)
    except PictureRefused as refusal:
        answer = Answer(refused=type(refusal).__name__)
    except MemoryError:
        answer = Answer(refused=PictureTooHeavy.__name__)
    sys.stdout.buffer.write(answer.model_dump_json().encode())


def hold_back(most_memory: int = MOST_MEMORY, most_seconds: int = MOST_SECONDS) -> None:
    """Give up what decoding does not need.  Systems that lack one of the limits do without it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", "ascii")
    for limit, most in (
        (resource.RLIMIT_AS, most_memory),
        (resource.RLIMIT_CPU, most_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))
    os.nice(5)


def _answer(task: str, data: bytes) -> Answer:
    if task == "make":
        return Answer(made=make(data))
    picture = read_upright(data)
    return Answer(pixels=Pixels(picture.size, picture.tobytes()))


if __name__ == "__main__":
    main(sys.argv[1])
