"""The `edgegate` command."""
