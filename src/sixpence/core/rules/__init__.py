"""The rules, one room for each family of commands, and one for time."""
