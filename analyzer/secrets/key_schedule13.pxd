cimport cython

from analyzer.secrets.key_schedule cimport Hmac, hmac


@cython.locals(info=bytes)
cpdef bytes expand_label(str hash_name, bytes secret, bytes label, bytes context, Py_ssize_t length, bytes prefix=*)
@cython.locals(block=bytes, output=bytes)
cdef bytes _expand(Hmac keyed, bytes info, Py_ssize_t length)
@cython.locals(for_key=bytes, for_vector=bytes)
cpdef tuple traffic_keys(str hash_name, bytes traffic_secret, Py_ssize_t key_length, bytes prefix=*)
cpdef bytes next_traffic_secret(str hash_name, bytes traffic_secret, bytes prefix=*)
@cython.locals(key=bytes)
cpdef bytes finished(str hash_name, bytes base_key, bytes transcript_hash, bytes prefix=*)
