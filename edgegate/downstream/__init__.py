"""Connections of clients: accepted, told apart, handed to HTTP or TCP."""
