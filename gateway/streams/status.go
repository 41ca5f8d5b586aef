package streams

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/sync/delivery"
)

type statusJSON struct {
	StreamID string `json:"stream_id"`
	Status   string `json:"status"`
	Reason   string `json:"reason,omitempty"`
}

// status answers section 8.1.2.1.
func (d Doors) status(c *fiber.Ctx) error {
	found, err := d.Delivery.Stream(c.UserContext(), audience(c), c.Query("stream_id"))
	if err != nil {
		return err
	}
	return c.JSON(statusJSON{found.ID, found.Status, found.Reason})
}

// setStatus answers section 8.1.2.2.
func (d Doors) setStatus(c *fiber.Ctx) error {
	var asked statusJSON
	if err := decode(c, &asked); err != nil {
		return err
	}
	changed, err := d.Delivery.SetStatus(c.UserContext(), audience(c), asked.StreamID, asked.Status, asked.Reason)
	if err != nil {
		return err
	}
	return c.JSON(statusJSON{changed.ID, changed.Status, changed.Reason})
}

type subjectJSON struct {
	StreamID string         `json:"stream_id"`
	Subject  jsontext.Value `json:"subject"`
}

// subject reads whom a request is about. Of the formats of RFC 9493 only a URI can name an entity of the chain; every other is
// nobody's name here, which is not told to whoever asks (section 9.1).
func subject(c *fiber.Ctx) (id, entity string, err error) {
	var asked subjectJSON
	if err := decode(c, &asked); err != nil {
		return "", "", err
	}
	var named struct {
		Format string `json:"format"`
		URI    string `json:"uri"`
	}
	if asked.Subject.Kind() != '{' || json.Unmarshal(asked.Subject, &named) != nil || named.Format == "" {
		return "", "", fmt.Errorf(`%w: subject: wanted {"format": "uri", "uri": entity identifier} (RFC 9493), got something else`, problem.ErrRequest)
	}
	if _, err := envelope.ParseEntity(named.URI); named.Format == "uri" && err == nil {
		entity = named.URI
	}
	return asked.StreamID, entity, nil
}

// addSubject answers section 8.1.3.2.
func (d Doors) addSubject(c *fiber.Ctx) error {
	id, entity, err := subject(c)
	if err != nil {
		return err
	}
	if err := d.Delivery.AddSubject(c.UserContext(), audience(c), id, entity); err != nil {
		return err
	}
	c.Status(fiber.StatusOK) // with no body
	return nil
}

// removeSubject answers section 8.1.3.3.
func (d Doors) removeSubject(c *fiber.Ctx) error {
	id, entity, err := subject(c)
	if err != nil {
		return err
	}
	if err := d.Delivery.RemoveSubject(c.UserContext(), audience(c), id, entity); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// verify answers section 8.1.4.2.
func (d Doors) verify(c *fiber.Ctx) error {
	var asked struct {
		StreamID string `json:"stream_id"`
		State    string `json:"state"`
	}
	if err := decode(c, &asked); err != nil {
		return err
	}
	if err := d.Delivery.Verify(c.UserContext(), audience(c), asked.StreamID, asked.State); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// replay brings a receiver once more what was addressed to it since a time. (Ours.)
func (d Doors) replay(c *fiber.Ctx) error {
	var asked struct {
		StreamID string    `json:"stream_id"`
		Since    time.Time `json:"since"`
	}
	if err := decode(c, &asked); err != nil {
		return err
	}
	if asked.Since.IsZero() {
		return fmt.Errorf("%w: since: wanted a time, RFC 3339, such as 2026-03-01T12:00:00Z, got none", problem.ErrRequest)
	}
	if _, err := d.Delivery.Stream(c.UserContext(), audience(c), asked.StreamID); err != nil {
		return err
	}
	count, err := d.Delivery.Replay(c.UserContext(), audience(c), asked.Since)
	if err != nil {
		return err
	}
	return c.JSON(struct {
		StreamID string `json:"stream_id"`
		Notices  int64  `json:"notices"` // that wait again
	}{asked.StreamID, count})
}

// maxSaid is how many notices one poll may acknowledge, or say that it cannot take.
const maxSaid = 1000

type pollRequest struct {
	MaxEvents *int                      `json:"maxEvents"`
	AtOnce    bool                      `json:"returnImmediately"`
	Ack       []string                  `json:"ack"`
	SetErrs   map[string]delivery.Fault `json:"setErrs"`
}

type pollAnswer struct {
	Sets map[string]string `json:"sets"`
	More bool              `json:"moreAvailable"`
	// Sequence numbers the sets, since an object has no order: each is handled behind those with a smaller number. (Ours.)
	Sequence map[string]int64 `json:"sequence"`
}

// poll answers RFC 8936, section 2.
func (d Doors) poll(c *fiber.Ctx) error {
	var said pollRequest
	if len(c.BodyRaw()) > 0 {
		if err := decode(c, &said); err != nil {
			return err
		}
	}
	asked := delivery.Polling{MaxEvents: -1, AtOnce: said.AtOnce, Acknowledged: said.Ack, Faults: said.SetErrs}
	if said.MaxEvents != nil {
		asked.MaxEvents = *said.MaxEvents
	}
	if said.MaxEvents != nil && *said.MaxEvents < 0 || len(said.Ack) > maxSaid || len(said.SetErrs) > maxSaid {
		return fmt.Errorf("%w: wanted maxEvents of 0 or more, and at most %d in ack and in setErrs", problem.ErrRequest, maxSaid)
	}
	got, err := d.Delivery.Poll(c.UserContext(), audience(c), c.Params("id"), asked, d.Closing)
	if err != nil {
		return err
	}
	answer := pollAnswer{Sets: map[string]string{}, More: got.More, Sequence: map[string]int64{}}
	for _, set := range got.Sets {
		answer.Sets[set.JTI], answer.Sequence[set.JTI] = string(set.Token), set.Sequence
	}
	return c.JSON(answer)
}
