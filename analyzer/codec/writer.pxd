from analyzer.codec.row cimport Row

# Looked at for every field, as C variables.
cdef int EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT


cpdef bytes write(object message)
cdef object write_structure(bytearray out, object message)
cdef object write_varint(bytearray out, object value)
cdef object write_value(bytearray out, Row row, object value, object owner)
