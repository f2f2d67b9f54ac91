"""The rules, held against case tables, pinned vectors and a second, plainer account of what they should do."""
