"""
Say the cases to any server of this machine: C{python -m tests.acceptance.conformance PORT [--tls] [--lenient]}.

So the suite itself can be tried on others. C{--lenient} judges as the public
suite does, which takes the mere end of a connection for an error.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from tests.acceptance.conformance.exchange import Server, failures
from tests.acceptance.conformance.suite import suites


def main() -> int:
    """Print what fails; return whether anything did."""
    parser = ArgumentParser("conformance")
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--lenient", action="store_true")
    parser.add_argument("--patience", type=float, default=2.0)
    told = parser.parse_args()
    server = Server(told.port, told.tls, not told.lenient, told.patience)
    bad = False
    for name, cases in suites("https" if told.tls else "http").items():
        found = failures(cases, server)
        lines = [f"{name}: {len(cases) - len(found)} of {len(cases)}", *(f"  {each}" for each in found), ""]
        sys.stdout.write("\n".join(lines))
        bad = bad or bool(found)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
