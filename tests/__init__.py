"""The tests: folders mirror src, support/ starts real databases and browsers."""
