"""Odd expressions of RE2, made up."""

from __future__ import annotations

from hypothesis import strategies as st

from edgegate.model.expressions import check_regex

PIECES = (
    *("a", "b", "B", "k", "/", "-", "_", "{", "}", "]", "{,2}", "a{01}", "\u00e9"),
    *("\\.", "\\x41", "\\x{e9}", "\\101", "\\n", "\\Qa.b\\E", "\\C", "."),
    *("\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "^", "$", "\\A", "\\z", "\\b", "\\B"),
    *("[ab]", "[^a]", "[a-c\\d-]", "[]a]", "[^]a]", "[a\\-z]", "[\\W]", "[[:alpha:]]", "[[:^digit:]_]", "[^[:upper:]]"),
    *("(?i)", "(?s)", "(?m)", "(?U)", "(?-i)"),
)
QUANTIFIERS = ("*", "+", "?", "*?", "{0}", "{2}", "{1,2}", "{0,1}", "{1,}")
GROUPS = ("(", "(?:", "(?i:", "(?P<n>", "(?s-i:")


def accepted(expression: str) -> bool:
    """Whether RE2 takes an expression."""
    try:
        check_regex(expression)
    except ValueError:
        return False
    return True


expressions = st.recursive(
    st.sampled_from(PIECES),
    lambda inner: (
        st.builds("{}{}".format, inner, inner)
        | st.builds("{}|{}".format, inner, inner)
        | st.builds("{}{}".format, inner, st.sampled_from(QUANTIFIERS))
        | st.builds("{}{})".format, st.sampled_from(GROUPS), inner)
    ),
    max_leaves=8,
).filter(accepted)

LETTERS = (*b"abBAkK/1 \n.-_]{}0,2\x0b", 0xC3, 0xA9, 0xE9)
texts = st.lists(st.sampled_from(LETTERS), max_size=5).map(bytes)
