//go:build race

package migrationstest

const underRace = true
