"""
What every language of files is translated into: plain values, each with its origin.

Between a language and the Snapshot stands this one set. It knows no language, no YAML and nothing that runs.
"""
