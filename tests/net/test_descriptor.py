"""Tests of L{edgegate.net.descriptor}."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.net.descriptor import Descriptor
from edgegate.net.poller import Poller
from tests.net.pairs import tcp_pair


class DescriptorTests(SynchronousTestCase):
    """On a reactor that writes down what it is asked."""

    def setUp(self) -> None:
        """Make one."""
        self.reactor: Any = MemoryReactor()
        self.descriptor = Descriptor(self.reactor, 7)

    def watched(self) -> tuple[list[Any], list[Any]]:
        """Return what is watched for reading and for writing."""
        return self.reactor.getReaders(), self.reactor.getWriters()

    def test_watching(self) -> None:
        """What is watched already is not watched again, nor the other way round."""
        for _ in range(2):
            self.descriptor._watch_reading()
            self.assertEqual(self.watched(), ([self.descriptor], []))
        for _ in range(2):
            self.descriptor._watch_writing()
            self.assertEqual(self.watched(), ([self.descriptor], [self.descriptor]))
        for _ in range(2):
            self.descriptor._unwatch_reading()
            self.assertEqual(self.watched(), ([], [self.descriptor]))
        for _ in range(2):
            self.descriptor._unwatch()
            self.assertEqual(self.watched(), ([], []))

    def test_leave(self) -> None:
        """Who leaves is watched no more, and has no number."""
        self.descriptor._watch_reading()
        self.descriptor._watch_writing()
        self.descriptor._leave()
        self.assertEqual((self.watched(), self.descriptor.fileno()), (([], []), -1))


class PolledTests(TestCase):
    """On a poller."""

    def test_leave(self) -> None:
        """The poller forgets who leaves, also where it was at rest."""
        reactor: Any = MemoryReactor()
        poller: Any = Poller(reactor)
        for rest in (False, True):
            ours, theirs = tcp_pair()
            self.addCleanup(theirs.close)
            descriptor = Descriptor(poller, ours.fileno())
            descriptor._watch_reading()
            if rest:
                poller.rest(descriptor.fd)
            descriptor._leave()
            ours.close()
            self.assertEqual((poller._watched, poller.getReaders(), descriptor.fileno()), ({}, [], -1))
