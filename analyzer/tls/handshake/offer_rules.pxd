from analyzer.codec.field_spec cimport Extension

cdef int PADDING, PRE_SHARED_KEY, SERVER_NAME

cpdef object content_breaches(object hello)
