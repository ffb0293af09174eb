"""A real Prometheus that scrapes a gateway, and what it makes of queries."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.acceptance.processes import PATIENCE, Running, free_ports, program, wait_until

JOB = "edgegate"


class Prometheus:
    """
    Debian's.

    @ivar at: The moment that queries are about, in seconds since the epoch; L{None}: now.
    """

    def __init__(self, folder: Path, metrics: int, rules: Path) -> None:
        """
        @param folder: Where it keeps what it has.
        @param metrics: The port of what it scrapes each second.
        @param rules: The path of rules, which it looks at each second.
        """
        self.at: float | None = None
        (port,) = free_ports(1)
        job = {"job_name": JOB, "static_configs": [{"targets": [f"localhost:{metrics}"]}]}
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{**job, "metrics_path": "/stats/prometheus"}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        options = ["--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=data"]
        self._port = port
        self.running = Running([program("prometheus"), *options], folder)
        self.running.says("Server is ready")

    def ask(self, path: str, **query: str) -> Any:
        """Return what an endpoint of its API answers."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        connection.request("GET", f"/api/v1/{path}?{urlencode(query)}")
        found = json.loads(connection.getresponse().read())
        connection.close()
        assert found["status"] == "success", found
        return found["data"]

    def query(self, text: str) -> list[tuple[dict[str, str], float]]:
        """Return what a query yields: labels and values."""
        at = {} if self.at is None else {"time": str(self.at)}
        found = self.ask("query", query=text, **at)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def value(self, text: str) -> float:
        """Return the one value that a query yields; -1: nothing."""
        found = self.query(text)
        return found[0][1] if found else -1.0

    def until(self, text: str, value: float) -> None:
        """Wait until a query yields a value."""
        wait_until(
            lambda: self.value(text) == value, pause=0.2, told=lambda: f"{text} is {self.value(text)}, not {value}"
        )
