"""How much of one session is kept. Peers decide what they send; what lies beyond a limit is counted and named in a finding."""

MAX_HANDSHAKE = 4 << 20
"""Bytes of one handshake message; a Certificate of four hundred kilobytes has been seen, post-quantum chains are smaller."""

MAX_PIECES = 1024
"""Records that hold one handshake message whose places are remembered: where it has more, nobody says where it stands."""

MAX_MESSAGES = 1024
"""Handshake messages of one session that are kept; renegotiation without end would grow without end."""

MAX_KEPT = 16 << 20
"""Bytes that the messages of one session keep, MESSAGE_COST each counted in: a hundred times a long chain of certificates."""

MESSAGE_COST = 1024
"""Bytes of memory that a message takes beside its own, decoded."""

MAX_ALERTS = 64
"""Alerts of one session that are kept."""

MAX_GAPS = 1024
"""Gaps, conflicts and findings of one session that are kept, so many of each."""

MAX_EVIDENCE = 4096
"""Bytes of one version of a conflict that are kept."""

MAX_PENDING = 8 << 20
"""Bytes of one session that wait for its secrets: programs log them with the handshake, so that little else ever waits."""

MAX_PENDING_TOTAL = 128 << 20
"""Bytes of all sessions that wait for secrets; a pipe without any fills this, and must not fill the machine."""

PENDING_COST = 512
"""Bytes of memory that a record which waits takes beside its own."""

MAX_PENDING_ENDED = 4096
"""Sessions that wait although their connection has ended; each is looked at whenever secrets come."""

MAX_PENDING_TIME = 60_000_000_000
"""Nanoseconds of capture time that such a session waits: who watches a pipe without secrets wants to see something."""

MAX_CANDIDATES = 8
"""Secrets that contradict each other and are all tried: a log with more has been mixed up, and each costs every record."""

LARGEST_PLAINTEXT = 1 << 14
"""Bytes inside a record (RFC 9846 section 5.1); RFC 8449 lets a side ask for less."""

FARTHEST_RECORD = 1024
"""Records behind a gap that are tried until one opens, where the record does not tell its number: 16 MB of full ones."""

MAX_ATTEMPTS = 1 << 16
"""Failed attempts to open records that one side may cost: with a wrong secret nothing ever opens."""

MAX_ATTEMPTS_IN_ALL = 1 << 22
"""Attempts of all sessions to open records behind gaps: ten seconds with short records, a minute or two with long ones."""

NEAREST_RECORD = 16
"""Records behind a gap that are tried whatever the run has cost, if the keys have opened something: few gaps are larger."""

MAX_TRANSCRIPT = 1 << 20
"""Bytes of a handshake that are kept to check its Finished; a long chain of certificates has a hundred thousand."""

MAX_STAPLES = 32
"""OCSP responses and lists of timestamps that are kept beside the certificates of one session: both for a long chain."""

MAX_STAPLE = 1 << 16
"""Bytes of one of them that is kept; they have up to some ten thousand."""

MAX_CHAINS = 16
"""Lists of certificates of one session beyond the first of each side; who renegotiates with others does so once or twice."""

MAX_SIGNATURES = 64
"""Signatures of one session that are kept, of its handshake, renegotiations and authentication after the handshake."""

MAX_REQUESTS = 16
"""Requests for a certificate after the handshake that are open at one moment."""

MAX_NAMED = 64
"""Handshakes of one session whose names in key logs are kept; clients that renegotiate do so once or twice."""

MAX_CONFIGS = 16
"""ECHConfigs of one list that are tried: a list has one or two, for the change of keys."""

MAX_LINKED = 1 << 16
"""Session ids, or tickets, of one generation; two are kept: a browser resumes within hours, a busy capture has less of them."""

MAX_LINKED_BYTES = 8 << 20
"""Bytes that the names of one generation have."""

LONGEST_TICKET = 256
"""Bytes of a ticket that is kept as it is; of a longer one its SHA-256. Most have 160 to 256."""

MAX_IDENTITIES = 64
"""Pre-shared keys of one ClientHello that are looked at; a client offers one or two."""

MAX_TRIALS = 1 << 17
"""Secrets of a run that are tried on records of sessions that they may belong to: a second or two."""

MAX_SEARCHED = 4
"""Records of one session on which secrets are tried."""

FIRST_RECORDS = 12
"""Numbers that the first record behind a lost ServerHello may have: a server's flight is four messages, seldom cut in more."""
