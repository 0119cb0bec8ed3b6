"""Limits of the search for TLS, costs by which several processes share sessions, memory, and a flag of what is watched."""

WATCHES_FAILURES = 4
"""A flag of `Dispatcher.watches`: connections that failed before TLS began (`failed_connections`)."""

SCAN_LIMIT = 16384
"""Bytes of a connection that are searched at every position. An upgrade to TLS comes after a greeting and some commands."""

MAX_EARLY = 64
"""Gaps and conflicts before the first hello that are kept, at most. They may be in the hello itself."""

SESSION_COST = 16384
"""What a session costs, in bytes of its stream, beside its bytes: its handshake takes as long as so much data."""

MERGE_COST, MERGE_COST_DECRYPTED = 4096, 2560
"""What the first of several processes has to do for each session of a run, in the same unit; and when sessions are decrypted,
which makes each of them cost more."""

TLS_MEMORY, DTLS_MEMORY, QUIC_MEMORY = 7168, 8192, 24576
"""Bytes of memory that an open session takes beside what it keeps of its messages; of QUIC with its connection and its keys."""
