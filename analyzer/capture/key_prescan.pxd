cimport cython

from analyzer.capture.file_numbers cimport read_u32

cdef Py_ssize_t _HEAD
cdef long long _SECTION
cdef long long _SECRETS


@cython.locals(data=bytes)
cdef list _blocks(int descriptor)
