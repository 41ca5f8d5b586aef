//go:build !race

package docket

const underRace = false
