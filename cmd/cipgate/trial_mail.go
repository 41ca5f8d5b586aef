package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"
)

// postOffice is the trial's mail server, on this machine, and what it took: the mailboxes of everybody in the story. Nothing leaves it.
type postOffice struct {
	server *smtp.Server
	url    string
	served chan error

	mu      sync.Mutex
	letters []posted
	came    chan struct{} // closed and made anew with each letter
}

// posted is a letter as it came.
type posted struct{ to, subject, text string }

func openPostOffice(ctx context.Context) (*postOffice, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the trial's mail server: %w", err)
	}
	b := &postOffice{url: "smtp://" + listener.Addr().String(), served: make(chan error, 1), came: make(chan struct{})}
	b.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivering{postOffice: b}, nil }))
	b.server.Domain, b.server.MaxMessageBytes, b.server.ReadTimeout, b.server.WriteTimeout = "mail.example", 1<<20, time.Minute, time.Minute
	go func() { b.served <- b.server.Serve(listener) }()
	return b, nil
}

// Close ends the server, and returns when it has ended.
func (b *postOffice) Close() error {
	err := b.server.Close()
	if served := <-b.served; err == nil && !errors.Is(served, smtp.ErrServerClosed) {
		err = served
	}
	if err != nil {
		return fmt.Errorf("closing the trial's mail server: %w", err)
	}
	return nil
}

// delivering is one connection that brings letters.
type delivering struct {
	*postOffice
	to []string
}

// Reset, Logout, Mail, Rcpt and Data are those of an smtp.Session.
func (d *delivering) Reset()                               { d.to = nil }
func (d *delivering) Logout() error                        { return nil }
func (d *delivering) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivering) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

func (d *delivering) Data(r io.Reader) error {
	message, err := mail.EMLToMsgFromReader(r)
	if err != nil {
		return fmt.Errorf("reading a letter: %w", err)
	}
	text := ""
	for _, part := range message.GetParts() {
		if part.GetContentType() == mail.TypeTextPlain {
			content, err := part.GetContent()
			if err != nil {
				return fmt.Errorf("reading a letter: %w", err)
			}
			text = strings.ReplaceAll(string(content), "\r\n", "\n")
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, to := range d.to {
		d.letters = append(d.letters, posted{to, strings.Join(message.GetGenHeader(mail.HeaderSubject), ""), text})
	}
	close(d.came)
	d.came = make(chan struct{})
	return nil
}

// letterPatience is how long the story waits for a letter that must come.
const letterPatience = 20 * time.Second

// take waits for a letter to an address whose text holds a part, and takes it out of the box.
func (b *postOffice) take(ctx context.Context, to, part string) (posted, error) {
	ctx, cancel := context.WithTimeout(ctx, letterPatience)
	defer cancel()
	for {
		b.mu.Lock()
		for i, one := range b.letters {
			if one.to == to && strings.Contains(one.text, part) {
				b.letters = append(b.letters[:i], b.letters[i+1:]...)
				b.mu.Unlock()
				return one, nil
			}
		}
		came := b.came
		b.mu.Unlock()
		select {
		case <-came:
		case <-ctx.Done():
			return posted{}, fmt.Errorf("no mail to %s came that says %q", to, part)
		}
	}
}

var (
	linkInLetter = regexp.MustCompile(`(?m)^(http\S+/answer/\S+)$`)
	codeInLetter = regexp.MustCompile(`Your code: ([0-9]{8})`)
)

// acknowledges does, over HTTP, what a contact does in a browser: opens the link, asks for the code, types it, and says that it has read.
func (s *story) acknowledges(told posted) error {
	link := linkInLetter.FindString(told.text)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("making a browser: %w", err)
	}
	person := &http.Client{Jar: jar, Timeout: time.Minute}
	post := func(path string, form url.Values) error {
		request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, link+path, strings.NewReader(form.Encode()))
		if err != nil {
			return fmt.Errorf("opening a link: %w", err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := person.Do(request)
		if err != nil {
			return fmt.Errorf("opening a link: %w", err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the page behind a link answered %s", answer.Status)
		}
		return nil
	}
	if err := post("/code", url.Values{}); err != nil {
		return err
	}
	apart, err := s.box.take(s.ctx, told.to, "Your code")
	if err != nil {
		return err
	}
	code := codeInLetter.FindStringSubmatch(apart.text)
	if code == nil {
		return fmt.Errorf("no code stands in the mail %q", apart.subject)
	}
	if err := post("/open", url.Values{"code": {code[1]}}); err != nil {
		return err
	}
	return post("/acknowledge", url.Values{})
}
