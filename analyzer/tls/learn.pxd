cimport cython

from analyzer.codec.runner cimport extension_body

cdef int SERVER_NAME, ALPN, SESSION_TICKET, KEY_SHARE_DRAFT, SUPPORTED_VERSIONS, KEY_SHARE, TLS13

cpdef bint is_tls13(int version)
cpdef bytes server_name(object hello)
cpdef bytes alpn(object answer)
cpdef int selected_version(object answer) except -1
cpdef int selected_group(object answer) except -2
cpdef int exchanged_group(object server_key_exchange) except -2
cpdef list certificate_list(object certificate)
cpdef bint offered_ticket(object hello) except *
