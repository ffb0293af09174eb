"""What happened: counters and events that every part writes to."""
