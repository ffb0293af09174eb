"""Where documents come from, and how one hears of their changes."""
