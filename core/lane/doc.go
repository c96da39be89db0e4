// Package lane is the engine of Tidings: durable ordered work per key.
//
// A lane is the work for one key ("out/telegram/17", "customer/4"): its items
// are taken strictly first to last, by one worker at a time, and an item that
// fails holds its own lane and no other. An item is a reference to a row of the
// store plus what scheduling needs; what the work means is the Worker's affair.
//
// Invariants, each with a test of the same number:
//
//  1. The table of unsettled items is the queue; memory is a cache of the
//     heads of its lanes. A lane is (re-)read from its first unsettled item,
//     never continued from a cursor: with several writers a lower id can become
//     visible after a higher one.
//
//  2. An item's result and the work it makes are committed together. Until that
//     commit has succeeded the lane does not move: when the database is away,
//     the commit is repeated, the work is not.
//
//  3. At most one worker is busy with a lane.
//
//  4. For kinds with a Marker, no work starts before a mark for it is durable.
//     A mark that is found when a lane is read belongs to an owner that is gone:
//     its work may or may not have happened (Item.Found). The same goes for a
//     worker that panicked.
//
//  5. The commits of many callers are grouped into one transaction; the failure
//     of one caller's function undoes that caller's writes only. What lanes have
//     done goes before what comes in.
//
//  6. An item is appended in memory only to a lane that is wholly loaded;
//     otherwise the lane is noted as having more on disk. A lane that memory
//     does not know is taken for empty only while memory knows all lanes.
//
//  7. Where several processes share a store, a lane's shard is one's at a time: a
//     transaction that settles its work holds the shard's epoch, and what belongs
//     to an epoch that has passed is dropped. Nothing is begun after the lease, or
//     so late that it could end after it. A lane is never continued in memory
//     there, since another process may have appended before; it is read again.
//
// Dropped on the way: choosing rows instead of lanes (ORDER BY id … SKIP LOCKED
// lets a later row of one recipient overtake an earlier one), a timer for
// grouping commits (waiting for company costs more than it brings: a batch is
// what has queued up while the last one was written), and marking by a commit
// of its own each time (a mark rides in the commit that makes the item the head
// of its lane whenever its pace lets it leave at once).
package lane
