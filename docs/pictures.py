"""
Take the pictures of the dashboard in docs/images/, in headless Chromium, of an outage that is made by hand.

    python docs/pictures.py

It needs what the tests need, and Chromium.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from edgegate.admin.explain_view import row_of  # noqa: E402
from edgegate.explain.decision import Decider  # noqa: E402
from edgegate.explain.explanation import Explainer  # noqa: E402
from edgegate.explain.question import question_of  # noqa: E402
from edgegate.explain.tree import tree  # noqa: E402
from tests.acceptance.chromium import Chromium  # noqa: E402
from tests.acceptance.pretended_stream import PretendedStream  # noqa: E402
from tests.admin.live_events import Event, outage, well  # noqa: E402
from tests.explain.explaining import Explained  # noqa: E402

STEPS, SECONDS = 150, 4
"""Changes that are told before a picture is taken, and how far they are apart: the lines have ten minutes."""

DOWN = 110
"""The first of them in which the backend is down."""


def changes() -> Iterator[Event]:
    """Yield ten minutes of a shop's traffic, which goes up and down a little."""
    good, bad = well(), outage()
    end = datetime.fromisoformat(bad["time"].replace("Z", "+00:00"))
    for step in range(STEPS):
        at = end - timedelta(seconds=SECONDS * (STEPS - step - 1))
        event = bad if step >= DOWN else good
        routes = {"rows": [_waved(row, step + 5 * place) for place, row in enumerate(event["routes"]["rows"])]}
        gateway = {**event["gateway"], "active": round(41 * _wave(step))}
        time = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield {"time": time, "totals": _waved(event["totals"], step), "gateway": gateway, "routes": routes}


def _wave(step: int) -> float:
    return 1 + 0.06 * math.sin(step / 9) + 0.05 * math.sin(step * 1.7) + 0.03 * math.sin(step * 4.1)


def _waved(row: Event, step: int) -> Event:
    found = deepcopy(row)
    for name in ("rps", "errors", "p50", "p95", "p99"):
        if found[name] is not None:
            found[name] = round(found[name] * _wave(step), 4)
    return found


SHOP = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [shop.example]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gateway]
  http:
  - name: search
    match:
    - uri: {prefix: /search}
    route:
    - destination: {host: 127.0.0.1, port: {number: 8080}}
  - name: cart
    match:
    - uri: {prefix: /cart}
      method: {exact: POST}
    route:
    - destination: {host: 127.0.0.1, port: {number: 8081}}
  - name: images
    match:
    - uri: {regex: "/images/[a-z]+"}
    route:
    - destination: {host: 127.0.0.1, port: {number: 8082}}
"""
"""Files by which a request is explained that no route takes."""

ASKED = "http://shop.example/cart/7"


def explanation() -> Event:
    """Return what the form shows of a request that was to be a POST."""
    found = Explained.of(SHOP)
    explainer = Explainer(Decider(found.snapshot), found.endpoints, found.notes)
    explained = explainer.explain(question_of("GET", ASKED, ()))
    text = json.dumps(row_of(explained.served, tree(explained)))
    shown: Event = json.loads(text.replace("in.yaml", "shop.yaml"))
    return shown


def take(page: Chromium, stream: PretendedStream, folder: Path) -> None:
    """Take all pictures."""
    page.size(1200, 760)
    page.open(stream.url)
    page.wait_for("document.querySelectorAll('#troubles li').length")
    for change in changes():
        stream.change(**change)
    page.wait_for("document.querySelector('.signal .span').innerText.endsWith('9 min 56 s')")
    _save(page, folder / "dashboard.png")
    page.prefer({"prefers-color-scheme": "dark"})
    page.evaluate("document.querySelector('#routes').scrollIntoView({behavior: 'instant'})")
    _save(page, folder / "dashboard-tables.png")
    page.prefer({"prefers-color-scheme": "light"})
    page.evaluate("document.querySelector('#routes-table tbody button').click()")
    _save(page, folder / "dashboard-route.png")
    page.evaluate("document.querySelector('#route').close(); scrollTo({top: 0, behavior: 'instant'})")
    stream.explained = explanation()
    page.evaluate(f"document.querySelector('#explain-url').value = '{ASKED}'")
    page.evaluate("document.querySelector('#explain-form').requestSubmit()")
    page.wait_for("document.querySelector('#explain-words').innerText === 'It is not served.'")
    page.evaluate("document.querySelector('#explain').scrollIntoView({behavior: 'instant'})")
    _save(page, folder / "dashboard-explain.png")
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    page.size(360, 720)
    _save(page, folder / "dashboard-phone.png")


def _save(page: Chromium, path: Path) -> None:
    # what has changed is drawn in the next frame but one
    page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn(1))))")
    path.write_bytes(page.picture())


def main() -> None:
    """Take them."""
    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    stream = PretendedStream(outage())
    try:
        with tempfile.TemporaryDirectory() as folder, Chromium(Path(folder)) as page:
            take(page, stream, images)
    finally:
        stream.stop()


if __name__ == "__main__":
    main()
