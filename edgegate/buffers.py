# Hot path: told of bytes that wait, and read for each request.
"""
How many bytes wait in this process, because those who are to take them don't keep up.

They stand in two places: with a socket whose kernel takes no more, and with a
stream of HTTP/2 whose peer has no room for more. Each has a bound of its own;
all together have one here. What passes at once is not counted.
"""

from __future__ import annotations

from typing import Final


class Buffers:
    """
    Bytes that wait.

    @ivar held: How many.
    @ivar bound: How many may: above it who has something waiting is brought nothing more until that is gone, and new
        requests are refused.
    """

    __slots__ = ("bound", "held")

    def __init__(self) -> None:
        self.held = 0
        self.bound = 1 << 60


BUFFERS: Final = Buffers()
"""Those of this process: it has one memory."""
