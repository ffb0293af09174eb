"""What is sent to collectors: many records at a time, by HTTP, and how OpenTelemetry writes them."""
