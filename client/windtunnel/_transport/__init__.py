"""Pool, dialling, TLS and the connection object."""
