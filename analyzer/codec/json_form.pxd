cimport cython

from analyzer.codec.row cimport Row

# Looked at for every field, as C variables.
cdef int EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT

cpdef dict json_value(object message)
cpdef object json_field(Row row, object value, object owner)
cpdef object named(Row row, object value)
