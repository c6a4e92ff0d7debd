// Package policy holds the rules of this repository that the compiler does not know,
// as tests: which way imports point, what code may not do, what every file has, and
// that the files for deployments agree with the program.
package policy
