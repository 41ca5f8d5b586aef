//go:build race

package main

// Under the race detector everything takes many times as long; what is lived is the same.
const wantedYears, wholeYears = 60, 2
