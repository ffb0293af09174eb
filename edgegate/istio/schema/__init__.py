"""JSON Schemas of the kinds: what an editor completes by, and checks while one writes."""
