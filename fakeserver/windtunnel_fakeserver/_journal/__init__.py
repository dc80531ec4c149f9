"""What happened: connections, exchanges, bytes and times."""
