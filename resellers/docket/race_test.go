//go:build race

package docket

// underRace: pure-Go SQLite takes twenty times as long under the race detector.
const underRace = true
