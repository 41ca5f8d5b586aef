package auth_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

// clock is a wall clock that stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) Now() time.Time { return c.at }

// house is a gateway with nothing in it but who may come in.
type house struct {
	*auth.Auth
	clock *clock
	app   *fiber.App
}

func open(db *gorm.DB, secure bool) house {
	h := house{clock: &clock{time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)}}
	h.Auth = auth.New(db, h.clock.Now, secure)
	h.app = fiber.New(fiber.Config{Immutable: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		return c.Status(problem.Of(err).Status).SendString(err.Error())
	}})
	h.Mount(h.app)
	name := func(c *fiber.Ctx) error { return c.SendString(auth.Person(c)) }
	h.app.All("/v1/me", h.API(), name)
	h.app.All("/resellers", h.Page(), name)
	return h
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    string
}

func (a answer) leadsTo() string { return a.header.Get("Location") }

func (h house) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	request.Host = "gateway.example"
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	got, err := h.app.Test(request, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, got.Cookies(), string(text)}
}

// signIn posts the form and returns the session's cookie, nil if there is none.
func (h house) signIn(t *testing.T, secret, next string) (answer, *http.Cookie) {
	t.Helper()
	form := url.Values{"secret": {secret}, "next": {next}}
	got := h.ask(t, http.MethodPost, "/sign-in", form.Encode(), "Content-Type", fiber.MIMEApplicationForm)
	for _, cookie := range got.cookies {
		if cookie.Value != "" {
			return got, cookie
		}
	}
	return got, nil
}

func token(t *testing.T, h house) string {
	t.Helper()
	var token string
	made, err := h.EnsureToken(t.Context(), "admin", func(told string) error {
		token = told
		return nil
	})
	if err != nil || !made {
		t.Fatalf("the first token: made %t, %v", made, err)
	}
	return token
}

func link(t *testing.T, h house, person string) string {
	t.Helper()
	if _, err := h.Add(t.Context(), statement.Officer{ID: "admin", Name: "admin"}, auth.Officer{Name: person, Role: auth.Member}); err != nil && !errors.Is(err, problem.ErrOfficer) {
		t.Fatal(err)
	}
	secret, err := h.NewLink(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestTheFirstTokenIsMadeOnceAndOnlyItsHashIsKept(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		first := token(t, h)
		full := errors.New("the disk is full")
		if made, err := h.EnsureToken(t.Context(), "other", func(string) error { return full }); made || !errors.Is(err, full) {
			t.Errorf("a token that could not be kept: made %t, %v", made, err)
		}
		if made, err := h.EnsureToken(t.Context(), "other", func(string) error { return nil }); !made || err != nil {
			t.Errorf("after one that could not be kept: made %t, %v", made, err)
		}
		made, err := h.EnsureToken(t.Context(), "admin", func(again string) error {
			t.Errorf("asked again, it told %q", again)
			return nil
		})
		if made || err != nil {
			t.Errorf("asked again: made %t, %v; wanted none", made, err)
		}
		if person, ok := h.CheckToken(t.Context(), first); person != "admin" || !ok {
			t.Errorf("the token is %q's (%t), wanted admin's", person, ok)
		}
		for _, wrong := range []string{"", "admin", first[1:], first + "A"} {
			if person, ok := h.CheckToken(t.Context(), wrong); ok {
				t.Errorf("the token %q is taken as %q's", wrong, person)
			}
		}
		var kept []string
		if err := db.Raw("SELECT label FROM auth_tokens WHERE hash = ?", []byte(first)).Scan(&kept).Error; err != nil || len(kept) > 0 {
			t.Errorf("the token itself is kept (%v, %v)", kept, err)
		}
		if len(first) != 43 {
			t.Errorf("the token has %d characters, wanted the 43 of 256 bits", len(first))
		}
	})
}

func TestALinkSignsInOnceAndOpeningItsPageDoesNotUseItUp(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		secret := link(t, h, "jane")
		h.ask(t, http.MethodGet, "/sign-in", "")
		got, cookie := h.signIn(t, secret, "/resellers/x?before=3")
		if got.status != http.StatusSeeOther || got.leadsTo() != "/resellers/x?before=3" || cookie == nil {
			t.Fatalf("signing in: %d to %q, cookie %v", got.status, got.leadsTo(), cookie)
		}
		if got := h.ask(t, http.MethodGet, "/resellers", "", "Cookie", cookie.Name+"="+cookie.Value); got.body != "jane" {
			t.Errorf("the page sees %q, wanted jane", got.body)
		}
		again, none := h.signIn(t, secret, "/resellers")
		if none != nil || again.leadsTo() != "/sign-in?next=%2Fresellers&refused=1" {
			t.Errorf("the link again: %d to %q, cookie %v; wanted a refusal", again.status, again.leadsTo(), none)
		}
	})
}

func TestOfManyWhoUseOneLinkAtOnceOneSignsIn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		secret := link(t, h, "jane")
		var wait sync.WaitGroup
		cookies := make([]*http.Cookie, 8)
		for i := range cookies {
			wait.Go(func() { _, cookies[i] = h.signIn(t, secret, "/") })
		}
		wait.Wait()
		in := 0
		for _, cookie := range cookies {
			if cookie != nil {
				in++
			}
		}
		if in != 1 {
			t.Errorf("%d signed in, wanted 1", in)
		}
	})
}

func TestLinksAndSessionsEndExactlyWhenTheirTimeIsOver(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		early, late := link(t, h, "early"), link(t, h, "late")
		h.clock.at = h.clock.at.Add(auth.LinkLife - time.Microsecond)
		_, cookie := h.signIn(t, early, "/")
		if cookie == nil {
			t.Fatal("a link is refused a microsecond before its end")
		}
		h.clock.at = h.clock.at.Add(time.Microsecond)
		if _, cookie := h.signIn(t, late, "/"); cookie != nil {
			t.Error("a link is taken at its end")
		}
		header := []string{"Cookie", cookie.Name + "=" + cookie.Value}
		h.clock.at = h.clock.at.Add(auth.SessionLife - 2*time.Microsecond)
		if got := h.ask(t, http.MethodGet, "/v1/me", "", header...); got.status != http.StatusOK {
			t.Errorf("a session is refused a microsecond before its end: %d", got.status)
		}
		h.clock.at = h.clock.at.Add(time.Microsecond)
		if got := h.ask(t, http.MethodGet, "/v1/me", "", header...); got.status != http.StatusUnauthorized {
			t.Errorf("a session is taken at its end: %d", got.status)
		}
	})
}

func TestSigningOutEndsTheSessionItself(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		_, cookie := h.signIn(t, token(t, h), "/")
		if cookie == nil {
			t.Fatal("a pasted API token does not sign in")
		}
		header := []string{"Cookie", cookie.Name + "=" + cookie.Value}
		got := h.ask(t, http.MethodPost, "/sign-out", "", append(header, "Sec-Fetch-Site", "cross-site")...)
		if got.status != http.StatusForbidden {
			t.Errorf("another site's page signs out: %d", got.status)
		}
		got = h.ask(t, http.MethodPost, "/sign-out", "", append(header, "Sec-Fetch-Site", "same-origin")...)
		if got.status != http.StatusSeeOther || got.leadsTo() != "/sign-in" {
			t.Errorf("signing out: %d to %q", got.status, got.leadsTo())
		}
		if got := h.ask(t, http.MethodGet, "/v1/me", "", header...); got.status != http.StatusUnauthorized {
			t.Errorf("the copied cookie still holds: %d", got.status)
		}
	})
}

func TestTheCookieIsKeptFromScriptsOtherSitesAndPlainHTTP(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		for _, c := range []struct {
			secure bool
			name   string
		}{{false, "cipgate-session"}, {true, "__Host-cipgate-session"}} {
			h := open(db, c.secure)
			got, cookie := h.signIn(t, link(t, h, "jane"), "/")
			if cookie == nil {
				t.Fatalf("not signed in: %d", got.status)
			}
			if cookie.Name != c.name || cookie.Secure != c.secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" ||
				cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 12*60*60 {
				t.Errorf("secure %t: %s", c.secure, cookie.Raw)
			}
		}
	})
}

func TestWhoMayAsk(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		admin := token(t, h)
		_, cookie := h.signIn(t, link(t, h, "jane"), "/")
		session := cookie.Name + "=" + cookie.Value
		for _, c := range []struct {
			name, method string
			header       []string
			status       int
			person       string
		}{
			{"nobody", "GET", nil, 401, ""},
			{"an API token", "GET", []string{"Authorization", "Bearer " + admin}, 200, "admin"},
			{"an API token, scheme in small letters", "POST", []string{"Authorization", "bearer " + admin}, 200, "admin"},
			{"an API token changes from anywhere", "POST", []string{"Authorization", "Bearer " + admin, "Sec-Fetch-Site", "cross-site"}, 200, "admin"},
			{"a wrong API token", "GET", []string{"Authorization", "Bearer " + admin[1:]}, 401, ""},
			{"a wrong API token beside a good session", "GET", []string{"Authorization", "Bearer x", "Cookie", session}, 401, ""},
			{"another scheme", "GET", []string{"Authorization", "Basic " + admin}, 401, ""},
			{"a session", "GET", []string{"Cookie", session}, 200, "jane"},
			{"a session followed from another site", "GET", []string{"Cookie", session, "Sec-Fetch-Site", "cross-site"}, 200, "jane"},
			{"a session changes from our page", "POST", []string{"Cookie", session, "Sec-Fetch-Site", "same-origin"}, 200, "jane"},
			{"a session changes by the person's own doing", "POST", []string{"Cookie", session, "Sec-Fetch-Site", "none"}, 200, "jane"},
			{"a session changes from our page, told by Origin", "POST", []string{"Cookie", session, "Origin", "http://gateway.example"}, 200, "jane"},
			{"a session changes from another site", "POST", []string{"Cookie", session, "Sec-Fetch-Site", "cross-site"}, 403, ""},
			{"a session changes from a neighbouring host", "DELETE", []string{"Cookie", session, "Sec-Fetch-Site", "same-site"}, 403, ""},
			{"another site lies about its Origin in vain", "POST", []string{"Cookie", session, "Sec-Fetch-Site", "cross-site", "Origin", "http://gateway.example"}, 403, ""},
			{"a session changes from another Origin", "PUT", []string{"Cookie", session, "Origin", "https://evil.example"}, 403, ""},
			{"a session changes from an Origin that is hidden", "POST", []string{"Cookie", session, "Origin", "null"}, 403, ""},
			{"a session changes from nowhere", "POST", []string{"Cookie", session}, 403, ""},
			{"the session's secret as a token", "GET", []string{"Authorization", "Bearer " + cookie.Value}, 401, ""},
			{"the API token as a session", "GET", []string{"Cookie", cookie.Name + "=" + admin}, 401, ""},
		} {
			got := h.ask(t, c.method, "/v1/me", "", c.header...)
			if got.status != c.status || c.status == 200 && got.body != c.person {
				t.Errorf("%s: %d, %q; wanted %d, %q", c.name, got.status, got.body, c.status, c.person)
			}
		}
	})
}

func TestAPageLeadsToTheSignInAndBack(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		got := h.ask(t, http.MethodGet, "/resellers?after=abc", "")
		if to := got.leadsTo(); got.status != http.StatusSeeOther || to != "/sign-in?next=%2Fresellers%3Fafter%3Dabc" {
			t.Errorf("a page without a session: %d to %q", got.status, to)
		}
		got = h.ask(t, http.MethodPost, "/resellers?after=abc", "")
		if to := got.leadsTo(); got.status != http.StatusSeeOther || to != "/sign-in?next=%2Fresellers" {
			t.Errorf("a form without a session: %d to %q", got.status, to)
		}
		got = h.ask(t, http.MethodGet, "/resellers", "", "HX-Request", "true")
		if got.status != http.StatusNoContent || got.header.Get("HX-Refresh") != "true" {
			t.Errorf("a part of a page without a session: %d, HX-Refresh %q", got.status, got.header.Get("HX-Refresh"))
		}
	})
}

func TestAnotherSiteCannotSignAnybodyIn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := open(db, false)
		form := url.Values{"secret": {link(t, h, "attacker")}}.Encode()
		got := h.ask(t, http.MethodPost, "/sign-in", form, "Content-Type", fiber.MIMEApplicationForm, "Sec-Fetch-Site", "cross-site")
		if got.status != http.StatusForbidden || len(got.cookies) > 0 {
			t.Errorf("a form of another site: %d, %v", got.status, got.cookies)
		}
	})
}

func TestLocalPathLeadsNowhereElse(t *testing.T) {
	for _, c := range []struct{ next, want string }{
		{"/resellers/abc?before=7", "/resellers/abc?before=7"},
		{"/", "/"},
		{"", "/resellers"},
		{"resellers", "/resellers"},
		{"https://evil.example/", "/resellers"},
		{"//evil.example/", "/resellers"},
		{"///evil.example/", "/resellers"},
		{`/\evil.example/`, "/resellers"},
		{"/\t/evil.example/", "/resellers"},
		{"/\n/evil.example/", "/resellers"},
		{"/%2Fevil.example/", "/resellers"},
		{"/%5Cevil.example/", "/%5Cevil.example/"},
		{"javascript:alert(1)", "/resellers"},
		{"/sign-in?next=/sign-in", "/resellers"},
		{"/resellers#part", "/resellers"},
		{"/resellers\r\nSet-Cookie: a=b", "/resellers"},
		{"/%zz", "/resellers"},
	} {
		if got := auth.LocalPath(c.next); got != c.want {
			t.Errorf("LocalPath(%q) = %q, wanted %q", c.next, got, c.want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/resellers", "//a", `/\a`, "/%2f/a", "/a?b#c", "http:/a"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "gateway.example", Path: "/sign-in"}
	f.Fuzz(func(t *testing.T, next string) {
		path := auth.LocalPath(next)
		to, err := base.Parse(path)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || path[0] != '/' || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
			t.Errorf("LocalPath(%q) = %q leads to %v (%v)", next, path, to, err)
		}
		if again := auth.LocalPath(path); again != path {
			t.Errorf("LocalPath(%q) = %q, and of that %q", next, path, again)
		}
	})
}
