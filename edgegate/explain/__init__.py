"""Why a request goes where it goes: what it asks for, and what the Snapshot makes of it, step by step."""
