"""How much there may be at one time, counted for the whole process, and what gives way where it is too much."""
