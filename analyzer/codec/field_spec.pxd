cimport cython


cdef class FieldSpec:
    cdef public str name
    cdef public int kind
    cdef public Py_ssize_t width
    cdef public long long low
    cdef public long long high
    cdef public FieldSpec element
    cdef public object table
    cdef public dict cases
    cdef public str on
    cdef public str registry
    cdef public object names
    cdef public bint text
    cdef public bint optional
    cdef public dict known
    cdef public object slot
    cdef public str doc
    cdef public str filter
    cdef public str size_filter


@cython.freelist(64)
@cython.no_gc
cdef class Extension:
    cdef public int type
    cdef public object body
    cdef public Py_ssize_t n_bytes


cdef class Span:
    cdef public str name
    cdef public Py_ssize_t start
    cdef public Py_ssize_t end
    cdef public object value
    cdef public object spec
    cdef public list children
