"""Where a connection or a request goes: the Snapshot, and how things are found in it."""
