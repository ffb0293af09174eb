"""Where a connection or a request goes: values and pure functions."""
