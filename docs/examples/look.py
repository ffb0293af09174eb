"""What a folder would do: python look.py etc"""

import sys

from edgegate.sources.loading import load
from edgegate.sources.named import source_named

loaded = load(source_named(sys.argv[1]))
for problem in loaded.problems:
    print(problem)
if loaded.snapshot is not None:
    for listener in loaded.snapshot.listeners:
        print("port", listener.port, "from", listener.origin)
        for name, chain in listener.secure.items():
            print("  TLS for", name, "ends here" if chain.tls else "is passed through")
    for name, endpoints in loaded.endpoints.items():
        print(name, "at", ", ".join(str(endpoint.address) for endpoint in endpoints))
