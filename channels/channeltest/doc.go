// Package channeltest is the exam that every adapter passes, built in or in
// another process. Run asks for each of these points in a subtest of its own:
//
//  1. Limits are data: constant, sane, and every number names its source.
//  2. What core/split makes of a body for these limits is taken by the platform
//     whole and in order, and shown to the letter. A limit that is the
//     platform's own is tight: it is taken, one more is refused.
//  3. One Send is one request, without waiting and repeating. It ends with its
//     context. Sends to different people do not disturb each other. Close may be
//     called twice, and after it a Send fails without a request.
//  4. Every failure is one *core.SendError with a class and a code, and says
//     nothing of secrets and people, whatever the platform says.
//  5. Names agree: Sent.ID is what replies, receipts and echoes name, and an
//     echo brings Part.Key back.
//  6. Callbacks without proof are refused, those with proof never are. Every
//     entry of a batch is read, copies have one ID, others another. Decoding has
//     no effects, and nothing a platform may send one day makes it fail.
//  7. Who follows an invitation arrives with its token.
//  8. A configuration shows none of its secrets.
//  9. What crosses the interface is plain data: it survives JSON unchanged.
//  10. Where files of people can be fetched, they are fetched whole and never
//     beyond the limit, and what fails has its class.
//
// The exam leaves to an adapter's own tests what only its platform has: how a
// message is written, and the table of its errors.
//
// What the platform does is asked of an emulated one, seen as a Platform. Which
// outcome is right (is a 502 Temporary or Uncertain?) is for the Exam to say,
// since the platforms' documents differ in it; that every kind of failure has an
// answer is for Run to check.
//
// Each point runs in a bubble of testing/synctest: deadlines and reply windows
// of hours pass at once, and a Send that waits shows.
package channeltest
