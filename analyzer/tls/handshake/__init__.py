"""The handshake: its messages out of records, the state of each role, and what the messages agree on and prove."""
