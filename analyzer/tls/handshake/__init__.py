"""The TLS handshake: its messages, read from records, the state of each role, what is agreed, and what is authenticated."""
