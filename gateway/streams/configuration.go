package streams

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// wanted reads a delivery. A poll's address is the gateway's to say; one that is repeated back is taken.
func (d Doors) wanted(id string, asked *deliveryJSON) delivery.Wanted {
	if asked == nil { // section 8.1.1.1
		return delivery.Wanted{Method: delivery.MethodPoll}
	}
	w := delivery.Wanted{Method: asked.Method, Endpoint: asked.Endpoint, Authorization: asked.Authorization}
	if w.Method == delivery.MethodPoll && id != "" && w.Endpoint == d.pollURL(id) {
		w.Endpoint = ""
	}
	return w
}

// create answers section 8.1.1.1.
func (d Doors) create(c *fiber.Ctx) error {
	var asked configuration
	if len(c.BodyRaw()) > 0 {
		if err := decode(c, &asked); err != nil {
			return err
		}
	}
	w := d.wanted("", asked.Delivery)
	if asked.Requested != nil {
		w.EventsRequested = orNone(*asked.Requested)
	}
	if asked.Description != nil {
		w.Description = *asked.Description
	}
	if asked.Algorithm != nil {
		w.Algorithm = *asked.Algorithm
	}
	made, err := d.Delivery.Create(c.UserContext(), audience(c), auth.ReceiverOf(c).Officer.ID, w)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusCreated).JSON(d.show(made))
}

// read answers section 8.1.1.2.
func (d Doors) read(c *fiber.Ctx) error {
	if id := c.Query("stream_id"); id != "" {
		found, err := d.Delivery.Stream(c.UserContext(), audience(c), id)
		if err != nil {
			return err
		}
		return c.JSON(d.show(found))
	}
	found, err := d.Delivery.Streams(c.UserContext(), audience(c))
	if err != nil {
		return err
	}
	list := make([]streamJSON, len(found))
	for i, one := range found {
		list[i] = d.show(one)
	}
	return c.JSON(list)
}

// A change makes of a stream's configuration another.
type change func(d Doors, asked configuration, before delivery.Wanted) (w delivery.Wanted, keepAuthorization bool)

// update changes what is named and nothing else, section 8.1.1.3.
func update(d Doors, asked configuration, before delivery.Wanted) (delivery.Wanted, bool) {
	w, keep := before, true
	if asked.Delivery != nil {
		w = d.wanted(asked.StreamID, asked.Delivery)
		w.EventsRequested, w.Description, w.Algorithm = before.EventsRequested, before.Description, before.Algorithm
		keep = asked.Delivery.Authorization == ""
	}
	if asked.Requested != nil {
		w.EventsRequested = orNone(*asked.Requested)
	}
	if asked.Description != nil {
		w.Description = *asked.Description
	}
	if asked.Algorithm != nil {
		w.Algorithm = *asked.Algorithm
	}
	return w, keep
}

// replace takes away what is not named, section 8.1.1.4.
func replace(d Doors, asked configuration, _ delivery.Wanted) (delivery.Wanted, bool) {
	w := d.wanted(asked.StreamID, asked.Delivery)
	if asked.Requested != nil {
		w.EventsRequested = orNone(*asked.Requested)
	}
	if asked.Description != nil {
		w.Description = *asked.Description
	}
	if asked.Algorithm != nil {
		w.Algorithm = *asked.Algorithm
	}
	return w, false
}

func (d Doors) configure(change change) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var asked configuration
		if err := decode(c, &asked); err != nil {
			return err
		}
		if asked.StreamID == "" {
			return fmt.Errorf("%w: stream_id: wanted the id of your stream, got none", problem.ErrRequest)
		}
		if err := d.unchanged(asked, audience(c)); err != nil {
			return err
		}
		changed, err := d.Delivery.Configure(c.UserContext(), audience(c), asked.StreamID, func(before delivery.Wanted) (delivery.Wanted, bool) {
			return change(d, asked, before)
		})
		if err != nil {
			return err
		}
		return c.JSON(d.show(changed))
	}
}

// unchanged refuses another value for what the gateway decides. What is delivered follows from what is requested, so an older
// events_delivered that is repeated back is no error.
func (d Doors) unchanged(asked configuration, audience notices.Audience) error {
	for _, one := range []struct {
		name string
		same bool
	}{
		{"iss", asked.Issuer == nil || *asked.Issuer == string(d.Gateway)},
		{"aud", asked.Audience == nil || names(asked.Audience, audience.Entity(d.Gateway))},
		{"events_supported", asked.Supported == nil || slices.Equal(slices.Sorted(slices.Values(*asked.Supported)), slices.Sorted(slices.Values(supported(audience))))},
		{"min_verification_interval", asked.MinInterval == nil || *asked.MinInterval == int(delivery.MinVerificationInterval.Seconds())},
	} {
		if !one.same {
			return fmt.Errorf("%w: %s: the gateway decides it: leave it out, or repeat what GET answers", problem.ErrRequest, one.name)
		}
	}
	return nil
}

// names says whether an `aud`, a string or an array of one, is the entity.
func names(aud []byte, entity envelope.Entity) bool {
	var one string
	var many []string
	if json.Unmarshal(aud, &one) == nil {
		return one == string(entity)
	}
	return json.Unmarshal(aud, &many) == nil && slices.Equal(many, []string{string(entity)})
}

// orNone keeps an empty list apart from an absent one: nothing is requested.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// remove answers section 8.1.1.5.
func (d Doors) remove(c *fiber.Ctx) error {
	if err := d.Delivery.Delete(c.UserContext(), audience(c), c.Query("stream_id")); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
