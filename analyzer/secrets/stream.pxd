cimport cython

from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.record_decryptor cimport RecordDecryptor


@cython.no_gc
cdef class StreamDecryptor(RecordDecryptor):
    cdef object _key_stream
    cdef RecordMac _mac
    cdef tuple _refused

    cdef bytes _decrypt(self, bytes body)
