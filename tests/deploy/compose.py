"""docker-compose.yml as an engine would read it. No engine is at hand, so nothing here starts a container."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{(\w+)(:\?[^}]*)?\}")

text = (ROOT / "docker-compose.yml").read_text()
variables = {name: bool(message) for name, message in _VARIABLE.findall(text)}
"""Every variable that the file reads, and whether it asks the shell for it."""

dot_env = dict(
    line.split("=", 1) for line in (ROOT / ".env").read_text().splitlines() if line and not line.startswith("#")
)

GIVEN = "what the shell gives, 32 characters or more"

document: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(lambda found: dot_env.get(found[1], GIVEN), text))
services: dict[str, dict[str, Any]] = document["services"]

OWN = ("simulator", "worker", "console")
"""Services that run our own image."""


def environment(service: str) -> dict[str, str]:
    """What the container sees; a variable without a value is passed on from a shell that has none here."""
    return {name: str(value) for name, value in services[service].get("environment", {}).items() if value is not None}


def seconds(duration: str) -> int:
    amount, unit = int(duration[:-1]), duration[-1]
    return amount * {"s": 1, "m": 60}[unit]
