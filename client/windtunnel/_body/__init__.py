"""Bodies: what is sent, what is read, and how it is decoded."""
