"""The chapter's backends, to try the gateway with."""
