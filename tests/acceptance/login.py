"""A provider of OpenID Connect, and a client that keeps cookies as a browser does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tests.acceptance.processes import PATIENCE, Running
from tests.acceptance.served import Answer, Client

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
"""What a browser says of itself when its user goes to a page."""


def provider(port: int, folder: Path, *options: str) -> Running:
    """Start a provider with the user C{ali}, who is in the groups C{staff} and C{admins}, and any other."""
    user = '{"sub": "ali", "groups": ["staff", "admins"], "email": "ali@example.com"}'
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    running = Running([*command, "--require-nonce", "TRUE", "--user-claims", user, *options], folder)
    running.says("Uvicorn running")
    return running


class _Unfollowed(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def logged_in_at(url: str, user: str, **form: str) -> str:
    """Say at the provider who one is, and return where it sends one back to."""
    asked = Request(url, urlencode({"sub": user, **form}).encode(), method="POST")
    try:
        build_opener(_Unfollowed).open(asked, timeout=PATIENCE)
    except HTTPError as answer:
        return answer.headers["location"] or f"{answer.code}"
    raise AssertionError("no redirect")


class Browser:
    """
    Keeps the cookies of one host.

    @ivar cookies: By name.
    """

    def __init__(self, port: int, host: str) -> None:
        self.cookies: dict[str, str] = {}
        self.host = host
        self._port = port

    def ask(self, target: str, headers: Mapping[str, str] = PAGE, method: str = "GET") -> Answer:
        """Ask the gateway."""
        client = Client(self._port)
        try:
            fields = [*headers.items()]
            if self.cookies:
                fields.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
            answer = client.ask(method, target, self.host, fields)
        finally:
            client.close()
        for text in answer.values("set-cookie"):
            name, _, value = text.partition(";")[0].partition("=")
            if "Max-Age=0" in text:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def log_in(self, target: str = "/", user: str = "ali", **form: str) -> Answer:
        """Go to a page, log in, and return what comes of that."""
        return self.ask(self.way_back(target, user, **form))

    def way_back(self, target: str = "/", user: str = "ali", **form: str) -> str:
        """Go to a page, log in, and return the target that the provider sends one back to."""
        location = self.ask(target).one("location")
        back = urlsplit(logged_in_at(location, user, **form))
        assert back.netloc == self.host, back
        return f"{back.path}?{back.query}"


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
