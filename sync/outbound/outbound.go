// Package outbound is the one guarded way out: everything that goes out on somebody's word (fetches, push endpoints)
// goes through it. Whoever names an address must not reach with our hands what they cannot reach with theirs.
//
// It decides where a connection may go and how much of an answer is taken: https on port 443, a public address, judged
// when it is dialled, no redirects, 5 s, 64 KiB (protocol.md, "Federation"). It does not decide what is fetched, nor
// what an answer is worth.
package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// MaxAnswer is the size of the largest answer that is taken, in bytes.
	MaxAnswer = 64 << 10
	// Timeout is how long one try may take, from the name's look-up to the last byte of the answer.
	Timeout = 5 * time.Second

	httpsPort  = 443
	tries      = 3
	longest    = 2 * Timeout // for all tries together
	shortWait  = 200 * time.Millisecond
	longWait   = time.Second
	headerSize = 16 << 10
)

var (
	// ErrAddress says that an address is one to which nothing is sent.
	ErrAddress = errors.New("address not allowed")
	// ErrUnreachable says that nobody answered there: no such name, no connection, a certificate that does not hold, or
	// too slow. Trying again later may help.
	ErrUnreachable = errors.New("no answer")
	// ErrAnswer says that what was answered is not taken: a redirect, too large, another status or media type.
	ErrAnswer = errors.New("answer not usable")
)

// Client sends requests. Make one with New; it may be used by several goroutines.
type Client struct {
	http      *retryablehttp.Client
	transport *http.Transport
	loopback  bool
}

// New makes a client. loopback lets it reach this machine too, by a loopback name and at any port, and by http there:
// for trials and tests, where gateways and resellers live on one machine. It opens no other private address.
func New(loopback bool) *Client {
	c := &Client{loopback: loopback}
	c.transport = &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, unjudged
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:     true, // what is asked for is signed, and small
		MaxResponseHeaderBytes: headerSize,
		// Many receivers may live at one host, and each is sent one after the other.
		MaxIdleConns:        512,
		MaxIdleConnsPerHost: 288, // as many as delivery pushes to at once
		IdleConnTimeout:     time.Minute,
	}
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.HTTPClient = &http.Client{
		Transport:     c.transport,
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	retrying.RetryMax, retrying.RetryWaitMin, retrying.RetryWaitMax = tries-1, shortWait, longWait
	retrying.CheckRetry = again
	// Retry-After is not looked at: it would let whoever answers say how long we wait.
	retrying.Backoff = func(least, most time.Duration, attempt int, _ *http.Response) time.Duration {
		return retryablehttp.DefaultBackoff(least, most, attempt, nil)
	}
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.http = retrying
	return c
}

// Close ends the connections that are kept open for later.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Request is what is sent. Body is sent again as it is with each try, so it must be safe to receive twice.
type Request struct {
	Method      string // GET if empty
	URL         string
	Accept      string // media type, may be empty
	ContentType string // of Body, may be empty
	Bearer      string // for Authorization, may be empty
	// Authorization is that header as its receiver wants it, where it is no bearer's; may be empty.
	Authorization string
	Body          []byte
	// Once sends it once: whoever keeps each try and its answer, and decides when the next follows, tries again by itself.
	Once bool
}

// Answer is what was answered, whatever its status is.
type Answer struct {
	Status      int
	ContentType string
	RetryAfter  string // that header as it stands: how long is waited is the caller's to decide
	Body        []byte // at most MaxAnswer
}

// Get fetches what is at an https URL, and demands status 200 and the media type that was asked for. Errors wrap
// ErrAddress, ErrUnreachable or ErrAnswer and say what was wanted and what came instead.
func (c *Client) Get(ctx context.Context, address, accept string) ([]byte, error) {
	answer, err := c.Do(ctx, Request{URL: address, Accept: accept})
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, fmt.Errorf("%w: %s: wanted status 200, got %d", ErrAnswer, address, answer.Status)
	}
	if media, _, err := mime.ParseMediaType(answer.ContentType); err != nil || !strings.EqualFold(media, accept) {
		return nil, fmt.Errorf("%w: %s: wanted Content-Type %s, got %.80q", ErrAnswer, address, accept, answer.ContentType)
	}
	return answer.Body, nil
}

// Do sends one request, at most three times while nobody answers or the answer is 429 or 5xx, unless it is to be sent once, and returns the
// last answer. Errors wrap ErrAddress, ErrUnreachable, or ErrAnswer for a redirect or an answer that is too large.
func (c *Client) Do(ctx context.Context, asked Request) (Answer, error) {
	if err := c.judge(asked.URL); err != nil {
		return Answer{}, err
	}
	within := longest
	if asked.Once {
		within, ctx = Timeout, context.WithValue(ctx, onceKey{}, true)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	method := asked.Method
	if method == "" {
		method = http.MethodGet
	}
	var body any
	if asked.Body != nil {
		body = asked.Body
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, method, asked.URL, body)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %s: no request can be made of it", ErrAddress, asked.URL)
	}
	for name, value := range map[string]string{"Accept": asked.Accept, "Content-Type": asked.ContentType, "User-Agent": "cipgate"} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	if asked.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+asked.Bearer)
	}
	if asked.Authorization != "" {
		request.Header.Set("Authorization", asked.Authorization)
	}
	if asked.Once {
		// A connection that was kept open and that its other side has closed meanwhile is no try: the transport opens another, since with
		// this header, which is not sent, it knows that the request may be received twice.
		request.Header["Idempotency-Key"] = nil
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{}, unanswered(asked.URL, err)
	}
	defer func() { _ = response.Body.Close() }() // it was read as far as it is taken; nothing more can be learned from it
	if response.StatusCode >= http.StatusMultipleChoices && response.StatusCode < http.StatusBadRequest {
		return Answer{}, fmt.Errorf("%w: %s: wanted the thing itself, got a redirect (status %d). Serve it at this address", ErrAnswer, asked.URL, response.StatusCode)
	}
	got, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswer+1))
	if err != nil {
		return Answer{}, unanswered(asked.URL, err)
	}
	if len(got) > MaxAnswer {
		return Answer{}, fmt.Errorf("%w: %s: wanted at most %d bytes, got more", ErrAnswer, asked.URL, MaxAnswer)
	}
	return Answer{Status: response.StatusCode, ContentType: response.Header.Get("Content-Type"), RetryAfter: response.Header.Get("Retry-After"), Body: got}, nil
}

// Check says whether an address is one that anything may be sent to, as far as it can be told without asking where its name leads.
// Errors wrap ErrAddress.
func (c *Client) Check(address string) error { return c.judge(address) }

// judge says what is wrong with an address as it is written, before anything is sent. Where its name leads is judged
// when it is dialled.
func (c *Client) judge(address string) error {
	refuse := func(wanted, got string) error {
		return fmt.Errorf("%w: %.200q: wanted %s, got %s", ErrAddress, address, wanted, got)
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Opaque != "" {
		return refuse("an https URL", "none")
	}
	if parsed.User != nil || parsed.Fragment != "" {
		return refuse("an https URL of host, path and query", "a user or a fragment in it")
	}
	if c.loopback && isLoopback(parsed.Hostname()) && (parsed.Scheme == "http" || parsed.Scheme == "https") {
		return nil
	}
	if parsed.Scheme != "https" {
		return refuse("https", parsed.Scheme)
	}
	if port := parsed.Port(); port != "" && port != "443" {
		return refuse("port 443", port)
	}
	return nil
}

func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %.200q", ErrAddress, address)
	}
	dialer := net.Dialer{Timeout: Timeout, Control: guard(c.loopback && isLoopback(host))}
	return dialer.DialContext(ctx, network, address)
}

// onceKey marks the context of a request that is sent once.
type onceKey struct{}

// again tries again what may go better the next time: not an address that was refused, nor an answer that is one.
func again(ctx context.Context, response *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if once, _ := ctx.Value(onceKey{}).(bool); once {
		return false, nil
	}
	if errors.Is(err, ErrAddress) {
		return false, err
	}
	// The policy's own error is not looked at: the last answer, or the failure behind it, is the better one.
	retry, _ := retryablehttp.ErrorPropagatedRetryPolicy(ctx, response, err)
	return retry, nil
}

// unanswered words a failure without the addresses that a name led to.
func unanswered(address string, err error) error {
	var refused *refusedAddress
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", address, refused)
	}
	var unknown *net.DNSError
	var certificate *tls.CertificateVerificationError
	var slow net.Error
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%w: %s: no such host name is known", ErrUnreachable, address)
	case errors.As(err, &certificate):
		return fmt.Errorf("%w: %s: its TLS certificate does not hold: %w", ErrUnreachable, address, certificate.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("%w: %s: wanted an answer within %s, got none", ErrUnreachable, address, Timeout)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %s: gave up: %w", ErrUnreachable, address, context.Canceled)
	}
	return fmt.Errorf("%w: %s: the connection failed", ErrUnreachable, address)
}
