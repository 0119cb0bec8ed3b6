cimport cython


cpdef str read_text(bytes data)
@cython.locals(line=str, text=str, fields=list)
cpdef list read_fields(str block, list problems)
@cython.locals(line=str, lines=list, fields=list, name=str, colon=str, value=str)
cdef list _read_plain_fields(str block)
@cython.locals(rest=str, target=str, method=str, version=str)
cpdef object read_request_line(str line)
cpdef tuple read_status_line(str line)
@cython.locals(found=dict)
cpdef dict index(list fields)
@cython.locals(found=list, element=str)
cpdef list values(dict fields, str name)
cpdef object read_framing(dict fields, list problems)
@cython.locals(text=str)
cdef tuple _read_content_length(dict fields, list problems)
