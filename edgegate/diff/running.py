"""Whether files are what a running gateway serves, by what its admin listener shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from edgegate.admin import views
from edgegate.admin.telemetry_view import telemetry
from edgegate.admin.views import Row
from edgegate.sources.loading import Loaded
from edgegate.sources.tree import walk

_BOUND: Final = ("address", "port")
"""What is as the gateway was started: which socket it has of systemd, say."""


def unlike(dump: Mapping[str, Any], loaded: Loaded) -> list[str]:
    """
    Return the views in which a running gateway differs from files.

    @param dump: What C{/config_dump} shows.
    """
    snapshot = loaded.snapshot
    assert snapshot is not None
    said = {
        "listeners": _without(views.listeners(snapshot), _BOUND),
        "routes": views.routes(snapshot),
        "clusters": views.clusters(snapshot),
        "telemetry": telemetry(snapshot),
    }
    shown = {**dump, "listeners": _without(dump.get("listeners", []), _BOUND)}
    return [name for name, rows in said.items() if _plain(rows) != _plain(shown.get(name, []))]


def changed_since(dump: Mapping[str, Any], loaded: Loaded) -> list[Path]:
    """Return the files that were changed after the gateway has read them last: it may serve what they were before."""
    last = datetime.fromisoformat(dump["last_reload"]["at"].replace("Z", "+00:00"))
    watched = loaded.contents.watched
    paths = list(watched.files)
    if watched.path is not None:
        tree = walk(watched.path, lambda look: look()) if watched.path.is_dir() else None
        paths += [watched.path] if tree is None else [path for _, path in tree.documents]
    return [path for path in paths if _changed(path) > last]


def _changed(path: Path) -> datetime:
    """Return when a file was changed, moved or replaced, whatever its own time says."""
    try:
        return datetime.fromtimestamp(path.stat().st_ctime, timezone.utc)
    except OSError:
        return datetime.now(timezone.utc)


def _without(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def _plain(rows: Sequence[Row]) -> object:
    """Return rows as they come out of JSON."""
    return json.loads(json.dumps(rows))
