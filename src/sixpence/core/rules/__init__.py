"""The rules: one module for each family of commands, and one for due changes."""
