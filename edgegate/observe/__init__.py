"""What happened: events that every part tells of, and who is told."""
