"""
From the bytes of a file to its documents: values, each with its place.

Goes on behind a syntax error with the next C{---}. A file is never decoded as a
whole where nothing is wrong with it: the parser takes its bytes as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgegate.config.composer import Root, Unreadable, compose
from edgegate.config.document import Document
from edgegate.config.envelope import GuessKind, documents_of, no_guess
from edgegate.config.problems import Problem, Problems, Role, Severity

MAX_FILE = 32 * 1024 * 1024
"""Bytes of a file."""

MAX_SYNTAX_ERRORS = 100
"""Reports for one file, whose documents are broken one by one."""

_SEPARATOR = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = b"\t\n\r" + bytes(range(0x20, 0x7F))
_PIECE = 1024 * 1024
_BEGIN = 8192
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MARK = b"\xef\xbb\xbf"


def read(file: str, text: bytes | str, problems: Problems, guess: GuessKind = no_guess) -> list[Document]:
    """Return all documents of a file; see L{stream}."""
    return list(stream(file, text, problems, guess))


def stream(file: str, text: bytes | str, problems: Problems, guess: GuessKind = no_guess) -> Iterator[Document]:
    """
    Yield all documents of a file one by one, as far as they can be read. Whatever is wrong is reported.

    Nothing of a document is kept here, so that those of a large file need not be in memory all at once.

    @param file: What problems call it: relative to the folder, as the user named it.
    @param guess: Asked for the kind of a document that does not say its own.
    """
    for root in roots(file, text, problems):
        yield from documents_of(file, root.line, root.value, root.places, problems, guess)


def roots(file: str, text: bytes | str, problems: Problems) -> Iterator[Root]:
    """
    Yield the values of all documents of a file, whatever they are; see L{stream}.

    What is wrong with the text is reported.
    """
    if len(text) > MAX_FILE:
        problems.add(Problem(file, 1, 1, Severity.ERROR, "", f"larger than {MAX_FILE // 1024 // 1024} MiB", Role.CAUSE))
        return
    if isinstance(text, bytes) and _is_binary(text):
        message = "not a text file: is it an archive, an image or a certificate in DER?"
        problems.add(Problem(file, 1, 1, Severity.ERROR, "", message, Role.CAUSE))
        return
    text = text.removeprefix(_MARK) if isinstance(text, bytes) and _sound(text) else _decode(file, text, problems)
    line = 0
    for _ in range(MAX_SYNTAX_ERRORS):
        try:
            yield from compose(file, text, line, problems)
            return
        except Unreadable as error:
            text = text if isinstance(text, str) else text.decode()
            after = None if error.template else _next_document(text, error.index)
            if after is None:
                return
            line += text.count("\n", 0, after)
            text = text[after:]
    problems.add(
        Problem(file, line + 1, 1, Severity.ERROR, "", "too many syntax errors: the rest was not read", Role.CAUSE)
    )


def _is_binary(raw: bytes) -> bool:
    """Whether the begin of a file has what no text has: nothing of it is worth a message of its own."""
    begin = raw[:_BEGIN]
    return not begin.startswith(_UTF16) and b"\0" in begin


def _sound(raw: bytes) -> bool:
    """Whether bytes are UTF-8 and all characters are allowed in YAML: looked at in pieces that end with a line."""
    begin = 0
    while begin < len(raw):
        end = raw.find(b"\n", begin + _PIECE) + 1 or len(raw)
        piece = raw[begin:end]
        if piece.translate(None, _PLAIN):
            try:
                if _UNPRINTABLE.search(piece.decode()):
                    return False
            except UnicodeDecodeError:
                return False
        begin = end
    return True


def _decode(file: str, text: bytes | str, problems: Problems) -> str:
    """Return the text of a file; what can't be decoded is reported and replaced."""
    decoded = text if isinstance(text, str) else _decode_bytes(file, text, problems)
    decoded = decoded.removeprefix("\ufeff")
    unprintable = _UNPRINTABLE.search(decoded)
    if unprintable is not None:
        at = unprintable.start()
        line, column = decoded.count("\n", 0, at) + 1, at - decoded.rfind("\n", 0, at)
        message = f"the character U+{ord(unprintable[0]):04X} is not allowed in YAML"
        problems.add(Problem(file, line, column, Severity.ERROR, "", message, Role.CAUSE))
        decoded = _UNPRINTABLE.sub("\ufffd", decoded)
    return decoded


def _decode_bytes(file: str, raw: bytes, problems: Problems) -> str:
    encoding = "utf-16" if raw.startswith(_UTF16) else "utf-8"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        problems.add(
            Problem(
                file,
                line,
                column,
                Severity.ERROR,
                "",
                f"not {encoding.upper()}: {error.reason}; save it as UTF-8",
                Role.CAUSE,
            )
        )
        return raw.decode(encoding, "replace")


def _next_document(text: str, at: int) -> int | None:
    """Return where the next document begins that a reading which failed at C{at} has not begun with."""
    line = text.rfind("\n", 0, at) + 1
    found = _SEPARATOR.search(text, max(line, 1))
    return None if found is None else found.start()
