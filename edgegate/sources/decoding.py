"""From the texts of a source to resources: what is as it was is not parsed and decoded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgegate.config.manifest import stream
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.istio.decode import Decoded, collect, decode_one
from edgegate.istio.kinds import kind_of_fields
from edgegate.istio.resources import Resources
from edgegate.model import codes
from edgegate.sources.source import Manifest, Reading


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """
    What came of one manifest by itself.

    @ivar problems: Those of its text.
    """

    digest: str
    decoded: tuple[Decoded, ...]
    problems: tuple[Problem, ...]


class ManifestDecoder:
    """
    Decodes the manifests of one reading after the other.

    Keeps what came of the last one, as bytes for the most part, by origin and digest.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def decode(self, reading: Reading, problems: Problems) -> Resources:
        """Take all texts of a reading, and return their resources. What is wrong with each by itself is reported."""
        before, self._known = self._known, {}
        return collect(self._all(reading, before, problems), problems)

    def forget(self) -> Iterator[None]:
        """Keep nothing of the last one, and let go bit by bit what was kept."""
        known, self._known = self._known, {}
        while known:
            known.popitem()
            yield

    def _all(self, reading: Reading, before: dict[str, _Known], problems: Problems) -> Iterator[Decoded]:
        for manifest in reading.manifests():
            known = before.get(manifest.origin)
            if known is None or known.digest != manifest.digest:
                known = _decode(manifest)
            self._known[manifest.origin] = known
            problems.add_all(known.problems)
            yield from known.decoded


def _decode(manifest: Manifest) -> _Known:
    problems = Problems()
    origin, content = manifest.origin, manifest.content
    if isinstance(content, str):
        problems.add(
            Problem(origin, 1, 1, Severity.ERROR, "", f"can't be read: {content}", Role.CAUSE, codes.UNREADABLE_FILE)
        )
        return _Known(manifest.digest, (), tuple(problems))
    # each document may be gone when the next one is parsed
    decoded = tuple(map(decode_one, stream(origin, content, problems, kind_of_fields)))
    problems.fill_in_codes(codes.UNREADABLE_FILE, codes.FILE_NOT_READ)
    return _Known(manifest.digest, decoded, tuple(problems))
