"""The endpoints of the studio, and the files of its page."""
