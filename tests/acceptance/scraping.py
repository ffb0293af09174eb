"""What a gateway's metrics say, read by the parser of Prometheus' own client."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection

from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.processes import PATIENCE

Labels = dict[str, str]


class Scrape:
    """
    One look at the metrics.

    @ivar samples: Names as they are written, with labels and values.
    """

    def __init__(self, admin: int, path: str = "/stats/prometheus") -> None:
        """
        @param admin: The port of the admin listener.
        """
        connection = HTTPConnection("127.0.0.1", admin, timeout=PATIENCE)
        connection.request("GET", path)
        response = connection.getresponse()
        self.text = response.read().decode()
        connection.close()
        assert response.status == 200, self.text
        self.samples: list[tuple[str, Labels, float]] = []
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                # the parser gives every counter this end
                name = sample.name
                if f"\n{name}{{" not in self.text and f"\n{name} " not in self.text:
                    name = name.removesuffix("_total")
                self.samples.append((name, sample.labels, sample.value))

    def of(self, name: str) -> list[Labels]:
        """Return the labels of all series of a name."""
        return [labels for each, labels, _ in self.samples if each == name]

    def sum(self, name: str, where: Callable[[Labels], bool] | None = None, **wanted: str) -> float:
        """Return the sum of all values with these labels."""
        return sum(
            value
            for each, labels, value in self.samples
            if each == name and wanted.items() <= labels.items() and (where is None or where(labels))
        )

    def counters(self) -> dict[tuple[str, ...], float]:
        """Return all that may never fall, by name and labels."""
        kinds = dict(line.split()[2:4] for line in self.text.splitlines() if line.startswith("# TYPE"))
        found = {}
        for name, labels, value in self.samples:
            family = name
            for end in ("_bucket", "_sum", "_count"):
                if name.endswith(end) and kinds.get(name.removesuffix(end)) == "histogram":
                    family = name.removesuffix(end)
            if kinds[family] != "gauge":
                found[(name, *(f"{key}={each}" for key, each in sorted(labels.items())))] = value
        return found
