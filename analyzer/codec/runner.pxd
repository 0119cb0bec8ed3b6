cimport cython

from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.codec.field_spec cimport Extension, FieldSpec, Span

cdef bint _COMPILED

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        int (*tp_descr_set)(object slot, object owner, object value) except -1
    PyTypeObject *Py_TYPE(object of)
    object PyType_GenericAlloc(PyTypeObject *table, Py_ssize_t n_items)

cdef inline object blank(object table):
    """Return an instance of a table with empty slots. This is three times as fast as `table.__new__(table)`."""
    return PyType_GenericAlloc(<PyTypeObject *> table, 0)

cdef inline int fill(object slot, object message, object value) except -1:
    """Set a field by its slot, which is the descriptor in its class. This saves the lookup by name."""
    return Py_TYPE(slot).tp_descr_set(slot, message, value)

# Used for every field. In the compiled build these are C variables.
cdef int EXTENSIONS, FIXED, OPAQUE, SELECT, STRUCT, UINT, VARINT, VECTOR, DEPTH_LIMIT, KNOWN_LIMIT, LONGEST_KNOWN


@cython.freelist(4)
@cython.no_gc
cdef class Reader:
    cdef public bytes data
    cdef public Py_ssize_t pos
    cdef public Py_ssize_t limit
    cdef public Py_ssize_t base
    cdef public list problems
    cdef public object fault
    cdef public object short
    cdef public list spans
    cdef public int depth

    cdef void note(self, Py_ssize_t at, str why) except *
    cdef void need(self, long long need, Py_ssize_t end) except *
    cdef bint is_cut(self) except *
    cdef void note_fault(self) except *
    cdef long long number(self, Py_ssize_t width) except? -1
    cdef object varint(self, Py_ssize_t end)
    cdef object structure(self, object table, Py_ssize_t end)
    cdef object field(self, FieldSpec spec, Py_ssize_t end, object owner)
    cdef object value(self, FieldSpec spec, Py_ssize_t end, object owner)
    cdef object region(self, FieldSpec spec, Py_ssize_t stop)
    cdef list numbers(self, FieldSpec spec, Py_ssize_t stop)
    cdef list elements(self, FieldSpec element, Py_ssize_t stop)
    cdef list extensions(self, FieldSpec spec, Py_ssize_t stop)
    cdef object body(self, object table, long long number, Py_ssize_t start, Py_ssize_t last)
    cdef object chosen(self, FieldSpec spec, Py_ssize_t end, object owner)


cpdef tuple read(object table, bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t base, object short=*)
cdef Reader reader_of(bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t base, object short)
cdef object run(Reader reader, object table, Py_ssize_t end)
cdef bint differs_each_time(long long number) noexcept
cpdef object extension_body(object message, int number)
