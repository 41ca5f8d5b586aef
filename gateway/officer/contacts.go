package officer

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/registry"
)

// Contacts is what officers do about whom a reseller's notices are mailed to.
type Contacts interface {
	Entity(ctx context.Context, id envelope.ID) (registry.Entity, error)
	SecondOf(ctx context.Context, id envelope.ID) (registry.Second, error)
	NameSecond(ctx context.Context, id envelope.ID, by statement.Officer, address string) (registry.Confirmation, error)
	TakeSecondOff(ctx context.Context, id envelope.ID, by statement.Officer, reason string) error
}

func (a API) registerContacts(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/contacts", "list-contacts", "Who is mailed what concerns a reseller: its first contact at once, its second while nothing proves that a step's notice came", http.StatusOK, a.contacts)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/second-contact", "name-second-contact", "Name a second contact; answers with the link by which it confirms that it is reached, shown once", http.StatusCreated, a.nameSecond)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/second-contact/take-off", "take-second-contact-off", "Forget the second contact and its address", http.StatusOK, a.takeSecondOff)
}

// contact is one of a reseller's contacts.
type contact struct {
	Order       string     `json:"order" enum:"first,second"`
	Contact     string     `json:"contact" doc:"its mail address"`
	ConfirmedAt *time.Time `json:"confirmed_at" doc:"when it last confirmed that it is reached; null: it never did, and is mailed nothing"`
}

func (a API) contacts(ctx context.Context, in *byID) (*list[contact], error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	return a.contactsOf(ctx, id)
}

func (a API) contactsOf(ctx context.Context, id envelope.ID) (*list[contact], error) {
	entity, err := a.Enrolments.Entity(ctx, id)
	if err != nil {
		return nil, err
	}
	second, err := a.Enrolments.SecondOf(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &list[contact]{}
	out.Body.Items = []contact{{"first", entity.Contact, timeOf(entity.ContactConfirmedAt)}}
	if second.Address != "" {
		out.Body.Items = append(out.Body.Items, contact{"second", second.Address, timeOf(second.ConfirmedAt)})
	}
	return out, nil
}

type secondIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Contact string `json:"contact" doc:"the mail address of a person at the reseller, another one than the first contact"`
	}
}

func (a API) nameSecond(ctx context.Context, in *secondIn) (*confirmationOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	asked, err := a.Enrolments.NameSecond(ctx, id, officerIn(ctx), in.Body.Contact)
	if err != nil {
		return nil, err
	}
	return a.confirmationOf(asked), nil
}

type takeOffIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Reason string `json:"reason"`
	}
}

func (a API) takeSecondOff(ctx context.Context, in *takeOffIn) (*list[contact], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	if err := a.Enrolments.TakeSecondOff(ctx, id, officerIn(ctx), in.Body.Reason); err != nil {
		return nil, err
	}
	return a.contactsOf(ctx, id)
}
