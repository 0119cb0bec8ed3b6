from analyzer.codec.runner cimport extension_body
from analyzer.tls.handshake.hello_features cimport shared

cdef int STATUS_REQUEST, SIGNED_CERTIFICATE_TIMESTAMP, MAX_STAPLES, MAX_STAPLE

cpdef object certificates_of(list kept, int role, object message, list problems)
cpdef void collect(object handshake, int role, object message, long long frame) except *
cpdef object uncompressed(object certificate, list problems)
cpdef list certificate_list(object certificate)
cpdef void staple(list kept, int role, object message) except *
cdef void keep_responses(list kept, int role, int place, object status) except *
cdef void keep_timestamps(list kept, int role, int place, object message) except *
cdef void keep(list kept, tuple staple) except *
