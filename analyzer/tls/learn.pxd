cimport cython

from analyzer.codec.cut cimport cut
from analyzer.codec.row cimport Extension
from analyzer.codec.runner cimport extension_body

cdef int ALPN, SESSION_TICKET, KEY_SHARE_DRAFT, SUPPORTED_VERSIONS, KEY_SHARE, TLS13
cdef int PRE_SHARED_KEY, ENCRYPTED_CLIENT_HELLO
cdef int SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, RECORD_SIZE_LIMIT, EARLY_DATA, REMEMBERED_SHAPES
cdef int STATUS_REQUEST, SIGNED_CERTIFICATE_TIMESTAMP, MAX_STAPLES, MAX_STAPLE
cdef int AFTER_RANDOM, LONGEST_KIND
cdef dict SHAPES, KINDS

cpdef bint is_tls13(int version)
cpdef bytes server_name(object hello)
cpdef bytes alpn(object answer)
cpdef int selected_version(object answer) except -1
cpdef int selected_group(object answer) except -2
cpdef int exchanged_group(object server_key_exchange) except -2
cpdef object presented(list kept, int side, object message, list problems)
cpdef object uncompressed(object certificate, list problems)
cpdef tuple signed_parameters(object server_key_exchange, bytes raw)
cpdef object record_size_limit(object message)
cpdef bint has_early_data(object message) except *
cpdef list certificate_list(object certificate)
cpdef void staple(list kept, int side, object message) except *
cdef void keep_responses(list kept, int side, int place, object status) except *
cdef void keep_timestamps(list kept, int side, int place, object message) except *
cdef void keep(list kept, tuple staple) except *
cpdef dict offers(object hello)
cpdef tuple shape_of(object hello, bytes raw)
cdef bytes kind_of(bytes raw)
cpdef tuple hello_shape(object hello)
cpdef tuple answer_shape(object answer)
cdef tuple numbers(object body, str name)
cdef object shared(object shape, Py_ssize_t length)
