"""C{edgegate check} in this process, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from edgegate.cli.check import check as command


def check(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Return the problems of a folder, as objects."""
    result = CliRunner().invoke(command, [str(folder), "-o", "json", *arguments])
    assert result.exit_code in (0, 1), result.output
    found: list[dict[str, Any]] = json.loads(result.output)
    return found
