// Verifies the chains of test_judge_peers.py with Go's crypto/x509: one JSON object a line in, `true` or `false` a line out.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type chain struct {
	Chain, Roots [][]byte
	At           int64
	Name         string
	Client       bool
}

func pool(ders [][]byte) (*x509.CertPool, error) {
	made := x509.NewCertPool()
	for _, der := range ders {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		made.AddCert(certificate)
	}
	return made, nil
}

func valid(one chain) bool {
	roots, err := pool(one.Roots)
	if err != nil {
		return false
	}
	others, err := pool(one.Chain[1:])
	if err != nil {
		return false
	}
	leaf, err := x509.ParseCertificate(one.Chain[0])
	if err != nil {
		return false
	}
	use := x509.ExtKeyUsageServerAuth
	if one.Client {
		use = x509.ExtKeyUsageClientAuth
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: time.Unix(one.At, 0), DNSName: one.Name,
		KeyUsages: []x509.ExtKeyUsage{use}}
	_, err = leaf.Verify(options)
	return err == nil
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var one chain
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			panic(err)
		}
		fmt.Println(valid(one))
	}
}
