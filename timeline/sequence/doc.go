// Package sequence draws who asked whom for what, from top to bottom in the order of time, for terminals and for
// Mermaid.
//
//   - [OfTrace] draws the calls of a trace between its services.
//   - A [Diagram] made by hand draws anything else that is said between participants.
//
// A worked example: a payment failed, and a review asks who waited for whom.
//
//	diagram := sequence.OfTrace(trace, 0)
//	fmt.Print(diagram.Text(100))    // for a terminal of 100 columns
//	fmt.Print(diagram.Mermaid())    // for a post-mortem
//
// # What can be relied on
//
// Loops and parallel parts are closed, and steps that name no participant are passed over, also in a diagram made by
// hand. Names from traces are written so that all of them shows and none of it acts, on a terminal or in a diagram. Of
// a large trace the calls are drawn that it waited for, and those that failed, with what led to them; what is left
// out is counted in [Diagram.Cut], and said in the picture.
//
// Known limits: that calls are drawn as parallel says that they overlap by the clocks that recorded them. What
// nobody waits for is drawn where it began.
//
// A trace of n spans takes time in O(n log n), and a diagram of n steps, of which at most d are calls under way at once,
// time in O(n d).
package sequence
