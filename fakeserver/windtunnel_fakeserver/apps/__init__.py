"""Ready-made hosts of a simulated internet."""
