from analyzer.codec.field_spec cimport FieldSpec

# Looked at for every field, as C variables.
cdef int EXTENSIONS, FIXED, OPAQUE, SELECT, SIZED, STRUCT, UINT, VARINT

cpdef dict json_value(object message)
cpdef object json_field(FieldSpec spec, object value, object owner)
cpdef object named(FieldSpec spec, object value)
