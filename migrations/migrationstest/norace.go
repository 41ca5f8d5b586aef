//go:build !race

package migrationstest

const underRace = false
