"""A small application of a user, checked by type checkers as a user would check it."""
