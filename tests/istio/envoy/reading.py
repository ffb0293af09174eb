"""Messages of Envoy's API from YAML, with what is told of them."""

from __future__ import annotations

import yaml

from edgegate.config.document import Path, format_path
from edgegate.istio.envoy.messages import Message, Teller


class Told:
    """What was told, as C{PLACE: MESSAGE}."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.teller = Teller(self._error, self._warn)

    def _error(self, path: Path, message: str) -> None:
        self.errors.append(f"{format_path(path)}: {message}")

    def _warn(self, path: Path, message: str) -> None:
        self.warnings.append(f"{format_path(path)}: {message}")


def message(text: str) -> tuple[Message, Told]:
    """Return a message that stands at C{value}."""
    told = Told()
    return Message(yaml.safe_load(text), ("value",), told.teller), told
