//go:build mutant

package main

// A mutant is built without the whole gateway and its stores: so building it takes seconds.
var commands map[string]command
