"""WebSockets: the messages of a connection whose handshake is over."""
