"""TLS as a passive reader sees it: records, messages and sessions, found by content on any port."""
