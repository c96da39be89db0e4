// Package remote has the commands that talk to a running gateway: send, messages,
// customers and doctor.
//
// They know the gateway by its HTTP API alone, as any other program does, so that
// they work on whatever machine reaches it, and with a gateway of another
// version. They promise that the API key is never printed, that what customers
// and platforms wrote cannot take hold of the terminal it is shown on, and that
// the exit code tells a failure (1) from a wrong request (2), which repeating
// does not mend. --json prints what the gateway answered.
//
// What anything means is left to the gateway: no rule of it is repeated here.
package remote
