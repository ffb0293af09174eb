"""A Redis in memory, as far as a storage asks one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgegate.model.certificates import CertificateRedis
from edgegate.model.redis import RedisServer
from edgegate.tls.acme.redis_client import RedisFailed
from edgegate.tls.acme.redis_storage import RELEASE, RENEW, RESEAL, WRITE

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def place(*keys: bytes, prefix: str = "p") -> CertificateRedis:
    """Return where entries are kept."""
    return CertificateRedis(RedisServer("redis", 6379), prefix, keys or (KEY,))


class FakeRedis:
    """
    Answers as Redis does.

    @ivar values: What it has; C{ends} is when it has it no longer, by its own clock C{now}.
    @ivar asked: The commands that it was sent.
    @ivar fails: Why it does not answer; empty: it does.
    @ivar readonly: Whether it refuses to write.
    """

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.ends: dict[str, float] = {}
        self.asked: list[tuple[bytes | str | int, ...]] = []
        self.now = 0.0
        self.failures = 0
        self.fails = ""
        self.readonly = False

    def ask(self, *words: Any) -> Any:
        """Answer."""
        self.asked.append(words)
        if self.fails:
            self.failures += 1
            self.seen_away()
            raise RedisFailed(self.fails)
        name = words[0]
        if self.readonly and name in ("SET", "DEL", "EVAL"):
            raise RedisFailed("READONLY You can't write against a read only replica.")
        return getattr(self, f"_{name.lower()}")(*words[1:])

    def seen_away(self) -> None:
        """Somebody has seen that it is."""

    def ask_all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Answer."""
        return [self.ask(*each) for each in commands]

    def _current(self, key: str) -> bytes | None:
        if self.ends.get(key, self.now + 1) <= self.now:
            del self.values[key], self.ends[key]
        return self.values.get(key)

    def _getrange(self, key: str, first: int, last: int) -> bytes:
        return (self._current(key) or b"")[first : last + 1]

    def _set(self, key: str, value: bytes | str, *options: Any) -> bool | None:
        if "NX" in options and self._current(key) is not None:
            return None
        self.values[key] = value.encode() if isinstance(value, str) else value
        self.ends.pop(key, None)
        if "PX" in options:
            self.ends[key] = self.now + options[options.index("PX") + 1] / 1000
        return True

    def _scan(self, cursor: int, _match: str, pattern: str, *_: Any) -> tuple[int, list[bytes]]:
        found = sorted(each for each in self.values if each.startswith(pattern[:-1]))
        # two at a time
        more = cursor + 2 if cursor + 2 < len(found) else 0
        return more, [each.encode() for each in found[cursor : cursor + 2]]

    def _del(self, key: str) -> int:
        self.ends.pop(key, None)
        return int(self.values.pop(key, None) is not None)

    def _eval(self, script: str, count: int, *rest: Any) -> int:
        keys, values = rest[:count], rest[count:]
        held = self._current(keys[2] if script == WRITE else keys[0])
        wanted = values[2 if script == WRITE else 0]
        if (script != WRITE or wanted) and held != (wanted.encode() if isinstance(wanted, str) else wanted):
            return 0
        if script == RENEW:
            self.ends[keys[0]] = self.now + values[1] / 1000
        elif script == RELEASE:
            self._del(keys[0])
        else:
            assert script in (WRITE, RESEAL)
            self._set(keys[0], values[0 if script == WRITE else 1])
            self._set(keys[1], values[1 if script == WRITE else 2])
        return 1
