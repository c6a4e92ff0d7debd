//go:build race

package ledger_test

// raceEnabled: SQLite, which is Go code here, is some twenty times slower.
const raceEnabled = true
