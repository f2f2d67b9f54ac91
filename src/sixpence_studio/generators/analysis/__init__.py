"""What a generator finds in a picture: its surfaces, its perspective, its regions, the parts of an outdoor picture."""
