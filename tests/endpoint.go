// One end of a TLS connection with Go's crypto/tls, for endpoint_cases.py: it asks or answers once, and closes.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const patience = 60 * time.Second

func ended(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func main() {
	address := flag.String("address", "", "where to listen, or to connect to")
	serves := flag.Bool("serve", false, "be the server")
	name := flag.String("name", "", "the name of the server, as the client asks for it")
	certificate := flag.String("certificate", "", "a file with the own certificates and the key")
	trust := flag.String("trust", "", "a file with the certificates that are trusted")
	demands := flag.Bool("demand", false, "as the server, demand a certificate")
	least := flag.Int("least", tls.VersionTLS12, "the lowest version")
	most := flag.Int("most", tls.VersionTLS13, "the highest version")
	protocols := flag.String("alpn", "", "protocols, with a comma between two")
	flag.Parse()

	config := &tls.Config{ServerName: *name, MinVersion: uint16(*least), MaxVersion: uint16(*most)}
	if *protocols != "" {
		config.NextProtos = strings.Split(*protocols, ",")
	}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *certificate)
		ended(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if *trust != "" {
		pem, err := os.ReadFile(*trust)
		ended(err)
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(pem)
		config.ClientCAs = config.RootCAs
	}
	if *demands {
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if *serves {
		serve(*address, config)
		return
	}
	under, err := net.DialTimeout("tcp", *address, patience)
	ended(err)
	under.SetDeadline(time.Now().Add(patience))
	connection := tls.Client(under, config)
	defer under.Close()
	defer connection.Close()
	_, err = connection.Write([]byte("GET / HTTP/1.0\r\n\r\n"))
	if err == nil {
		io.ReadAll(connection)
	}
}

func serve(address string, config *tls.Config) {
	listening, err := net.Listen("tcp", address)
	ended(err)
	under, err := listening.Accept()
	ended(err)
	under.SetDeadline(time.Now().Add(patience))
	connection := tls.Server(under, config)
	_, err = connection.Read(make([]byte, 4096))
	if err == nil {
		connection.Write([]byte("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	}
	connection.Close()
	under.Close()
}
