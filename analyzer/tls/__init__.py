"""TLS seen from outside: records, messages and sessions, found by content on any port."""
