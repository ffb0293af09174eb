"""Tests of L{edgegate.diff.running}."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin import views
from edgegate.admin.telemetry_view import telemetry
from edgegate.diff.running import changed_since, unlike
from edgegate.sources.folder import Folder
from edgegate.sources.loading import Loaded, load
from tests.cli.test_proxy_config import FILES

NOW = datetime.now(timezone.utc)


def dump_of(loaded: Loaded, at: datetime = NOW) -> dict[str, Any]:
    """Return what the admin listener of a gateway shows that serves files."""
    assert loaded.snapshot is not None
    rows = views.listeners(loaded.snapshot)
    for row in rows:
        row["port"] = 1  # a socket that it has of systemd
    said = {
        "listeners": rows,
        "routes": views.routes(loaded.snapshot),
        "clusters": views.clusters(loaded.snapshot),
        "telemetry": telemetry(loaded.snapshot),
        "last_reload": {"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
    }
    dump: dict[str, Any] = json.loads(json.dumps(said))
    return dump


class RunningTests(SynchronousTestCase):
    """Whether files are those that are served."""

    def setUp(self) -> None:
        """Load files."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "a.yaml"
        self.file.write_text(FILES)
        self.loaded = load(Folder(str(self.folder)))

    def test_same(self) -> None:
        """They are, wherever the sockets come from."""
        self.assertEqual(unlike(dump_of(self.loaded), self.loaded), [])

    def test_others(self) -> None:
        """They are not where a line has moved, or a port is another one."""
        dump = dump_of(self.loaded)
        self.file.write_text(f"\n{FILES}")
        self.assertIn("routes", unlike(dump, load(Folder(str(self.folder)))))
        self.assertEqual(unlike({}, self.loaded)[:2], ["listeners", "routes"])

    def test_changed(self) -> None:
        """Files that were touched after they were read last are told, others not."""
        hour = timedelta(hours=1)
        self.assertEqual(changed_since(dump_of(self.loaded, NOW - hour), self.loaded), [self.file])
        self.assertEqual(changed_since(dump_of(self.loaded, NOW + hour), self.loaded), [])
        self.file.unlink()
        self.file.symlink_to("/nowhere")
        self.assertEqual(changed_since(dump_of(self.loaded, NOW + hour), self.loaded), [])
