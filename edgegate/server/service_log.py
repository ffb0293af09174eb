"""The service log as JSON: one object a line, for machines that read what the gateway says of itself."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TextIO

from twisted.application.service import MultiService
from twisted.logger import FileLogObserver, ILogObserver, LogEvent, formatEvent
from twisted.python.components import Componentized

_OWN = ("log_", "isError", "message", "time", "system", "format", "failure", "why")


def json_observer(out: TextIO) -> ILogObserver:
    """Return an observer that writes each event as a line of JSON: its time, level, words, and what they tell."""
    return FileLogObserver(out, json_line)


def json_line(event: LogEvent) -> str:
    """
    Return one event as a line.

    C{time} (RFC 3339), C{level}, C{scope} and C{message} come first, then the event's own fields; an error that was
    caught has a C{traceback}.
    """
    at = datetime.fromtimestamp(event["log_time"], timezone.utc).isoformat(timespec="milliseconds")
    level = event.get("log_level")
    line: dict[str, object] = {
        "time": at.replace("+00:00", "Z"),
        "level": "info" if level is None else level.name,
        "scope": event.get("log_namespace", "-"),
        "message": formatEvent(event),
    }
    for key, value in event.items():
        if not key.startswith(_OWN):
            line[key] = value if isinstance(value, str | int | float | bool | None) else str(value)
    failure = event.get("log_failure")
    if failure is not None:
        line["traceback"] = failure.getTraceback()
    return json.dumps(line, ensure_ascii=False) + "\n"


class LoggedService(MultiService):
    """Has an application that it becomes part of log to an observer, in place of the one that twistd would choose."""

    def __init__(self, observer: ILogObserver) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._observer = observer

    def setServiceParent(self, parent: object) -> None:
        """Become part of an application, or of another service."""
        if isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._observer)
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]
