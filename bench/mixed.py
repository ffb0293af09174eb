"""
Requests as browsers send them, no two alike: what the scenarios of mixed requests ask.

They are made up, by a seed, so that every run and every proxy is asked the same. Visitors come with one of three
browsers and ask for ten things each, of four kinds, while others do; the page that they are on is the referer. Each
request has a path, a query and a cookie of its own. One in eight is a POST. The sizes of answers are drawn from a few,
small ones more often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from stage import HOST

SEED = 2_026
COUNT = 2_000
"""Requests that are drawn; a number in the path that goes on makes each of those that are sent another."""

ANSWERS = (200, 200, 450, 700, 700, 1_200, 1_900, 3_000, 5_000, 8_000, 13_000, 20_000)
"""Bytes of answers, each as likely as the others."""

BODIES = (1_000, 1_500, 2_500, 4_000, 8_000)
"""Bytes of the bodies of POSTs."""

AT_A_TIME = 20
EACH = 10
"""So many visitors come at a time, and ask for so many things each."""

POSTS = 8
"""One request of so many is a POST."""

Field = tuple[str, str]


@dataclass(frozen=True)
class MixedRequest:
    """
    One request.

    @ivar path: Its path and query, with C{{}} for a number.
    @ivar fields: As its browser has them, without those in which a version of HTTP frames a message and says its host.
    @ivar body: Bytes of its body; 0: it is a GET.
    """

    path: str
    fields: tuple[Field, ...]
    body: int

    @property
    def method(self) -> str:
        """What the client asks for."""
        return "POST" if self.body else "GET"


@dataclass(frozen=True)
class _Kind:
    """
    What is asked for.

    @ivar accept: By browser.
    @ivar fetch: The values of C{Sec-Fetch-Dest}, C{-Mode} and C{-Site}.
    """

    folder: str
    accept: tuple[str, str, str]
    fetch: tuple[str, str, str]


_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_CHROME_PAGE = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)
_IMAGE = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
_KINDS = (
    _Kind("pages", (_CHROME_PAGE, _PAGE, _PAGE), ("document", "navigate", "same-origin")),
    _Kind("scripts", ("*/*", "*/*", "*/*"), ("script", "no-cors", "same-origin")),
    _Kind(
        "images",
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", _IMAGE, _IMAGE),
        ("image", "no-cors", "same-origin"),
    ),
    _Kind("api", ("application/json, text/plain, */*",) * 3, ("empty", "cors", "same-origin")),
)
_API = _KINDS[3]
_REFERERS = tuple(
    f"https://{HOST}/catalog/{name}?page={page}" for name in ("hats", "shoes", "bags") for page in range(13)
)
_LANGUAGES = ("en-US,en;q=0.9", "en-GB,en;q=0.7,de;q=0.3", "de-DE,de;q=0.9,en;q=0.7", "fr-FR,fr;q=0.9", "cs,en;q=0.8")


def _chrome(kind: _Kind, random: Random, shared: list[Field]) -> list[Field]:
    version = random.choice((140, 141, 142))
    system = random.choice(("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7"))
    agent = f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
    brands = f'"Chromium";v="{version}", "Google Chrome";v="{version}", "Not_A Brand";v="99"'
    destination, mode, site = kind.fetch
    return [
        ("sec-ch-ua", brands),
        ("sec-ch-ua-mobile", "?0"),
        ("User-Agent", agent),
        ("Accept", kind.accept[0]),
        ("Sec-Fetch-Site", site),
        ("Sec-Fetch-Mode", mode),
        ("Sec-Fetch-Dest", destination),
        *shared,
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", random.choice(_LANGUAGES)),
    ]


def _firefox(kind: _Kind, random: Random, shared: list[Field]) -> list[Field]:
    version = random.choice((143, 144, 145))
    system = random.choice(("X11; Linux x86_64", "Windows NT 10.0; Win64; x64"))
    destination, mode, site = kind.fetch
    return [
        ("User-Agent", f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
        ("Accept", kind.accept[1]),
        ("Accept-Language", random.choice(_LANGUAGES)),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        *shared,
        ("Sec-Fetch-Dest", destination),
        ("Sec-Fetch-Mode", mode),
        ("Sec-Fetch-Site", site),
        *([("Priority", "u=0, i")] if destination == "document" else []),
    ]


def _safari(kind: _Kind, random: Random, shared: list[Field]) -> list[Field]:
    system, version = random.choice(
        (("Macintosh; Intel Mac OS X 10_15_7", "18.6"), ("iPhone; CPU iPhone OS 18_6 like Mac OS X", "18.6"))
    )
    destination, mode, site = kind.fetch
    return [
        ("Accept", kind.accept[2]),
        ("Sec-Fetch-Site", site),
        ("Sec-Fetch-Dest", destination),
        ("Accept-Language", random.choice(_LANGUAGES)),
        ("Sec-Fetch-Mode", mode),
        (
            "User-Agent",
            f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Safari/605.1.15",
        ),
        *shared,
        ("Accept-Encoding", "gzip, deflate, br"),
    ]


_BROWSERS: tuple[Callable[[_Kind, Random, list[Field]], list[Field]], ...] = (_chrome, _chrome, _firefox, _safari)
"""Those that are more common are there more often."""


def mixed_requests(count: int = COUNT, seed: int = SEED) -> list[MixedRequest]:
    """Draw requests."""
    random = Random(seed)
    found: list[MixedRequest] = []
    while len(found) < count:
        visitors = [_visitor(random) for _ in range(AT_A_TIME)]
        found += [random.choice(visitors)() for _ in range(AT_A_TIME * EACH)]
    return found[:count]


def _visitor(random: Random) -> Callable[[], MixedRequest]:
    """Return what draws the requests of one visitor."""
    browser, own = random.choice(_BROWSERS), random.getrandbits(64)
    session, referer = random.getrandbits(128), random.choice(_REFERERS)
    # a browser has the same system, version and languages each time
    return lambda: _request(random, partial(browser, random=Random(own)), f"session={session:032x}", referer)


def _request(random: Random, browser: Callable[..., list[Field]], session: str, referer: str) -> MixedRequest:
    body = random.choice(BODIES) if not random.randrange(POSTS) else 0
    kind = _API if body else random.choice(_KINDS)
    # as those that count visits do, one says when it was set
    shared = [("Referer", referer), ("Cookie", f"{session}; theme=dark; visit=GS2.1.s{random.getrandbits(40)}$o1$g0")]
    if body:
        shared.append(("Content-Type", "application/json"))
    answer = random.choice(ANSWERS)
    query = f"q={random.choice(('red', 'blue', 'wide'))}+{random.randrange(100_000)}&page={random.randrange(17)}"
    path = f"/{'form' if body else 'mixed'}/{answer}/{kind.folder}/item-{{}}?{query}"
    return MixedRequest(path, tuple(browser(kind, shared=shared)), body)


def http1_script() -> str:
    """Return the script for wrk that sends them over HTTP/1.1, each with another number in its path."""
    rows = []
    for request in mixed_requests():
        before, after = request.path.split("{}")
        lines = [f"Host: {HOST}", *(f"{name}: {value}" for name, value in request.fields), "Connection: keep-alive"]
        if request.body:
            lines.append(f"Content-Length: {request.body}")
        rest = "\r\n".join((f"{after} HTTP/1.1", *lines, "", ""))
        rows.append(f"{{{_lua(f'{request.method} {before}')}, {_lua(rest)}, {request.body}}},")
    return _SCRIPT.replace("ROWS", "\n".join(rows))


def _lua(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r\n", "\\r\\n")
    return f'"{quoted}"'


_SCRIPT = """\
local requests = {
ROWS
}
for _, each in ipairs(requests) do each[2] = each[2] .. string.rep("x", each[3]) end
local number = 0
request = function()
  number = number + 1
  local each = requests[number % #requests + 1]
  return each[1] .. number .. each[2]
end
"""
