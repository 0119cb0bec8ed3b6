from analyzer.analysis.interface_series cimport InterfaceSeries
from analyzer.analysis.internet_checksum cimport check_ip, check_transport
from analyzer.analysis.sender_clock cimport SenderClock
from analyzer.analysis.sender_series cimport SenderSeries, keep_frame
from analyzer.analysis.sender_stream cimport SenderStream
from analyzer.capture.frame cimport Frame
from analyzer.packet.packet cimport Packet

cdef bint _COMPILED

cdef extern from "string.h":
    void *memcpy(void *to, const void *data, size_t n_bytes)

cdef int _TCP, _WRONG, _UNFINISHED, _UNCHECKED, _SYN, _RST, _ACK, _FIN
cdef long long _DUPLICATE_TIME, _SLOTS, _WORD, _STEADY_FOR_SKIPS
cdef tuple _UNFINISHED_KINDS, _WRONG_KINDS
cdef Py_ssize_t _MOST_SENDERS, _MOST_INTERFACES, _RECENT

cdef inline unsigned long long hash_part(const unsigned char *data, Py_ssize_t n, unsigned long long one) noexcept:
    """Return the hash of `n` bytes: multiplication, and the upper half added to the lower one, for words of eight bytes."""
    cdef unsigned long long word, other = one ^ 0x9E3779B97F4A7C15ULL
    while n >= 16:
        memcpy(&word, data, 8)
        one = (one ^ word) * 0xFF51AFD7ED558CCDULL
        one ^= one >> 32
        memcpy(&word, data + 8, 8)
        other = (other ^ word) * 0xC4CEB9FE1A85EC53ULL
        other ^= other >> 32
        data += 16
        n -= 16
    while n > 0:
        word = 0
        memcpy(&word, data, n if n < 8 else 8)
        one = (one ^ word) * 0xFF51AFD7ED558CCDULL
        one ^= one >> 32
        data += 8
        n -= 8
    one ^= other * 0xFF51AFD7ED558CCDULL
    return one ^ one >> 29

cdef inline long long hash_at(const unsigned char *data, Py_ssize_t start, Py_ssize_t end) noexcept:
    """Return the hash of the first 448 and the last 64 bytes from `start` to `end`."""
    cdef Py_ssize_t n = end - start
    if n <= 512:
        return <long long> hash_part(data + start, n, n)
    return <long long> hash_part(data + end - 64, 64, hash_part(data + start, 448, n))


cdef class Sender:
    cdef public bytes key
    cdef public Sender peer
    cdef public SenderSeries series
    cdef public SenderStream stream
    cdef public SenderClock clock
    cdef public list older_frames

    cdef void begin(self) except *


cdef class Note:
    cdef public long long count
    cdef public long long n_senders
    cdef public list frames
    cdef public dict hosts

    cpdef void add(self, bytes address, long long count, list frames) except *


cdef class Remembered:
    cdef public long long fingerprint
    cdef public long long n_bytes
    cdef public int interface
    cdef public long long at


cdef class CaptureIntegrity:
    cdef public long long frames
    cdef public long long last_offset
    cdef public int number
    cdef public InterfaceSeries interface
    cdef public dict interfaces
    cdef public dict notes
    cdef public long long checked_ip
    cdef public long long checked_tcp
    cdef public long long checked_udp
    cdef public dict witnesses
    cdef public dict senders
    cdef public dict older
    cdef public list recent
    cdef public list remembered
    cdef public long long n_series
    cdef public long long n_clocks
    cdef public long long n_directions
    cdef public tuple furthest

    cpdef void count(self, Packet packet, Frame frame) except *
    cdef void switch(self, Frame frame) except *
    cdef void check(self, Packet packet, long long frame) except *
    cdef void note_checksum(self, Packet packet, int protocol, int result, long long frame) except *
    cdef Sender find(self, Packet packet)
    cdef Sender open(self, bytes key, bytes back)
    cdef void forget(self, dict generation) except *
    cdef bint follow(self, Sender sender, Packet packet, Frame frame, long long n_bytes) except -1
    cdef void compare_clocks(self, Sender sender, long long value, bint later, Frame frame) except *
    cdef bint is_repeated(self, Frame frame) except -1
    cpdef void note(self, str kind, bytes key, long long count, list frames) except *
    cdef Note find_note(self, str kind)
    cdef void judge(self, Sender sender) except *
    cdef void note_few(self, str kind, bytes key, list frames) except *
    cpdef void conclude(self) except *


cdef long long timestamp_of(Packet packet) except? -2

cdef long long fingerprint_of(Frame frame) except? -1
