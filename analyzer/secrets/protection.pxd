from analyzer.secrets.aead cimport ExplicitNonceOpener, ImplicitNonceOpener, Tls13Opener
from analyzer.secrets.block cimport BlockOpener
from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.stream cimport StreamOpener


cdef tuple _halves(bytes block, Py_ssize_t start, Py_ssize_t length)
