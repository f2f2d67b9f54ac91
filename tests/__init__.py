"""The tests: folders mirror src; support/ starts real databases, servers and browsers."""
