//go:build !race

package main

const wantedYears, wholeYears = 1000, 20
