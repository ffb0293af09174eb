"""The requests of an access log, sent through other files."""
