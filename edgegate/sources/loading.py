"""From a source to the Snapshot: the one way in which documents are read, checked and compiled."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import TypedDict

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.istio.resources import Resources
from edgegate.istio.translate import CompileOptions
from edgegate.istio.translate.portable import warn_of_differences
from edgegate.model import codes
from edgegate.model.certificates import ManagedCertificate
from edgegate.model.clusters import Endpoints
from edgegate.model.notes import Notes
from edgegate.model.tls import KeyPair
from edgegate.routing.compile import Compiled
from edgegate.routing.snapshot import Snapshot
from edgegate.sources.certificate_provider import CertificateProvider
from edgegate.sources.compilation import compile_resources
from edgegate.sources.decoding import ManifestDecoder
from edgegate.sources.key_inspector import KeyInspector
from edgegate.sources.source import ConfigurationSource, Contents, Reading
from edgegate.tls.secret_store import Secrets
from edgegate.tls.server_contexts import ServerContexts


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    What came of reading a source.

    @ivar snapshot: L{None} where there are errors, or what is taken for them.
    @ivar contents: What was read.
    @ivar endpoints: Of the Snapshot's clusters, by their names.
    @ivar secrets: The key material that the Snapshot names.
    """

    snapshot: Snapshot | None
    problems: Problems
    source: ConfigurationSource
    contents: Contents
    endpoints: Endpoints = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What was loaded in another process: all but what is there already, and what OpenSSL has made.

    @ivar pairs: The key material that the Snapshot names.
    """

    snapshot: Snapshot | None
    problems: Problems
    contents: Contents
    endpoints: Endpoints
    pairs: tuple[KeyPair, ...]

    @classmethod
    def of(cls, loaded: Loaded) -> Answer:
        """Return what was loaded, for another process."""
        return cls(loaded.snapshot, loaded.problems, loaded.contents, loaded.endpoints, tuple(loaded.secrets))

    def loaded(self, source: ConfigurationSource) -> Loaded:
        """Return what was loaded from a source, in the process that serves it."""
        secrets = Secrets(self.pairs)
        return Loaded(self.snapshot, self.problems, source, self.contents, self.endpoints, secrets)


Analyze = Callable[[Resources, CompileOptions, Problems], None]
"""Adds to the problems of all resources what else there is to say of them."""

Prove = Callable[[Snapshot, Notes, Resources, Problems], None]
"""Adds what is proved of the Snapshot of files that have no errors, with what was noted of it."""


class LoadOptions(TypedDict):
    """How the documents of a source are taken, as a gateway is told; see L{Configuration}."""

    selector: Mapping[str, str] | None
    port_map: Mapping[int, int]
    ignored_kinds: Collection[str]
    gateway_namespace: str | None
    certificate_issuer: str | None


FEW_OBJECTS = 300_000
"""What the garbage collector looks through in less than a tenth of a second."""

THOROUGH_EVERY = 16


class Configuration:
    """
    A source, and how its documents are to be taken: can be loaded again and again, by one thread at a time.

    @ivar few_objects: What the garbage collector may look through with each load.
    @ivar thorough_every: With which of the loads it looks through more.
    """

    def __init__(
        self,
        source: ConfigurationSource,
        selector: Mapping[str, str] | None = None,
        port_map: Mapping[int, int] | None = None,
        frozen: bool = False,
        ignored_kinds: Collection[str] = (),
        strict: bool = False,
        portable: bool = False,
        notes: Notes | None = None,
        analyze: Analyze | None = None,
        prove: Prove | None = None,
        gateway_namespace: str | None = None,
        certificate_issuer: str | None = None,
    ) -> None:
        """
        @param selector: Labels: only Gateways whose selector they satisfy are served; L{None}: all.
        @param port_map: The numbers to bind in place of those in the files.
        @param frozen: Hide what was loaded, and all else that is in memory then, from the garbage collector
            (L{gc.freeze}): it does not look through thousands of routes while requests wait. For a process that is
            the gateway's own: cycles of objects that end meanwhile are freed with the next load, or where there are
            more than L{FEW_OBJECTS} with one of the next L{THOROUGH_EVERY}.
        @param ignored_kinds: Kinds that keep others out (C{--ignore-kind}), and that are to be served without.
        @param gateway_namespace: In which namespace the gateway is, as far as policies choose it; see
            L{CompileOptions}.
        @param certificate_issuer: See L{CompileOptions}.
        @param portable: Warn of places where a cluster would do otherwise.
        @param analyze: Looks for more than a gateway has to know before it serves files.
        @param prove: Looks in the Snapshot, too.
        @param strict: Take warnings for errors: see L{Problems.refusing}.
        @param notes: Where is noted what the Snapshot does not hold. For one load, in this process.
        """
        self._frozen = frozen
        self._strict = strict
        self._portable = portable
        self._notes = notes
        self._analyze = analyze
        self._prove = prove
        self._loads = 0
        self.few_objects = FEW_OBJECTS
        self.thorough_every = THOROUGH_EVERY
        self._source = source
        self._contexts = ServerContexts()
        self._decoder = ManifestDecoder()
        self._selector = selector
        self._port_map = port_map or {}
        self._ignored_kinds = frozenset(ignored_kinds)
        self._gateway_namespace = gateway_namespace
        self._certificate_issuer = certificate_issuer
        self._provider = CertificateProvider()
        options = selector, port_map, False, ignored_kinds, strict, portable, None, None, None, gateway_namespace
        self._source_and_options = (source, *options, certificate_issuer)

    def __reduce__(self) -> tuple[type[Configuration], tuple[object, ...]]:
        """Another process that takes the documents likewise has nothing of what this one knows of them."""
        return Configuration, self._source_and_options

    @property
    def source(self) -> ConfigurationSource:
        """Where the documents come from."""
        return self._source

    @property
    def frozen(self) -> bool:
        """Whether what is loaded is hidden from the garbage collector."""
        return self._frozen

    @property
    def unread(self) -> Mapping[ManagedCertificate, str]:
        """See L{CertificateProvider.unread}, of the last load."""
        return self._provider.unread

    def forget(self) -> Iterator[None]:
        """Keep nothing that the next load would go by, and let go bit by bit what was kept."""
        return self._decoder.forget()

    def load(self, now: datetime | None = None) -> Loaded:
        """
        Read, check and compile. All that is wrong with the files is among the problems, never raised.

        @param now: An aware time that certificates should be valid at; by default the present.
        """
        return self._load(self._source.read(), now)

    def reload(self, before: Contents | None) -> Loaded | None:
        """
        Read again, once; check and compile unless all is what it was.

        @param before: What the last load has read; L{None}: compile in any case.
        @return: L{None} where nothing has changed.
        """
        reading = self._source.read()
        if before is not None and not reading.differs(before):
            reading.close()
            return None
        return self._load(reading, None)

    def _load(self, reading: Reading, now: datetime | None) -> Loaded:
        problems = Problems()
        self._provider.begin()
        self._loads += 1
        thorough = gc.get_freeze_count() < self.few_objects or self._loads % self.thorough_every == 0
        try:
            with collector_paused(self._frozen, thorough):
                inspector = KeyInspector(now or datetime.now(timezone.utc), self._contexts)
                compiled = self._compile(reading, problems, inspector)
        finally:
            reading.close()
            self._provider.close()
        _give_back()
        if problems.refusing(self._strict):
            return Loaded(None, problems, self._source, reading.contents)
        snapshot, endpoints = compiled.snapshot, compiled.endpoints
        return Loaded(snapshot, problems, self._source, reading.contents, endpoints, inspector.secrets)

    def _compile(self, reading: Reading, problems: Problems, inspector: KeyInspector) -> Compiled:
        resources = self._decoder.decode(reading, problems)
        notes = Notes() if self._notes is None and self._prove is not None else self._notes
        options = CompileOptions(
            self._selector,
            self._port_map,
            reading.read,
            inspector,
            inspector.upstream,
            self._ignored_kinds,
            notes,
            self._gateway_namespace,
            locate=reading.locate,
            provide=self._provider,
            certificate_issuer=self._certificate_issuer,
        )
        compiled = compile_resources(resources, options, problems)
        if self._portable:
            warn_of_differences(resources, options, problems)
        if self._analyze is not None:
            self._analyze(resources, options, problems)
        if self._prove is not None and notes is not None and not problems.errors:
            self._prove(compiled.snapshot, notes, resources, problems)
        _tell_passed_over(reading, resources, problems)
        if not compiled.snapshot.listeners and not problems.errors:
            why = "no server of any Gateway is served" if resources.gateways else "no Gateway is declared"
            problems.add(
                Problem(
                    self._source.name, 1, 1, Severity.INFO, "", f"{why}: no port is opened", code=codes.NO_PORT_OPENED
                )
            )
        return compiled


def load(
    source: ConfigurationSource,
    selector: Mapping[str, str] | None = None,
    port_map: Mapping[int, int] | None = None,
    now: datetime | None = None,
    ignored_kinds: Collection[str] = (),
    portable: bool = False,
    notes: Notes | None = None,
    analyze: Analyze | None = None,
    prove: Prove | None = None,
    gateway_namespace: str | None = None,
    certificate_issuer: str | None = None,
) -> Loaded:
    """Load once; see L{Configuration}."""
    configuration = Configuration(
        source,
        selector,
        port_map,
        ignored_kinds=ignored_kinds,
        portable=portable,
        notes=notes,
        analyze=analyze,
        prove=prove,
        gateway_namespace=gateway_namespace,
        certificate_issuer=certificate_issuer,
    )
    return configuration.load(now)


def _tell_passed_over(reading: Reading, resources: Resources, problems: Problems) -> None:
    """Tell of files whose names end in something else: nobody may have meant to leave out all Gateways or routes."""
    read = {"Gateway": resources.gateways, "VirtualService": resources.virtual_services}
    missing = {kind for kind, found in read.items() if not found}
    for name, kinds in reading.passed_over():
        severity = Severity.WARNING if missing.intersection(kinds) else Severity.INFO
        message = f"not read, as its name does not end in .yaml, .yml or .json; it holds: {', '.join(kinds)}"
        problems.add(Problem(name, 1, 1, severity, "", message, code=codes.FILE_NOT_READ))


@contextmanager
def collector_paused(frozen: bool, thorough: bool, oldest: int = 2) -> Iterator[None]:
    """
    Pause the garbage collector: all that is made while files are read stays for a while, so that it would look
    through it again and again, which takes half of the time where there are thousands of documents.

    @param frozen: Hide what was made from it, and all else that is in memory. What only it would free is freed before
        the next time, or the next that is C{thorough}.
    @param oldest: The oldest generation that it looks through before, where this is not C{thorough}.
    """
    enabled = gc.isenabled()
    if frozen:
        if thorough:
            gc.unfreeze()
        gc.collect(2 if thorough else oldest)
    gc.disable()
    try:
        yield
    finally:
        if frozen:
            gc.freeze()
        elif enabled:
            gc.collect(oldest)
        if enabled:
            gc.enable()


@lru_cache(maxsize=1)
def _malloc_trim() -> Callable[[ctypes.c_size_t], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None


def _give_back() -> None:
    """
    Give memory that is free again back to the system, where the C library can be told to (glibc).

    What was read in the main thread at the start and in another one on a reload lies in two heaps, of which
    neither would use what is free in the other.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(ctypes.c_size_t(0))
