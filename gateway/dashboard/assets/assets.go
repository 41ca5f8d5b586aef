// Package assets holds what the pages load: style, scripts and the icon, all inside the program, so that a
// page asks no other host for anything. Pico CSS 2.1.1 and htmx 4.0.1 are copies from npm, each beside its
// licence; the rest is ours.
package assets

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/gateway/problem"
)

//go:embed *.css *.js *.svg
var files embed.FS

type asset struct {
	contentType string
	content     []byte
}

// shelf holds every asset, by file name and by the name in its address.
type shelf struct {
	served    map[string]asset
	addresses map[string]string
}

var all = read()

func read() shelf {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("assets: reading what is part of the program: %v", err))
	}
	s := shelf{map[string]asset{}, map[string]string{}}
	for _, entry := range entries {
		content, err := files.ReadFile(entry.Name())
		if err != nil {
			panic(fmt.Sprintf("assets: reading what is part of the program: %v", err))
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(entry.Name())
		name := strings.TrimSuffix(entry.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		s.served[name] = asset{contentTypes[extension], content}
		s.addresses[entry.Name()] = "/assets/" + name
	}
	return s
}

// contentTypes are named here, since the standard library asks the machine it runs on.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// URL returns the address of a file. It carries a part of the file's hash: a browser keeps the file for
// ever and asks for another one when the program changes. It fails on a name that is no asset, so that a
// page cannot be shown with half its style.
func URL(file string) (string, error) {
	address, ok := all.addresses[file]
	if !ok {
		return "", fmt.Errorf("there is no asset %q", file)
	}
	return address, nil
}

// Mount registers /assets/.
func Mount(router fiber.Router) {
	router.Get("/assets/:name", func(c *fiber.Ctx) error {
		found, ok := all.served[c.Params("name")]
		if !ok {
			return fmt.Errorf("%w: no such asset in this version; load the page again", problem.ErrNoSuchPage)
		}
		c.Set(fiber.HeaderContentType, found.contentType)
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
		c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
		return c.Send(found.content)
	})
}
