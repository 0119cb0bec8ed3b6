cimport cython

from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.opener cimport Opener


@cython.no_gc
cdef class StreamOpener(Opener):
    cdef object _key_stream
    cdef RecordMac _mac
    cdef tuple _refused

    cdef bytes _decrypt(self, bytes body)
