package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// keyring is the gateway's keys, apart by purpose (threats.md, "stolen provider key"): whoever takes
// one cannot do the work of the others.
type keyring struct {
	federation ed25519.PrivateKey // signs entity statements
	statement  ed25519.PrivateKey // signs SETs: decisions and notices
	log        ed25519.PrivateKey // signs checkpoints
	bodies     tink.AEAD          // encrypts what is stored: a copy of the database alone can be read by nobody
}

// openKeyring reads the keys from folder. A missing folder is filled with new keys if mayMake.
func openKeyring(folder string, mayMake bool) (keys keyring, made bool, err error) {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if !mayMake {
			return keys, false, wrong("%s: the keys that this database was made with are not there. Copy the folder from the gateway's other machine or from your backup; new keys could not carry on its ledger", folder)
		}
		made = true
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return keys, false, fmt.Errorf("making the folder for keys: %w", err)
		}
	}
	for _, one := range []struct {
		name string
		key  *ed25519.PrivateKey
	}{{"federation", &keys.federation}, {"statement", &keys.statement}, {"log", &keys.log}} {
		path := filepath.Join(folder, one.name+".pem")
		if made {
			if err := makeKey(path); err != nil {
				return keys, false, err
			}
		}
		if *one.key, err = readKey(path); err != nil {
			return keys, false, err
		}
	}
	path := filepath.Join(folder, "bodies.json")
	if made {
		if err := makeBodiesKey(path); err != nil {
			return keys, false, err
		}
	}
	keys.bodies, err = readBodiesKey(path)
	return keys, made, err
}

// makeBodiesKey writes a new Tink keyset of AES-256-GCM that only this user can read. It never overwrites one.
func makeBodiesKey(path string) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing a new key: %w", err)
	}
	err = errors.Join(insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(file)), file.Sync(), file.Close())
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func readBodiesKey(path string) (tink.AEAD, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key for bodies: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(file))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, wrong("%s: wanted a Tink keyset in JSON: %v", path, err)
	}
	key, err := aead.New(handle)
	if err != nil {
		return nil, wrong("%s: wanted a keyset that encrypts with associated data: %v", path, err)
	}
	return key, nil
}

// makeKey writes a new Ed25519 key as PKCS #8 that only this user can read. It never overwrites one.
func makeKey(path string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing a new key: %w", err)
	}
	err = errors.Join(pem.Encode(file, &pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), file.Sync(), file.Close())
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func readKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, wrong("%s: wanted a PEM block PRIVATE KEY (PKCS #8), got something else", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, wrong("%s: %v", path, err)
	}
	key, ok := parsed.(crypto.Signer).(ed25519.PrivateKey)
	if !ok {
		return nil, wrong("%s: wanted an Ed25519 key, got %T", path, parsed)
	}
	return key, nil
}
