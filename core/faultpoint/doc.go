// Package faultpoint lets the program die at a chosen place, as by a power cut:
// at a statement that writes, just before or just after a COMMIT, just before or
// just after a request. It promises that a place has the same name in every run,
// and that a process that is to die there does nothing after it.
//
// There is nothing in it unless the program was built with the tag faultpoints;
// without it, those who would come by a place do not know this package. Then two
// variables of the environment say what happens:
//
//	TIDINGS_POINTS_FILE  the file to which each place that is come by is appended, a line each
//	TIDINGS_DIE_AT       "3 committed INSERT INTO event …": die at that place, the third time
//
// Which places there are is the affair of those who come by them; what is to be
// right after a death, that of cmd/torture.
package faultpoint
