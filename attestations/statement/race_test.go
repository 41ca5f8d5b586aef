//go:build race

package statement

// placeStride: under the race detector, which finds nothing in pure functions and makes them ten times as slow, each place takes every fourth
// text, the next place the ones after those.
const placeStride = 4
