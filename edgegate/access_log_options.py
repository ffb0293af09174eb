"""The options of C{twistd edgegate} that say what is logged of each request and connection."""

from __future__ import annotations

from edgegate.config.values import suggestion
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import BadFormat, read_format
from edgegate.model.log_paths import check_log_path
from edgegate.model.operators import OPERATORS, UnknownOperator
from edgegate.observe.log_file import STANDARD_OUTPUT


def asked_access_logs(path: str | None, form: str | None) -> tuple[AccessLogFile, ...] | None:
    """
    Return the logs that options ask for; L{None}: they say nothing.

    @param path: C{--access-log}; C{none}: there is to be no log, whatever the files say.
    @param form: C{--access-log-format}.
    @raise ValueError: One of them is not written so.
    """
    if path is None and form is None:
        return None
    try:
        read = read_format(form or "text")
    except BadFormat as error:
        known = error.cause
        hint = suggestion(known.name, OPERATORS) if isinstance(known, UnknownOperator) else ""
        raise ValueError(f"--access-log-format: {error}{hint}") from None
    if path == "none":
        return ()
    path = path or STANDARD_OUTPUT
    try:
        check_log_path(path)
    except ValueError as error:
        raise ValueError(f"--access-log: {error}") from None
    return (AccessLogFile(path, read),)
