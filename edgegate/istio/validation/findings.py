"""Where the rules report to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.resources import Resource


@dataclass(frozen=True, slots=True)
class Findings:
    """Takes what is wrong with one resource. Paths are those of the document."""

    resource: Resource[Any]
    problems: Problems

    def error(self, path: Path, message: str, code: str = "") -> None:
        """Report what keeps the files from being served."""
        self.resource.error(self.problems, path, message, code=code)

    def warning(self, path: Path, message: str, code: str = "") -> None:
        """Report what is probably not what was meant."""
        self.resource.warning(self.problems, path, message, code=code)
