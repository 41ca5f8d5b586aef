// Package mail writes what a person is mailed and hands it to an SMTP server, one letter at a time.
//
// A letter says that something happened, why this person is told, and where to read it: one link. It holds no name of a person and
// nothing of what a finding says, since mail lies in the open on its way. The connection to the server is encrypted, unless the
// server is this machine.
//
// It decides neither who is mailed nor when (packages notices and delivery), and keeps nothing. What it reports of a try names no
// address and repeats nothing of what the server said but its codes.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	smtp "github.com/wneessen/go-mail"
)

// ErrConfiguration says that a server or a sender cannot be as it was asked for.
var ErrConfiguration = errors.New("mail not possible")

// patience is how long a server may take to be reached, then to take a letter, then to say goodbye: together less than whoever sends
// it holds a lease for (package delivery).
const patience = 10 * time.Second

// Server is the SMTP server that letters are handed to, and whom they come from.
type Server struct {
	host     string
	port     int
	implicit bool // TLS from the first byte (RFC 8314); else STARTTLS
	plain    bool // the server is this machine, and what does not leave it needs no TLS
	user     string
	password string
	from     mail.Address
	trust    *tls.Config // nil: the certificates that this machine trusts
	patience time.Duration
}

// Configure reads `smtp://user:pass@host:port` (STARTTLS) or `smtps://...` (TLS from the first byte) and the sender's address. A
// password given apart takes the place of the one in the address. Errors wrap ErrConfiguration and never repeat a password.
func Configure(address, password, from string) (*Server, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "smtp" && parsed.Scheme != "smtps" || parsed.Hostname() == "" ||
		strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, fmt.Errorf("%w: wanted smtp://user:password@host:port (STARTTLS) or smtps://user:password@host:port, got another text", ErrConfiguration)
	}
	s := &Server{host: parsed.Hostname(), implicit: parsed.Scheme == "smtps", user: parsed.User.Username(), patience: patience}
	s.plain = !s.implicit && isLoopback(s.host)
	switch {
	case parsed.Port() != "":
		if s.port, err = strconv.Atoi(parsed.Port()); err != nil || s.port < 1 || s.port > 65535 {
			return nil, fmt.Errorf("%w: wanted a port from 1 to 65535", ErrConfiguration)
		}
	case s.implicit:
		s.port = 465
	default:
		s.port = 587
	}
	s.password, _ = parsed.User.Password()
	if password != "" {
		s.password = password
	}
	if (s.user == "") != (s.password == "") {
		return nil, fmt.Errorf("%w: wanted a user and a password, or neither, got one of them", ErrConfiguration)
	}
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("%w: wanted the sender's address, such as cip@provider.example, got another text", ErrConfiguration)
	}
	s.from = *sender
	return s, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Outcome is what became of a try to send.
type Outcome int

// The outcomes. Whoever keeps a letter may send it again after Failed without anybody getting it twice, after Unknown perhaps.
const (
	Sent    Outcome = iota // the server took it
	Failed                 // it was not taken, and may be later
	Refused                // the server will not take it for this address or in this form: the same again changes nothing
	Unknown                // the connection was lost when it may have been taken
)

// Report is what is kept of a try.
type Report struct {
	Outcome Outcome
	Status  int    // what the server answered, SMTP; 0 if it did not answer
	Problem string // in words, empty for Sent
}

// Letter is one mail to one person.
type Letter struct {
	ID      string // of the letter: the same for each try, so that one that came twice is known by its Message-ID
	To      string // the address
	Subject string
	Text    string
	HTML    string
	At      time.Time
}

// Send hands a letter to the server.
func (s *Server) Send(ctx context.Context, letter Letter) Report {
	message := smtp.NewMsg(smtp.WithNoDefaultUserAgent())
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message.SetMessageIDWithValue(letter.ID + "@" + domain)
	message.SetDateWithValue(letter.At)
	message.Subject(letter.Subject)
	// RFC 3834, section 5: nobody's holiday answers to it.
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(smtp.TypeTextPlain, letter.Text)
	message.AddAlternativeString(smtp.TypeTextHTML, letter.HTML)
	message.FromMailAddress(&s.from)
	if err := message.To(letter.To); err != nil {
		return Report{Outcome: Refused, Problem: "the address on record is no mail address; record another one"}
	}
	client, err := s.client()
	if err != nil {
		return Report{Outcome: Failed, Problem: "the server's configuration cannot be used: " + err.Error()}
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return Report{Outcome: Failed, Problem: dialled(err)}
	}
	err = client.SendWithSMTPClient(connection, message)
	_ = client.CloseWithSMTPClient(connection) // it was taken or not by now
	if message.IsDelivered() {
		return Report{Outcome: Sent, Status: 250}
	}
	return judged(err)
}

func (s *Server) client() (*smtp.Client, error) {
	options := []smtp.Option{smtp.WithPort(s.port), smtp.WithTimeout(s.patience)}
	switch {
	case s.implicit:
		options = append(options, smtp.WithSSL(), smtp.WithTLSPolicy(smtp.TLSMandatory))
	case s.plain:
		options = append(options, smtp.WithTLSPolicy(smtp.NoTLS))
	default:
		options = append(options, smtp.WithTLSPolicy(smtp.TLSMandatory))
	}
	if s.trust != nil {
		options = append(options, smtp.WithTLSConfig(s.trust))
	}
	if s.user != "" {
		how := smtp.SMTPAuthAutoDiscover
		if s.plain {
			how = smtp.SMTPAuthPlainNoEnc
		}
		options = append(options, smtp.WithSMTPAuth(how), smtp.WithUsername(s.user), smtp.WithPassword(s.password))
	}
	return smtp.NewClient(s.host, options...)
}

// dialled words why a server was not reached or did not let us in, without its own words.
func dialled(err error) string {
	text := err.Error()
	for part, words := range map[string]string{
		"STARTTLS": "the server offers no STARTTLS; wanted an encrypted connection: use smtps://, or another server",
		"x509":     "the server's certificate does not hold; have it renewed, or name the server as its certificate does",
		"AUTH":     "the server refused the user or the password; check both",
		"535":      "the server refused the user or the password; check both",
	} {
		if strings.Contains(text, part) {
			return words
		}
	}
	return "the server was not reached, or ended the connection before the letter was begun; check that it runs and that its address is right"
}

// judged tells what is certain about a letter that was not taken for certain.
func judged(err error) Report {
	var failed *smtp.SendError
	if !errors.As(err, &failed) {
		return Report{Outcome: Failed, Problem: "the connection was lost before the letter was begun"}
	}
	code := failed.ErrorCode()
	switch {
	case code == 0 && (failed.Reason == smtp.ErrWriteContent || failed.Reason == smtp.ErrSMTPDataClose):
		return Report{Outcome: Unknown, Problem: "the connection was lost while the letter was handed over: whether it was taken is unknown"}
	case code >= 500 && (failed.Reason == smtp.ErrSMTPRcptTo || failed.Reason == smtp.ErrSMTPDataClose):
		return Report{Outcome: Refused, Status: code, Problem: fmt.Sprintf("the server refused the letter or its address for good (SMTP %d); check the address on record", code)}
	case code > 0:
		return Report{Outcome: Failed, Status: code, Problem: fmt.Sprintf("the server did not take the letter now (SMTP %d)", code)}
	default:
		return Report{Outcome: Failed, Problem: "the connection was lost before the letter was begun"}
	}
}
