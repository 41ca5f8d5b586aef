//go:build !race

package statement

// placeStride: each place takes every text.
const placeStride = 1
