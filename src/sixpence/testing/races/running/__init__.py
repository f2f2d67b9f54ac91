"""Running a race: its arguments, its waves, and the waiting after each wave."""
