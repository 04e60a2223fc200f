"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def description() -> dict[str, str | int | float]:
    """Name processor, cores, memory and versions, and how busy the machine was before we began."""
    return {
        "processor": _value("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(int(_value("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _value(file: str, name: str) -> str:
    lines = (line.partition(":") for line in Path(file).read_text().splitlines())
    return next((value.strip() for label, _, value in lines if label.strip() == name), "")
