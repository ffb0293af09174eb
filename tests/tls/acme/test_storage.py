"""What each L{edgegate.tls.acme.storage.Storage} must do, and tests of how one is found."""

from __future__ import annotations

import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import CertificateDirectory
from edgegate.tls.acme.storage import Storage, opened


class StorageContract:
    """
    The tests that all storages pass.

    @ivar storage: The one that is tested; C{other} is another gateway's, on the same entries.
    """

    storage: Storage
    other: Storage

    def test_entries(self) -> None:
        """An entry is what it was made last, for everybody."""
        case = self.case()
        case.assertIsNone(self.storage.read("a/b.pem"))
        for content in (b"one", b"", bytes(range(256)) * 400):
            self.storage.write("a/b.pem", content)
            case.assertEqual((self.storage.read("a/b.pem"), self.other.read("a/b.pem")), (content, content))
        case.assertIsNone(self.storage.read("a/c.pem"))

    def test_stamps(self) -> None:
        """A stamp is another one once the entry was written, by whomever, also with what it held."""
        case = self.case()
        names = ["a/b.pem", "a/c.pem"]
        case.assertEqual(list(self.storage.stamps(names)), [None, None])
        case.assertEqual(list(self.storage.stamps([])), [])
        seen = set()
        for _ in range(5):
            self.other.write("a/c.pem", b"x")
            none, stamp = self.storage.stamps(names)
            case.assertIsNone(none)
            case.assertEqual(list(self.other.stamps(names)), [None, stamp])
            seen.add(stamp)
        case.assertEqual(len(seen), 5)

    def test_locks(self) -> None:
        """One holds a lock; who does writes."""
        case = self.case()
        with self.storage.lock("a/l.lock", wait=False) as ours:
            assert ours is not None
            with self.other.lock("a/l.lock", wait=False) as theirs, self.other.lock("a/m.lock", wait=False) as more:
                case.assertEqual((theirs, more is None), (None, False))
            self.storage.write("a/b.pem", b"x", ours)
        with self.other.lock("a/l.lock", wait=False) as theirs:
            case.assertIsNotNone(theirs)
        case.assertEqual(self.other.read("a/b.pem"), b"x")

    def test_lock_after_error(self) -> None:
        """What goes wrong leaves none behind."""
        case = self.case()
        with case.assertRaises(ZeroDivisionError), self.storage.lock("a/l.lock", wait=False):
            raise ZeroDivisionError
        with self.other.lock("a/l.lock", wait=False) as theirs:
            case.assertIsNotNone(theirs)

    def test_wait(self) -> None:
        """Whoever wants to waits for a lock."""
        case = self.case()
        order = []

        def second() -> None:
            with self.other.lock("a/l.lock", wait=True) as lock:
                order.append(lock is not None)

        thread = threading.Thread(target=second)
        with self.storage.lock("a/l.lock", wait=True):
            thread.start()
            order.append("first")
        thread.join(30)
        case.assertEqual(order, ["first", True])

    def test_shown(self) -> None:
        """What is shown is there meanwhile."""
        case = self.case()
        with self.storage.shown("challenges/x", b"answer"):
            case.assertEqual(self.other.read("challenges/x"), b"answer")
        case.assertIsNone(self.other.read("challenges/x"))
        with case.assertRaises(ZeroDivisionError), self.storage.shown("challenges/x", b"answer"):
            raise ZeroDivisionError
        case.assertIsNone(self.other.read("challenges/x"))

    def case(self) -> SynchronousTestCase:
        """Return what has the assertions."""
        assert isinstance(self, SynchronousTestCase)
        return self


class OpenedTests(SynchronousTestCase):
    """How a storage is found."""

    def test_same(self) -> None:
        """Who keeps in one place shares its storage, and nothing is made by finding it."""
        path = Path(self.mktemp()).absolute()
        first, again = opened(CertificateDirectory(str(path))), opened(CertificateDirectory(str(path)))
        self.assertIs(first, again)
        self.assertIsNot(first, opened(CertificateDirectory("/elsewhere")))
        self.assertFalse(path.exists())
