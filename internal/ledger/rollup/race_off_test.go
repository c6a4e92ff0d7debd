//go:build !race

package rollup

// raceEnabled: the race detector makes everything slower by far.
const raceEnabled = false
