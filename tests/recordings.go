// Speak TLS sessions between two ends of Go's crypto/tls, in memory, and print what was said as JSON: one recording a line.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

type flight struct {
	Side int    `json:"side"`
	Data string `json:"data"`
}

type recording struct {
	Name        string     `json:"name"`
	Connections [][]flight `json:"connections"`
	KeyLog      string     `json:"key_log"`
}

// A tap writes down what one side says, in the order in which both do.
type tap struct {
	net.Conn
	side  int
	lock  *sync.Mutex
	heard *[]flight
}

func (t tap) Write(data []byte) (int, error) {
	t.lock.Lock()
	*t.heard = append(*t.heard, flight{t.side, hex.EncodeToString(data)})
	t.lock.Unlock()
	return t.Conn.Write(data)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Join two connections of the loopback interface, which, other than net.Pipe, hold what is not read yet.
func joined() (net.Conn, net.Conn) {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	defer listening.Close()
	client, err := net.Dial("tcp", listening.Addr().String())
	check(err)
	server, err := listening.Accept()
	check(err)
	return client, server
}

func speak(client, server *tls.Config) []flight {
	near, far := joined()
	var lock sync.Mutex
	var heard []flight
	ended := make(chan error)
	go func() {
		conn := tls.Server(tap{far, 1, &lock, &heard}, server)
		request := make([]byte, 4)
		_, err := io.ReadFull(conn, request)
		if err == nil {
			_, err = conn.Write(bytes.Repeat([]byte("pong"), 1000))
		}
		conn.Close()
		ended <- err
	}()
	conn := tls.Client(tap{near, 0, &lock, &heard}, client)
	_, err := conn.Write([]byte("ping"))
	check(err)
	_, err = io.ReadAll(conn)
	check(err)
	check(<-ended)
	conn.Close()
	return heard
}

func main() {
	pair := func(file string) tls.Certificate {
		found, err := tls.LoadX509KeyPair(file, file)
		check(err)
		return found
	}
	ec, rsa, ed := pair(os.Args[1]), pair(os.Args[2]), pair(os.Args[3])
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(ec.Certificate[0])
	check(err)
	roots.AddCert(leaf)
	for _, each := range []struct {
		name   string
		times  int
		change func(client, server *tls.Config)
	}{
		{"1.3", 1, func(_, _ *tls.Config) {}},
		{"1.2", 1, func(client, _ *tls.Config) { client.MaxVersion = tls.VersionTLS12 }},
		{"1.2 RSA", 1, func(client, server *tls.Config) {
			client.MaxVersion = tls.VersionTLS12
			server.Certificates = []tls.Certificate{rsa}
		}},
		{"1.2 ChaCha20", 1, func(client, _ *tls.Config) {
			client.MaxVersion = tls.VersionTLS12
			client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
		}},
		{"Ed25519", 1, func(_, server *tls.Config) { server.Certificates = []tls.Certificate{ed} }},
		{"retry", 1, func(client, server *tls.Config) {
			client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
			server.CurvePreferences = []tls.CurveID{tls.CurveP384}
		}},
		{"resumption 1.3", 3, func(client, _ *tls.Config) { client.ClientSessionCache = tls.NewLRUClientSessionCache(8) }},
		{"resumption 1.2", 3, func(client, _ *tls.Config) {
			client.ClientSessionCache = tls.NewLRUClientSessionCache(8)
			client.MaxVersion = tls.VersionTLS12
		}},
		{"mutual 1.3", 1, func(client, server *tls.Config) {
			client.Certificates, server.ClientAuth, server.ClientCAs = []tls.Certificate{ec}, tls.RequireAnyClientCert, roots
		}},
		{"mutual 1.2", 1, func(client, server *tls.Config) {
			client.Certificates, server.ClientAuth, server.ClientCAs = []tls.Certificate{ec}, tls.RequireAnyClientCert, roots
			client.MaxVersion = tls.VersionTLS12
		}},
		{"no certificate", 1, func(_, server *tls.Config) { server.ClientAuth = tls.RequestClientCert }},
		{"ALPN", 1, func(client, server *tls.Config) {
			client.NextProtos, server.NextProtos = []string{"one", "two"}, []string{"two"}
		}},
	} {
		var keys bytes.Buffer
		client := &tls.Config{ServerName: "example.test", InsecureSkipVerify: true, KeyLogWriter: &keys}
		server := &tls.Config{Certificates: []tls.Certificate{ec}}
		each.change(client, server)
		made := recording{Name: each.name}
		for number := 0; number < each.times; number++ {
			made.Connections = append(made.Connections, speak(client, server))
		}
		made.KeyLog = keys.String()
		check(json.NewEncoder(os.Stdout).Encode(made))
	}
}
