package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// everyPage reads a list to its end.
func everyPage[T any](ctx context.Context, api *client, path string, query url.Values) ([]T, error) {
	all := []T{}
	for {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next"`
		}
		if err := api.get(ctx, path+"?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("after", page.Next)
	}
}

// tellList prints what a list holds: as JSON for scripts, or as told.
func tellList[T any](cmd *cobra.Command, items []T, none string, tell func(out io.Writer, one T)) error {
	out := cmd.OutOrStdout()
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		return printJSON(out, struct {
			Items []T `json:"items"`
		}{items})
	}
	for _, one := range items {
		tell(out, one)
	}
	if len(items) == 0 {
		fmt.Fprintln(out, none)
	}
	return nil
}

// tellEvery reads a list to its end and prints it.
func tellEvery[T any](cmd *cobra.Command, path string, query url.Values, none string, tell func(out io.Writer, one T)) error {
	api, err := clientOf(cmd)
	if err != nil {
		return err
	}
	all, err := everyPage[T](cmd.Context(), api, path, query)
	if err != nil {
		return err
	}
	return tellList(cmd, all, none, tell)
}

// inState asks a list for what is in one of its states, or for all.
func inState(query url.Values, state string, states ...string) error {
	switch {
	case slices.Contains(states, state):
		query.Set("state", state)
	case state != "all":
		return wrong("--state: wanted %s or all, got %q", strings.Join(states, ", "), state)
	}
	return nil
}
