"""Tests of L{edgegate.sources.watch}."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from edgegate.sources.folder import Folder
from edgegate.sources.places import Place, places
from edgegate.sources.watch import Watch, WatchService, available

PATIENCE = 10.0


class WatchTests(TestCase):
    """Real changes."""

    if not available():
        skip = "there is no inotify"

    def setUp(self) -> None:
        """Watch a folder with a certificate."""
        self.base = Path(self.mktemp()).absolute()
        self.etc = self.base / "etc"
        (self.etc / "certs").mkdir(parents=True)
        (self.etc / "a.yaml").write_text("a")
        self.cert = self.etc / "certs" / "a.crt"
        self.cert.write_text("a")
        self.calls = 0
        self.waiting: Deferred[None] | None = None
        self.watch = Watch(reactor, self.changed)  # type: ignore[arg-type]
        self.addCleanup(self.end)

    def end(self) -> None:
        """Watch no more."""
        self.watch.stop()

    def changed(self) -> None:
        """Something has changed."""
        self.calls += 1
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(None)

    async def follow(self, *files: Path) -> None:
        """Begin to watch; what is new is looked at once."""
        self.watch.follow(self.etc, [self.cert, *files])
        await self.next()

    async def next(self) -> None:
        """Wait for the next call."""
        self.waiting = Deferred()
        self.waiting.addTimeout(PATIENCE, reactor)  # type: ignore[arg-type]
        await self.waiting

    async def noticed(self, change: Callable[[], object]) -> None:
        """Check that a change is noticed, once."""
        before = self.calls
        change()
        await self.next()
        self.assertEqual(self.calls, before + 1)

    async def unnoticed(self, change: Callable[[], object]) -> None:
        """Check that a change is not noticed: one that comes after it is, and they make one call."""
        self.watch.quiet = 0.0
        before = self.calls
        change()
        # what inotify has to say of it is read in the next turns
        await deferLater(reactor, 0.05, lambda: None)  # type: ignore[arg-type]
        self.assertEqual(self.calls, before)

    async def test_saving(self) -> None:
        """Files are written, made, renamed and deleted."""
        await self.follow()
        await self.noticed(lambda: (self.etc / "a.yaml").write_text("b"))
        await self.noticed(lambda: (self.etc / "b.yaml").write_text("b"))
        await self.noticed(lambda: (self.etc / "b.yaml").rename(self.etc / "c.yaml"))
        await self.noticed(lambda: (self.etc / "c.yaml").rename(self.etc / "c.txt"))
        await self.noticed((self.etc / "a.yaml").unlink)
        await self.noticed(lambda: self.cert.write_text("b"))
        await self.noticed(lambda: self.cert.chmod(0o600))

    async def test_together(self) -> None:
        """A series of changes is one."""
        await self.follow()

        def change() -> None:
            for number in range(50):
                (self.etc / f"{number}.yaml").write_text("x")

        await self.noticed(change)

    async def test_saving_by_renaming(self) -> None:
        """Editors write another file and rename it, with a backup of the old one: that is one change."""
        await self.follow()

        def save() -> None:
            (self.etc / "a.yaml").rename(self.etc / "a.yaml~")
            (self.etc / ".a.yaml.new").write_text("b")
            (self.etc / ".a.yaml.new").rename(self.etc / "a.yaml")
            (self.etc / "a.yaml~").unlink()

        await self.noticed(save)

    async def test_nothing_of_ours(self) -> None:
        """Temporary files, other files, and reading are no changes."""
        await self.follow()
        await self.unnoticed(lambda: (self.etc / ".a.yaml.swp").write_text("x"))
        await self.unnoticed((self.etc / "4913").touch)
        await self.unnoticed((self.etc / "certs" / "other.crt").touch)
        await self.unnoticed(lambda: ((self.etc / "a.yaml").read_text(), list(self.etc.iterdir())))

    async def test_swapped_link(self) -> None:
        """Kubernetes swaps a link to a folder; the files of the new folder are watched afterwards."""
        secret = self.base / "secret"
        for version in ("..1", "..2"):
            (secret / version).mkdir(parents=True)
            (secret / version / "tls.crt").write_text(version)
        (secret / "..data").symlink_to("..1")
        (secret / "tls.crt").symlink_to("..data/tls.crt")
        await self.follow(secret / "tls.crt")

        def swap() -> None:
            (secret / "..data_tmp").symlink_to("..2")
            (secret / "..data_tmp").rename(secret / "..data")

        await self.noticed(swap)
        await self.noticed(lambda: (secret / "..2/tls.crt").write_text("x"))
        await self.unnoticed(lambda: (secret / "..1/tls.crt").write_text("x"))

    async def test_folder_made_again(self) -> None:
        """A folder that is deleted, or moved away, and made again is watched again."""
        await self.follow()
        for lose in (shutil.rmtree, lambda path: path.rename(self.base / "old")):
            await self.noticed(lambda lose=lose: lose(self.etc))  # type: ignore[misc]
            await self.noticed(self.etc.mkdir)
            await self.noticed(lambda: (self.etc / "a.yaml").write_text("b"))
            await self.noticed((self.etc / "certs").mkdir)
            await self.noticed(lambda: self.cert.write_text("b"))

    async def test_swapped_folder(self) -> None:
        """The folder itself may be a link that is swapped."""
        self.etc.rename(self.base / "one")
        (self.base / "two").mkdir()
        self.etc.symlink_to("one")
        await self.follow()

        def swap() -> None:
            (self.base / "new").symlink_to("two")
            (self.base / "new").rename(self.etc)

        await self.noticed(swap)
        await self.noticed(lambda: (self.base / "two/a.yaml").write_text("x"))
        await self.unnoticed(lambda: (self.base / "one/a.yaml").write_text("x"))

    async def test_folders(self) -> None:
        """Folders within the folder appear, are renamed and vanish; what is in them is watched."""
        await self.follow()
        await self.noticed((self.etc / "empty").mkdir)
        await self.noticed(lambda: (self.etc / "empty/a.yaml").write_text("a"))
        await self.noticed(lambda: (self.etc / "one/two").mkdir(parents=True))
        await self.noticed(lambda: (self.etc / "one/two/b.yaml").write_text("b"))
        await self.noticed(lambda: (self.etc / "one").rename(self.etc / "three"))
        await self.noticed(lambda: (self.etc / "three/two/b.yaml").write_text("c"))
        await self.unnoticed(lambda: (self.etc / "three/two/notes.txt").write_text("c"))
        await self.noticed(lambda: shutil.rmtree(self.etc / "three"))
        (self.base / "other").mkdir()
        await self.noticed(lambda: (self.etc / "link").symlink_to("../other"))
        await self.noticed(lambda: (self.base / "other/d.yaml").write_text("d"))
        await self.noticed((self.etc / "link").unlink)
        await self.unnoticed(lambda: (self.base / "other/d.yaml").write_text("e"))

    async def test_hidden_folder(self) -> None:
        """Hidden folders are left alone."""
        await self.follow()
        await self.unnoticed((self.etc / ".git").mkdir)
        await self.unnoticed(lambda: (self.etc / ".git/a.yaml").write_text("a"))

    async def test_folder_replaced(self) -> None:
        """A folder that is moved away takes those in it along: others of the same names are watched in their place."""
        (self.etc / "one/two").mkdir(parents=True)
        await self.follow()

        def replace() -> None:
            (self.etc / "one").rename(self.base / "old")
            (self.etc / "one/two").mkdir(parents=True)

        await self.noticed(replace)
        await self.noticed(lambda: (self.etc / "one/two/a.yaml").write_text("a"))
        await self.unnoticed(lambda: (self.base / "old/two/a.yaml").write_text("a"))

    async def test_config_map_changes(self) -> None:
        """Documents that Kubernetes mounts change by the swap of one link."""
        for version in ("..1", "..2"):
            (self.etc / version).mkdir()
            (self.etc / version / "b.yaml").write_text(version)
        (self.etc / "..data").symlink_to("..1")
        (self.etc / "b.yaml").symlink_to("..data/b.yaml")
        await self.follow()

        def swap() -> None:
            (self.etc / "..data_tmp").symlink_to("..2")
            (self.etc / "..data_tmp").rename(self.etc / "..data")

        await self.noticed(swap)
        await self.noticed(lambda: (self.etc / "..2/b.yaml").write_text("x"))

    async def test_cannot_look(self) -> None:
        """Where it can't be told what to watch, what was watched before is, and changes are told all the same."""
        for error in (TimeoutError("nothing came"), ZeroDivisionError()):
            outcomes = [None, error, error]

            def defer(look: Callable[[], dict[str, Place]], outcomes: list[Exception | None] = outcomes) -> Any:
                failed = outcomes.pop(0)
                return maybeDeferred(look) if failed is None else fail(failed)

            self.watch.stop()
            self.watch = Watch(reactor, self.changed, defer)  # type: ignore[arg-type]
            await self.follow()
            await self.noticed(lambda: (self.etc / "a.yaml").write_text("b"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    async def test_stopped(self) -> None:
        """Who is stopped while it looks watches nothing more, and tells nobody."""
        looking: Deferred[dict[str, Place]] = Deferred()
        watch = Watch(reactor, self.changed, lambda _: looking)  # type: ignore[arg-type]
        watch.follow(self.etc, [])
        watch.stop()
        looking.callback(places(self.etc, []))
        await self.unnoticed(lambda: (self.etc / "a.yaml").write_text("b"))

    async def test_service(self) -> None:
        """The service looks in threads, and tells of what changed since it was told what to follow."""
        service = WatchService(reactor, self.changed)  # type: ignore[arg-type]
        service.startService()
        try:
            reading = Folder(str(self.etc)).read()
            list(reading.manifests())
            reading.read("certs/a.crt")
            service.follow(reading.watched)
            await self.next()
            await self.noticed((self.etc / "sub").mkdir)
            await self.noticed(lambda: (self.etc / "sub/a.yaml").write_text("a"))
        finally:
            service.stopService()

    async def test_other_files(self) -> None:
        """What is not followed any more is not watched any more."""
        await self.follow()
        self.watch.follow(self.etc, [])
        await self.unnoticed(lambda: self.cert.write_text("x"))

    async def test_one_file(self) -> None:
        """Of a single file of documents its own name matters."""
        self.watch.follow(self.etc / "a.yaml", [])
        await self.next()
        await self.noticed(lambda: (self.etc / "a.yaml").write_text("b"))
        await self.unnoticed(lambda: (self.etc / "b.yaml").write_text("b"))
