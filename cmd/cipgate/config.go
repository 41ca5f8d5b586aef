package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Config is what `cipgate serve` is told. Each field is a flag, an environment variable (CIPGATE_ and the
// name in capitals) and a key of cipgate.yaml; the flag wins, then the environment, then the file.
type Config struct {
	Data      string  `yaml:"data" env:"DATA" help:"folder for keys, the admin token and the embedded store"`
	Database  string  `yaml:"database" env:"DATABASE" help:"postgres://... ; default: an embedded SQLite store in the data folder"`
	Listen    string  `yaml:"listen" env:"LISTEN" help:"address and port to serve on"`
	PublicURL string  `yaml:"public-url" env:"PUBLIC_URL" help:"the gateway's own entity identifier; default: http:// and the listen address"`
	Policy    string  `yaml:"policy" env:"POLICY" help:"policy file; default: the built-in us-iaas-2024"`
	Sandbox   bool    `yaml:"sandbox" env:"SANDBOX" help:"a gateway to try things on, with a clock that can be moved"`
	Rate      float64 `yaml:"intake-rate" env:"INTAKE_RATE" help:"submissions a second that one entity may have accepted"`
	Burst     int     `yaml:"intake-burst" env:"INTAKE_BURST" help:"submissions that one entity may send at once before its rate counts"`
	Queue     int     `yaml:"intake-queue" env:"INTAKE_QUEUE" help:"submissions that may wait for the ledger before 503 is answered"`
	Timeout   float64 `yaml:"read-timeout" env:"READ_TIMEOUT" help:"seconds in which a request, or one line of a stream, has to come in"`

	SMTP             string `yaml:"smtp-url" env:"SMTP_URL" help:"smtp://user:password@host:port (STARTTLS) or smtps://...: the server that takes the gateway's mail; default: no mail"`
	SMTPPasswordFile string `yaml:"smtp-password-file" env:"SMTP_PASSWORD_FILE" help:"file with the password, so that it stands in no address"`
	MailFrom         string `yaml:"mail-from" env:"MAIL_FROM" help:"whom the gateway's mail comes from, such as cip@provider.example"`
}

func defaults() Config {
	return Config{Data: "cipgate-data", Listen: "127.0.0.1:8460", Rate: 2000, Burst: 4000, Queue: 4096, Timeout: 30}
}

// valued is a setting with where its value came from, for `cipgate config print`.
type valued struct {
	Key, Value, Source string
}

// registerConfig adds a flag for each field of Config.
func registerConfig(flags *pflag.FlagSet) {
	d := defaults()
	flags.String("config", "cipgate.yaml", "configuration file; may be absent")
	eachSetting(&d, func(key, help string, value reflect.Value) {
		switch value.Kind() {
		case reflect.Bool:
			flags.Bool(key, value.Bool(), help)
		case reflect.Int:
			flags.Int(key, int(value.Int()), help)
		case reflect.Float64:
			flags.Float64(key, value.Float(), help)
		default:
			flags.String(key, value.String(), help)
		}
	})
}

func eachSetting(c *Config, do func(key, help string, value reflect.Value)) {
	value := reflect.ValueOf(c).Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		do(field.Tag.Get("yaml"), field.Tag.Get("help"), value.Field(i))
	}
}

// loadConfig gathers the configuration from its sources, weakest first, and says where each value came from.
func loadConfig(cmd *cobra.Command) (Config, []valued, error) {
	c := defaults()
	sources := map[string]string{}
	note := func(source string, change func() error) error {
		before := c
		if err := change(); err != nil {
			return err
		}
		old := reflect.ValueOf(before)
		i := 0
		eachSetting(&c, func(key, _ string, value reflect.Value) {
			if !value.Equal(old.Field(i)) {
				sources[key] = source
			}
			i++
		})
		return nil
	}
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return c, nil, err
	}
	err = note("file "+file, func() error {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && !cmd.Flags().Changed("config") {
			return nil
		}
		if err != nil {
			return wrong("--config: %v", err)
		}
		if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
			return wrong("%s:\n%s", file, yaml.FormatError(err, false, true))
		}
		return nil
	})
	if err != nil {
		return c, nil, err
	}
	err = note("environment", func() error {
		if err := env.ParseWithOptions(&c, env.Options{Prefix: "CIPGATE_"}); err != nil {
			return wrong("environment: %v", err)
		}
		return nil
	})
	if err != nil {
		return c, nil, err
	}
	eachSetting(&c, func(key, _ string, value reflect.Value) {
		flag := cmd.Flags().Lookup(key)
		if !flag.Changed {
			return
		}
		sources[key] = "flag"
		switch value.Kind() {
		case reflect.Bool:
			on, _ := cmd.Flags().GetBool(key)
			value.SetBool(on)
		case reflect.Int:
			n, _ := cmd.Flags().GetInt(key)
			value.SetInt(int64(n))
		case reflect.Float64:
			x, _ := cmd.Flags().GetFloat64(key)
			value.SetFloat(x)
		default:
			value.SetString(flag.Value.String())
		}
	})
	var values []valued
	eachSetting(&c, func(key, _ string, value reflect.Value) {
		source := sources[key]
		if source == "" {
			source = "default"
		}
		shown := fmt.Sprint(value.Interface())
		if key == "database" || key == "smtp-url" && shown != "" {
			shown = withoutPassword(shown)
		}
		values = append(values, valued{key, shown, source})
	})
	return c, values, c.check()
}

func (c *Config) check() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || port == "" {
		return wrong("--listen: wanted ADDRESS:PORT such as 127.0.0.1:8460, got %q", c.Listen)
	}
	if c.PublicURL == "" {
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return wrong("--public-url is needed with --listen %s: give the https address under which resellers reach this gateway, such as https://cip.provider.example", c.Listen)
		}
		if port == "0" {
			return wrong("--public-url: wanted the address that stands in every statement; with port 0 it would change at each start. Choose a port")
		}
		c.PublicURL = "http://" + c.Listen
	}
	if _, err := envelope.ParseEntity(c.PublicURL); err != nil {
		return wrong("--public-url: %v", err)
	}
	if c.Rate <= 0 || c.Burst < 1 || c.Queue < 1 {
		return wrong("--intake-rate, --intake-burst and --intake-queue: wanted numbers above 0, got %g, %d, %d", c.Rate, c.Burst, c.Queue)
	}
	if c.Timeout <= 0 || c.Timeout > 3600 {
		return wrong("--read-timeout: wanted a number of seconds above 0 and at most 3600, got %g", c.Timeout)
	}
	return nil
}

// readTimeout is how long a request, or one line of a stream, may take to come in.
func (c *Config) readTimeout() time.Duration {
	return time.Duration(c.Timeout * float64(time.Second))
}

// entity is the gateway's own identifier.
func (c *Config) entity() envelope.Entity { return envelope.Entity(c.PublicURL) }

// origin names the log: the URL prefix it is served under, without scheme (C2SP tlog-checkpoint).
func (c *Config) origin() string {
	_, rest, _ := strings.Cut(c.PublicURL, "://")
	return rest + "/log"
}

// store is where the ledger is kept.
func (c *Config) store() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(c.Data, "cipgate.db")
}

func withoutPassword(database string) string {
	parsed, err := url.Parse(database)
	if err != nil {
		return "(not an URL)"
	}
	return parsed.Redacted()
}

// name is how the gateway calls itself; a sandbox says so wherever its name stands.
func (c *Config) name() string {
	if c.Sandbox {
		return "cipgate SANDBOX"
	}
	return "cipgate"
}
