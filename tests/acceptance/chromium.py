"""Headless Chromium, driven by its DevTools protocol: pages, keys, pictures, and what a page complains of."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

from twisted.trial.unittest import SkipTest
from websockets.sync.client import ClientConnection, connect

from tests.acceptance.processes import PATIENCE, Running, program, wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome")

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)

KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
"""Virtual key codes."""


def browser() -> str:
    """Return the path of Chromium, or skip the test that needs it."""
    for name in NAMES[:-1]:
        try:
            return program(name)
        except SkipTest:
            pass
    return program(NAMES[-1])


class Chromium:
    """
    A browser with one page.

    @ivar asked: The URLs that the page asked for.
    @ivar complaints: What it wrote to the console as a warning or an error, and what it threw.
    """

    def __init__(self, folder: Path) -> None:
        """
        @param folder: Where its profile is put.
        """
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._number = 0
        profile = folder / "profile"
        self._running = Running([browser(), *OPTIONS, f"--user-data-dir={profile}", "about:blank"], folder)
        line = self._running.finds(lambda line: line.startswith("DevTools listening on "))
        port = line.partition("://")[2].partition("/")[0]
        self._socket = self._page(port)
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    @staticmethod
    def _page(address: str) -> ClientConnection:
        with urlopen(f"http://{address}/json/list", timeout=PATIENCE) as answer:
            targets = json.load(answer)
        url = next(each["webSocketDebuggerUrl"] for each in targets if each["type"] == "page")
        return connect(url, max_size=None, ping_interval=None)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._running.stop()

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Ask it for something, and return what it answers."""
        self._number += 1
        number = self._number
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while number not in self._answers:
            self._take(self._socket.recv(PATIENCE))
        answer = self._answers.pop(number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        found: dict[str, Any] = answer["result"]
        return found

    def _take(self, message: str | bytes) -> None:
        event = json.loads(message)
        if "id" in event:
            self._answers[event["id"]] = event
            return
        method, found = event["method"], event["params"]
        if method == "Network.requestWillBeSent":
            self.asked.append(found["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(found["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(found["args"]))
        elif method == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
            self.complaints.append(json.dumps(found["entry"]))

    def open(self, url: str) -> None:
        """Show a page."""
        self.call("Page.navigate", url=url)

    def evaluate(self, script: str) -> Any:
        """Return what an expression of the page comes to; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise AssertionError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait_for(self, script: str, so: Callable[[Any], bool] = bool, seconds: float = PATIENCE) -> Any:
        """Wait until an expression is so; return what it is. What the page throws meanwhile is not so."""
        found: Any = None

        def shown() -> bool:
            nonlocal found
            found = self.evaluate(f"(() => {{ try {{ return {script} }} catch {{ return null }} }})()")
            return found is not None and so(found)

        def told() -> str:
            words = self.evaluate("document.body.innerText")
            return f"{script} is {found!r} after {seconds:g} s: {self.complaints}\n{words}"

        wait_until(shown, told, seconds)
        return found

    def text(self, selector: str) -> str:
        """Return the text of the first element that a selector finds, as it is shown; empty where there is none."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            code = KEYS[key]
            more = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
            self.call("Input.dispatchKeyEvent", type=kind, modifiers=8 if shift else 0, **more)
            if kind == "rawKeyDown" and key in ("Enter", " "):
                self.call("Input.dispatchKeyEvent", type="char", text="\r" if key == "Enter" else " ", **more)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.call("Input.insertText", text=text)

    def size(self, width: int, height: int, scale: float = 1) -> None:
        """Have a screen of a size, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )

    def prefer(self, features: Mapping[str, str]) -> None:
        """Have somebody look who prefers something: C{prefers-color-scheme} may be C{dark}."""
        pairs = [{"name": name, "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=pairs)

    def picture(self, whole: bool = False) -> bytes:
        """Return a PNG of what is shown, or of the whole page."""
        return b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])
