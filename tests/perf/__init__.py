"""Guards of the hot path that count instead of timing, so that they hold on any machine, however busy."""
