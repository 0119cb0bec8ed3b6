// Speak one TLS 1.3 session with Encrypted Client Hello between two ends of Go's crypto/tls, in memory, and print what
// was said as JSON. The argument tells what becomes of the offer: accept, retry (after a HelloRetryRequest), reject.
package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	publicName = "public.example.com"
	innerName  = "secret.example.com"
	request    = "GET /inside HTTP/1.1\r\nHost: secret.example.com\r\n\r\n"
	response   = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\nnobody sees this\n"
)

type flight struct {
	Side string `json:"side"`
	Data string `json:"data"`
}

type told struct {
	Flights  []flight `json:"flights"`
	KeyLog   string   `json:"key_log"`
	Version  string   `json:"version"`
	Suite    string   `json:"cipher_suite"`
	Group    string   `json:"group"`
	Protocol string   `json:"alpn"`
	Accepted bool     `json:"accepted"`
	Refusal  string   `json:"refusal"`
	Sent     []int    `json:"sent"`
	Go       string   `json:"go"`
}

// A tap writes down what one side says, in the order in which both do.
type tap struct {
	net.Conn
	side  string
	lock  *sync.Mutex
	heard *[]flight
}

func (t tap) Write(data []byte) (int, error) {
	t.lock.Lock()
	*t.heard = append(*t.heard, flight{t.side, hex.EncodeToString(data)})
	t.lock.Unlock()
	return t.Conn.Write(data)
}

func config(identifier byte, public []byte) []byte {
	var contents []byte
	contents = append(contents, identifier)
	contents = binary.BigEndian.AppendUint16(contents, 0x0020) // DHKEM(X25519, HKDF-SHA256)
	contents = binary.BigEndian.AppendUint16(contents, uint16(len(public)))
	contents = append(contents, public...)
	contents = binary.BigEndian.AppendUint16(contents, 4)
	contents = binary.BigEndian.AppendUint16(contents, 0x0001) // HKDF-SHA256
	contents = binary.BigEndian.AppendUint16(contents, 0x0001) // AES-128-GCM
	contents = append(contents, 32, byte(len(publicName)))
	contents = append(contents, publicName...)
	contents = append(contents, 0, 0)
	head := binary.BigEndian.AppendUint16([]byte{0xfe, 0x0d}, uint16(len(contents)))
	return append(head, contents...)
}

// Give the ECHConfig's shared secret: DHKEM(X25519, HKDF-SHA256) as in RFC 9180, section 4.1, which Go keeps to itself.
func sharedSecret(key *ecdh.PrivateKey, enc []byte) []byte {
	suite := []byte("KEM\x00\x20")
	product := must(key.ECDH(must(ecdh.X25519().NewPublicKey(enc))))
	extracted := must(hkdf.Extract(sha256.New, join([]byte("HPKE-v1"), suite, []byte("eae_prk"), product), nil))
	info := join([]byte("\x00\x20HPKE-v1"), suite, []byte("shared_secret"), enc, key.PublicKey().Bytes())
	return must(hkdf.Expand(sha256.New, extracted, string(info), 32))
}

func join(parts ...[]byte) []byte {
	return bytes.Join(parts, nil)
}

func list(configs ...[]byte) []byte {
	all := join(configs...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(all))), all...)
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	kind, chain, secret, trust, now := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	key := must(ecdh.X25519().GenerateKey(rand.Reader))
	offered := config(7, key.PublicKey().Bytes())
	current, currentKey := offered, key
	if kind == "reject" { // the server has a new key, and hands it out
		currentKey = must(ecdh.X25519().GenerateKey(rand.Reader))
		current = config(8, currentKey.PublicKey().Bytes())
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(trust)))
	at := must(time.Parse(time.RFC3339, now))
	var keys bytes.Buffer
	clientSettings := &tls.Config{
		ServerName:                     innerName,
		RootCAs:                        roots,
		Time:                           func() time.Time { return at },
		KeyLogWriter:                   &keys,
		MinVersion:                     tls.VersionTLS13,
		NextProtos:                     []string{"http/1.1"},
		CurvePreferences:               []tls.CurveID{tls.X25519, tls.CurveP256},
		EncryptedClientHelloConfigList: list(offered),
	}
	serverSettings := &tls.Config{
		Certificates:             []tls.Certificate{must(tls.LoadX509KeyPair(chain, secret))},
		Time:                     clientSettings.Time,
		MinVersion:               tls.VersionTLS13,
		NextProtos:               []string{"http/1.1"},
		EncryptedClientHelloKeys: []tls.EncryptedClientHelloKey{{Config: current, PrivateKey: currentKey.Bytes(), SendAsRetry: true}},
	}
	if kind == "retry" {
		serverSettings.CurvePreferences = []tls.CurveID{tls.CurveP256}
	}
	left, right := must2(pair())
	said := told{Go: runtime.Version(), Sent: []int{0, 0}}
	var lock sync.Mutex
	client := tls.Client(tap{left, "client", &lock, &said.Flights}, clientSettings)
	server := tls.Server(tap{right, "server", &lock, &said.Flights}, serverSettings)
	done := make(chan struct{})
	go func() {
		defer close(done)
		asked := make([]byte, len(request))
		if _, err := io.ReadFull(server, asked); err == nil {
			said.Sent[1], _ = server.Write([]byte(response))
			_, _ = io.ReadFull(server, asked[:1])
		}
		_ = server.Close()
	}()
	err := client.Handshake()
	var rejected *tls.ECHRejectionError
	if errors.As(err, &rejected) {
		said.Refusal = err.Error()
		_ = left.Close()
	} else if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	} else {
		said.Sent[0] = must(client.Write([]byte(request)))
		must(io.ReadFull(client, make([]byte, len(response))))
		_ = client.Close()
	}
	<-done
	state := client.ConnectionState()
	hello := must(hex.DecodeString(said.Flights[0].Data))
	outer := hello[11:43]
	// The extension of type outer, the HPKE suite, the configuration's number; then 32 bytes of enc.
	extension := bytes.Index(hello, []byte{0, 0, 1, 0, 1, 7, 0, 32})
	enc := hello[extension+8 : extension+40]
	fmt.Fprintf(&keys, "ECH_SECRET %x %x\nECH_CONFIG %x %x\n", outer, sharedSecret(key, enc), outer, offered)
	said.Version, said.Suite, said.Accepted = tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.ECHAccepted
	said.Group, said.Protocol, said.KeyLog = state.CurveID.String(), state.NegotiatedProtocol, keys.String()
	must(0, json.NewEncoder(os.Stdout).Encode(said))
}

func pair() (net.Conn, net.Conn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	left, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	right, err := listener.Accept()
	return left, right, err
}

func must2[T any](left, right T, err error) (T, T) {
	return must(left, err), right
}
