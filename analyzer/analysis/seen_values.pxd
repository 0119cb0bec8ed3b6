cimport cython

cdef Py_ssize_t MAX_VALUES


@cython.no_gc
@cython.final
cdef class SeenValues:
    cdef public Py_ssize_t most
    cdef public dict younger
    cdef public dict older
    cdef public bint forgotten

    cpdef object first(self, bytes value, object place)
