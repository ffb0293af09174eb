"""From lines of access logs to what they say of requests."""
