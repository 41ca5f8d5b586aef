package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// taken is a mail as the server took it, or at first the port that it listens on.
type taken struct {
	Port          int      `json:"port"`
	To            []string `json:"to"`
	Sender        string   `json:"sender"`
	TLS           bool     `json:"tls"`
	Authenticated bool     `json:"authenticated"`
	Data          string   `json:"data"`
}

// smtpd is a real SMTP server from Debian's packages.
type smtpd struct {
	t     *testing.T
	port  int
	lines *bufio.Scanner
}

func startSMTP(t *testing.T, args ...string) *smtpd {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's own, which has Debian's packages
	if exec.Command(python, "-c", "import aiosmtpd").Run() != nil {
		const missing = "aiosmtpd is missing: install python3-aiosmtpd, or run `make setup`"
		if os.Getenv("CIPGATE_REQUIRE_CLIENTS") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	server := exec.Command(python, append([]string{filepath.Join("testdata", "smtpd.py")}, args...)...)
	input, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = server.Wait()
	})
	s := &smtpd{t: t, lines: bufio.NewScanner(output)}
	s.lines.Buffer(nil, 1<<20)
	s.port = s.next().Port
	return s
}

// next waits for what the server says next.
func (s *smtpd) next() (said taken) {
	s.t.Helper()
	if !s.lines.Scan() {
		s.t.Fatalf("the server ended: %v", s.lines.Err())
	}
	if err := json.Unmarshal(s.lines.Bytes(), &said); err != nil {
		s.t.Fatal(err)
	}
	return said
}

// certificate makes one for names that signs itself, and returns its files and itself.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, bytes []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pool = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret), pool
}
