"""From the parser to values, each with its place."""
