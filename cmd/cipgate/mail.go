package main

import (
	"context"
	"os"
	"strings"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
)

// mailer is the server that the configuration names; nil where it names none, and the gateway then sends no mail.
func mailer(config Config) (delivery.Mailer, error) {
	if config.SMTP == "" {
		if config.MailFrom != "" || config.SMTPPasswordFile != "" {
			return nil, wrong("--smtp-url is needed with --mail-from and --smtp-password-file: give the server that takes the gateway's mail, such as smtp://user@mail.provider.example:587")
		}
		return nil, nil
	}
	password := ""
	if config.SMTPPasswordFile != "" {
		text, err := os.ReadFile(config.SMTPPasswordFile)
		if err != nil {
			return nil, wrong("--smtp-password-file: %v", err)
		}
		if password = strings.TrimSpace(string(text)); password == "" {
			return nil, wrong("--smtp-password-file: %s: wanted the password, got an empty file", config.SMTPPasswordFile)
		}
	}
	server, err := mail.Configure(config.SMTP, password, config.MailFrom)
	if err != nil {
		return nil, wrong("--smtp-url and --mail-from: %v", err)
	}
	return server, nil
}

// directory is whom the gateway mails: the contacts that the registry knows, and the officers who act and have an address.
type directory struct{ *Program }

// Contacts are the confirmed contacts of a reseller.
func (d directory) Contacts(ctx context.Context, of envelope.Entity) ([]string, error) {
	return d.registry.Contacts(ctx, of)
}

// SecondContacts is the second contact of a reseller, if it confirmed that it is reached.
func (d directory) SecondContacts(ctx context.Context, of envelope.Entity) ([]string, error) {
	return d.registry.SecondContacts(ctx, of)
}

// Officers are the addresses of those who act; viewers look by themselves.
func (d directory) Officers(ctx context.Context) ([]string, error) {
	return d.those(ctx, auth.Member)
}

// Releasers are the addresses of those who may release the guard.
func (d directory) Releasers(ctx context.Context) ([]string, error) {
	return d.those(ctx, officer.Takes("propose-release"))
}

// those are the addresses of the officers with a role or one above it.
func (d directory) those(ctx context.Context, role auth.Role) ([]string, error) {
	officers, err := d.auth.Officers(ctx)
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, one := range officers {
		if one.Mail != "" && one.DisabledAt.IsZero() && one.Role.Includes(role) {
			addresses = append(addresses, one.Mail)
		}
	}
	return addresses, nil
}
