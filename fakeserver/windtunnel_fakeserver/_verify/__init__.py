"""What is missing or extra, and the printed story of it."""
