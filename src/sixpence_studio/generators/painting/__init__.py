"""How a generator changes a picture: tones, skies, colours, filled holes, styles, sets of furniture."""
