"""Small bugs, planted one at a time to see that the tests find each: `python -m tests.planted`, or `make planted`."""
