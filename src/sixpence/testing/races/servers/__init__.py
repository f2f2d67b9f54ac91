"""Where the app of a race runs: at a URL, or served by the race."""
