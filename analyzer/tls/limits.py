"""Limits of what is kept for one session.

The peers decide what they send. What is beyond a limit is counted and reported in a finding.
"""

MAX_HANDSHAKE = 4 << 20
"""Bytes of one handshake message. A Certificate of 400 kB has been seen; post-quantum chains are smaller."""

MAX_PIECES = 1024
"""Records of one handshake message whose positions are kept.

If a message has more records, no positions are reported for it.
"""

MAX_MESSAGES = 1024
"""Handshake messages of one session that are kept. Without this limit, endless renegotiation would use endless memory."""

MAX_KEPT = 16 << 20
"""Bytes that the messages of one session keep, including MESSAGE_COST each: a hundred times a long certificate chain."""

MESSAGE_COST = 1024
"""Bytes of memory that a message needs in addition to its raw bytes, when decoded."""

MAX_ALERTS = 64
"""Alerts of one session that are kept."""

MAX_GAPS = 1024
"""Gaps, conflicts and findings of one session that are kept; the limit applies to each of the three."""

MAX_EVIDENCE = 4096
"""Bytes of each version of a conflict that are kept."""

MAX_PENDING = 8 << 20
"""Bytes of one pending session. Programs log secrets during the handshake, so usually not much else is kept."""

MAX_PENDING_TOTAL = 128 << 20
"""Bytes of all pending sessions. Input from a pipe without any secrets reaches this limit, and must not use up the memory."""

PENDING_COST = 512
"""Bytes of memory that a pending record needs in addition to its own bytes."""

MAX_UNORDERED, MAX_UNORDERED_TOTAL = 8 << 20, 64 << 20
"""Bytes of the records of one session, and of all, that wait for those of the other side that must be before them.

A file that was appended to another one can have all bytes of a direction before the first of the other. Of connections that are
captured in one direction only, the same waits in vain.
"""

MAX_PENDING_ENDED = 4096
"""Pending sessions whose connection has ended. Each of them is checked whenever secrets come."""

MAX_PENDING_TIME = 60_000_000_000
"""Nanoseconds of capture time that a session stays pending after its connection has ended.

A user who watches a pipe without secrets wants to see results soon.
"""

MAX_PENDING_OPEN = 1 << 60
"""The same for a session that is still open: 36 years, as good as no limit.

A capture in a pipe is read to its end, and then everything is shown. What is kept has its limits in bytes.
"""

PROMPT_WAIT = 600_000_000
"""Nanoseconds that an ended session waits for its secrets where those of other sessions come in time, counted from its end.

Somebody who watches an interface sees it within a second.
"""

PATIENCE = 60_000_000_000
"""Nanoseconds for which ended sessions wait longer: from the start of a run, and after secrets that came late."""

MAX_GONE = 1024
"""Sessions that have ended without secrets and are remembered, to see whether their secrets come late."""

MAX_CANDIDATES = 8
"""Contradicting secrets that are all tried.

A key log with more was mixed from several, and each secret is tried on every record.
"""

LARGEST_PLAINTEXT = 1 << 14
"""Bytes of plaintext in a record (RFC 9846 section 5.1); with RFC 8449 a side can ask for less."""

FARTHEST_RECORD = 1024
"""Sequence numbers that are tried after a gap if the record does not contain its number: 16 MB of full records."""

MAX_ATTEMPTS = 1 << 16
"""Failed attempts to decrypt records that are allowed for each role. With a wrong secret every attempt fails."""

MAX_ATTEMPTS_IN_ALL = 1 << 22
"""Attempts of all sessions to decrypt records after gaps.

They take ten seconds with short records, and one or two minutes with long ones.
"""

NEAREST_RECORD = 16
"""Sequence numbers after a gap that are always tried if the keys have decrypted something before.

Even when MAX_ATTEMPTS_IN_ALL is used up, they are tried. Few gaps are larger.
"""

MAX_TRANSCRIPT = 1 << 20
"""Bytes of a handshake that are kept to check its Finished. A long certificate chain has one hundred thousand."""

MAX_STAPLES = 32
"""OCSP responses and timestamp lists kept with the certificates of one session; enough for both kinds for a long chain."""

MAX_STAPLE = 1 << 16
"""Bytes of one OCSP response or timestamp list that are kept. They have at most some ten thousand."""

MAX_CHAINS = 16
"""Certificate lists of one session that are kept in addition to the first of each side.

A peer that renegotiates with other certificates does so once or twice.
"""

MAX_SIGNATURES = 64
"""Signatures of one session that are kept: of its handshake, of renegotiations, and of authentication after the handshake."""

MAX_REQUESTS = 16
"""Requests for a certificate after the handshake that can be open at the same time."""

MAX_NAMED = 64
"""Handshakes of one session whose names in key logs are kept. Clients that renegotiate do so once or twice."""

MAX_CONFIGS = 16
"""ECHConfigs of one list that are tried. A list has one, or two during a change of keys."""

MAX_RESUMABLE = 1 << 16
"""Session ids or tickets of one generation; two generations are kept.

A browser resumes sessions within hours, and a busy capture has fewer of them than this.
"""

LONGEST_TICKET = 32
"""Bytes of a ticket that is kept unchanged; of a longer one the SHA-256 is kept. Most have 160 to 256, and there are many."""

MAX_IDENTITIES = 64
"""Pre-shared keys of one ClientHello that are read. A client offers one or two."""

MAX_TRIALS = 1 << 17
"""Secrets of a run that are tried on records of sessions without a known name: one or two seconds."""

MAX_TRIAL_RECORDS = 4
"""Records of one session on which secrets are tried."""

FIRST_RECORDS = 12
"""Sequence numbers that are tried for the first record after a missing ServerHello.

A server's flight has four messages, and it is seldom divided into more records.
"""

MAX_SHARES = 4
"""Public keys of a client that are kept to compare sessions. Browsers send two or three key shares."""

SHORTEST_PUBLIC_KEY = 16
"""Bytes of a public key at least. Shorter values are the same by chance, or GREASE (RFC 8701 section 3)."""

MAX_REQUESTS = 64
"""Requests for a certificate that are kept. After so many, later certificates are not compared with them."""
