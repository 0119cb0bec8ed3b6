from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.codec.field_spec cimport Extension
from analyzer.codec.runner cimport extension_body

cdef int ALPN, SESSION_TICKET, KEY_SHARE_DRAFT, SUPPORTED_VERSIONS, KEY_SHARE, TLS_1_2, TLS_1_3
cdef int PRE_SHARED_KEY, ENCRYPTED_CLIENT_HELLO, SESSION_ID_LENGTH
cdef int SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, RECORD_SIZE_LIMIT, EARLY_DATA, REMEMBERED_INPUTS
cdef int CLIENT_CERTIFICATE_TYPE, MAX_FRAGMENT_LENGTH, PSK_KEY_EXCHANGE_MODES, SERVER_CERTIFICATE_TYPE
cdef int HEARTBEAT, RENEGOTIATION_INFO, SIGNED_CERTIFICATE_TIMESTAMP
cdef int LARGEST_PLAINTEXT, LONGEST_KEY, MAX_SHARES, SHORTEST_PUBLIC_KEY
cdef dict SHARED, KNOWN_HELLOS

cpdef bint is_tls13(int version)
cpdef bytes server_name(object hello)
cpdef bytes alpn(object answer)
cpdef int selected_version(object answer) except -1
cpdef tuple extension_types(object message)
cpdef tuple requested_schemes(object request)
cpdef int certain_version(object answer) except -1
cpdef bint is_suite13(object number) except -1
cpdef int selected_group(object answer) except -2
cpdef tuple key_shares(object hello)
cpdef bytes server_key_share(object answer)
cpdef bytes public_key(object entry)
cpdef object record_size_limit(object message)
cpdef int fragment_length(object answer) except -1
cpdef int heartbeat_mode(object answer) except -1
cpdef bint has_early_data(object message) except *
cpdef dict offers(object hello)
cpdef tuple known_hello(object hello, bytes raw, bint whole)
cdef bytes cache_key(object hello, bytes raw)
cdef bytes share_groups(object body)
cpdef bytes answer_key(object answer, bytes raw)
cpdef tuple read_fingerprint_input(object hello)
cpdef tuple server_fingerprint_input(object answer)
cdef tuple numbers(object body, str name)
cpdef object shared(object value, Py_ssize_t length)
