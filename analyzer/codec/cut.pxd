cimport cython


@cython.locals(buffer="const unsigned char*")
cpdef bytes cut(bytes data, Py_ssize_t start, Py_ssize_t end)
