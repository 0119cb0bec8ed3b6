cimport cython

from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.record_decryptor cimport RecordDecryptor


@cython.no_gc
cdef class StreamDecryptor(RecordDecryptor):
    cdef object _key_stream
    cdef RecordMac _mac
    cdef tuple _last_failed

    cdef bytes _decrypt(self, bytes body)
