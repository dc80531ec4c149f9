"""A fake HTTP server on a simulated network and clock."""
