"""Small bugs, planted one at a time to see that the suite finds each: `python -m tests.planted`, or `make planted`."""
