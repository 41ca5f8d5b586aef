package officer

// HasRow says whether an operation stands in the table of permissions.
func HasRow(id string) bool {
	_, ok := operations[id]
	return ok
}
