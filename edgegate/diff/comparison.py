"""What two sides do otherwise."""

from __future__ import annotations

from edgegate.diff.clusters import compare_clusters, renamed_clusters
from edgegate.diff.findings import Findings
from edgegate.diff.ports import compare_port
from edgegate.diff.process_settings import compare_settings
from edgegate.diff.sides import Side
from edgegate.diff.witnesses import pairs


def compare(old: Side, new: Side) -> Findings:
    """Compare all that two sides do."""
    findings = Findings()
    renamed = renamed_clusters(old, new)
    for pair in pairs(old, new, renamed):
        compare_port(pair, findings)
    compare_clusters(old, new, findings, renamed)
    compare_settings(old.snapshot, new.snapshot, findings)
    return findings
