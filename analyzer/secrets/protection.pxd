cimport cython

from analyzer.secrets.aead cimport ExplicitNonceOpener, ImplicitNonceOpener, Tls13Opener
from analyzer.secrets.block cimport BlockOpener
from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.opener cimport Opener
from analyzer.secrets.schedule cimport key_block, tls_version


cpdef tuple open_tls12(
    object suite, int version, bytes master_secret, bytes client_random, bytes server_random, bint encrypt_then_mac=*,
    bint truncated_hmac=*
)
cpdef Tls13Opener open_tls13(object suite, bytes traffic_secret, int draft=*, bint dtls=*)
@cython.locals(block=bytes)
cdef tuple _aead_openers(object suite, int version, bytes master_secret, bytes client_random, bytes server_random)
cdef object _kind(object suite)
cdef Opener _mac_opener(object cipher, int version, bytes key, bytes iv, RecordMac mac, bint encrypt_then_mac)
cdef tuple _halves(bytes block, Py_ssize_t start, Py_ssize_t length)
