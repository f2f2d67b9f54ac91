"""The wire: bodies, paths, queries, answers and problems, as HTTP has them."""
