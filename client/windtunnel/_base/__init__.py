"""Types and constants that every layer may use."""
