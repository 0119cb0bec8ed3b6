cimport cython

from analyzer.secrets.aead cimport ExplicitNonceDecryptor, ImplicitNonceDecryptor, Tls13Decryptor
from analyzer.secrets.block cimport BlockDecryptor
from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.record_decryptor cimport RecordDecryptor
from analyzer.secrets.key_schedule cimport key_block, tls_version


cpdef tuple open_tls12(
    object suite, int version, bytes master_secret, bytes client_random, bytes server_random, bint encrypt_then_mac=*,
    bint truncated_hmac=*
)
cpdef Tls13Decryptor open_tls13(object suite, bytes traffic_secret, int draft=*, bint dtls=*)
@cython.locals(block=bytes)
cdef tuple _aead_decryptors(object suite, int version, bytes master_secret, bytes client_random, bytes server_random)
cdef object _kind(object suite)
cdef RecordDecryptor _mac_decryptor(object cipher, int version, bytes key, bytes iv, RecordMac mac, bint encrypt_then_mac)
cdef tuple _both_keys(bytes block, Py_ssize_t start, Py_ssize_t length)
