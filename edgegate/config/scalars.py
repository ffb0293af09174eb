"""
What YAML scalars mean: Kubernetes' reading, which is YAML 1.1 without its base-60 numbers and dates.

So C{yes}, C{on} and C{n} are booleans unless they are quoted, as C{kubectl} takes them, and C{0o17} and C{017} are
15.
"""

from __future__ import annotations

import math
import re

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, bool | None] = {
    form: value
    for words, value in (
        (("y", "yes", "true", "on"), True),
        (("n", "no", "false", "off"), False),
        (("~", "null"), None),
    )
    for word in words
    for form in (word, word.capitalize(), word.upper())
}
_CONSTANTS[""] = None

_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|[1-9][0-9]*|0)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAX_NUMBER = 64  # characters; longer ones are of no use, and slow
_EXACT = 2**53

_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}


def resolve(text: str) -> Scalar:
    """
    Return the value of a plain scalar.

    A number without fraction is an integer however it is written, as it is in JSON.

    @raise ValueError: It is infinite or not a number, which JSON can't say.
    """
    first = text[:1]
    if first in "0123456789.+-" and first:
        return _number(text)
    if first in "yYnNtTfFoO~":  # the empty text too
        return _CONSTANTS.get(text, text)
    return text


def tagged(tag: str, text: str) -> Scalar:
    """
    Return the value of a scalar with an explicit tag.

    @raise ValueError: The tag is unknown, or the text is not of its type.
    """
    if tag in ("!", _TAG + "str", _TAG + "timestamp"):
        return text
    types = _TYPES.get(tag)
    if types is None:
        raise ValueError(f"the tag {short_tag(tag)} is not understood")
    value = resolve(text)
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ValueError(f"not a value for the tag {short_tag(tag)}")
    return value


def short_tag(tag: str) -> str:
    """Return a tag as it is written."""
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _number(text: str) -> Scalar:
    if len(text) > _MAX_NUMBER:
        return text
    plain = text.replace("_", "")
    if _INTEGER.fullmatch(plain):
        digits = plain.lstrip("+-")
        octal = digits[0] == "0" and digits[1:].isdigit()
        return int(plain, 8 if octal else 0)
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        if math.isinf(value):
            return text
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if _NO_NUMBER.fullmatch(text):
        raise ValueError(f"{text} is no number that JSON knows: quote it if it is meant as a string")
    return text
