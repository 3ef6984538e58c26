#pragma once

// The protocol of the whole system on one page: every actor interface and every message.
//
//     source --raw_block--> decoder --event_batch--> counter --counted_news--> coordinator --judge_request--> shard
//       ^ ^                  (any)                 (partition)                    |   ^  ^                      |
//       | +--- credit_grant, commit_request, halt --------------------------------+   |  +-------- verdicts ----+
//       |                                                                             |
//       +--commit_request (with positions)--> sink --committed, rejects_written-------+
//
// An incarnation of a world is one set of these actors. When one of them dies, the supervisor ends all of them, waits
// until the last has gone and starts a new set from the last commit, so that no message or credit of an older
// incarnation can reach a newer one. Payloads travel as pointers; nothing here is sent once an event.

#include "actors/judging_queue.hpp"
#include "detectors/counting/partition_counter.hpp"
#include "detectors/counting/tick_slice.hpp"
#include "detectors/engine/shard.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/event_batch.hpp"
#include "io/source.hpp"
#include "io/state_store.hpp"

#include <caf/all.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace tocsin::actors {

// ---- small messages ----

/// The source may read so many more bytes of a partition.
struct credit_grant {
  partition_id partition = 0;
  std::uint64_t bytes = 0;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, credit_grant& x) {
  return f(caf::meta::type_name("tocsin::credit_grant"), x.partition, x.bytes);
}

/// Takes the place of a block in a partition's order: there is nothing (more) to read behind the blocks before it.
struct end_mark {
  partition_id partition = 0;
  std::uint64_t sequence = 0;
  bool ended = false;       ///< end of input; otherwise the present end of a followed stream
  time_ms silent_since = 0; ///< monotonic time of the partition's last record
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, end_mark& x) {
  return f(caf::meta::type_name("tocsin::end_mark"), x.partition, x.sequence, x.ended, x.silent_since);
}

/// A silent partition is let go up to this watermark; the counter journals it.
struct let_go {
  time_ms watermark = 0;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, let_go& x) {
  return f(caf::meta::type_name("tocsin::let_go"), x.watermark);
}

/// The commit with this number is durable and its alerts are in the log.
struct committed {
  std::uint64_t number = 0;
  std::uint64_t alerts = 0; ///< records it held
  std::uint64_t shadow = 0; ///< of them, those in shadow
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, committed& x) {
  return f(caf::meta::type_name("tocsin::committed"), x.number, x.alerts, x.shadow);
}

/// The rejects of blocks with so many bytes are in the dead-letter sink.
struct rejects_written {
  partition_id partition = 0;
  std::uint64_t bytes = 0;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, rejects_written& x) {
  return f(caf::meta::type_name("tocsin::rejects_written"), x.partition, x.bytes);
}

// ---- payloads ----

using raw_block_ptr = std::shared_ptr<const io::raw_block>;
using batch_ptr = std::shared_ptr<const event_batch>;

/// What a counter did with the blocks and marks that became ready together. The receiver takes it apart.
struct counted_news {
  counted news;
  std::uint64_t raw_bytes = 0;         ///< credit to give back
  std::optional<time_ms> silent_since; ///< the partition is at its present end since then
};
using counted_ptr = std::shared_ptr<counted_news>;

/// Work for every shard actor; requests are numbered in order.
struct judge_request {
  std::uint64_t number = 0;
  std::vector<operator_action> actions; ///< new: they hold from the range on
  std::optional<closed_range> range;    ///< absent: nothing to judge, only a commit
  bool commit = false;                  ///< hand over what changed since the last commit, after judging
};
using judge_ptr = std::shared_ptr<const judge_request>;

using verdicts_ptr = std::shared_ptr<verdicts>;

/// What operators ask for and the sink has found in the store.
using requests_ptr = std::shared_ptr<const std::vector<action_request>>;

/// What the sink tells the coordinator.
using sink_listener = caf::typed_actor<
    // The commit is durable: the next one may start.
    caf::reacts_to<committed>,
    // Operators ask for these actions; each is told once.
    caf::reacts_to<requests_ptr>,
    // Rejects are written: their credit may be lent again.
    caf::reacts_to<rejects_written>>;

/// One commit on its way. The source fills in the positions, the sink renders the alerts.
struct commit_request {
  std::uint64_t number = 0;
  std::vector<alert> alerts; ///< in log order
  io::commit_batch batch;
  sink_listener reply_to;
};
using commit_ptr = std::shared_ptr<commit_request>;

/// Dead letters on their way.
struct rejects_request {
  partition_id partition = 0;
  std::uint64_t bytes = 0; ///< credit that waits for them
  std::vector<reject> rejects;
  sink_listener reply_to;
};
using rejects_ptr = std::shared_ptr<const rejects_request>;

/// What a world starts from, read from the store. The receiver takes it apart.
struct restored_state {
  io::restored_world world;
  std::vector<action_request> requests; ///< that wait to be taken over
  std::vector<state_record> state;
};
using restored_ptr = std::shared_ptr<restored_state>;

} // namespace tocsin::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::raw_block_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::counted_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::judge_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::verdicts_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::requests_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::commit_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::rejects_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::restored_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::io::error)

CAF_BEGIN_TYPE_ID_BLOCK(tocsin, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(tocsin, (tocsin::actors::credit_grant))
CAF_ADD_TYPE_ID(tocsin, (tocsin::actors::end_mark))
CAF_ADD_TYPE_ID(tocsin, (tocsin::actors::let_go))
CAF_ADD_TYPE_ID(tocsin, (tocsin::actors::committed))
CAF_ADD_TYPE_ID(tocsin, (tocsin::actors::rejects_written))
CAF_ADD_ATOM(tocsin, tocsin::actors, open_atom, "open")
CAF_ADD_ATOM(tocsin, tocsin::actors, poll_atom, "poll")
CAF_ADD_ATOM(tocsin, tocsin::actors, wake_atom, "wake")
CAF_ADD_ATOM(tocsin, tocsin::actors, halt_atom, "halt")
CAF_ADD_ATOM(tocsin, tocsin::actors, stop_atom, "stop")
CAF_ADD_ATOM(tocsin, tocsin::actors, due_atom, "due")
CAF_ADD_ATOM(tocsin, tocsin::actors, idle_atom, "idle")
CAF_ADD_ATOM(tocsin, tocsin::actors, start_atom, "start")
CAF_ADD_ATOM(tocsin, tocsin::actors, done_atom, "done")
CAF_END_TYPE_ID_BLOCK(tocsin)

namespace tocsin::actors {

/// Owns nothing that lasts; any decoder decodes any block.
using decoder_actor = caf::typed_actor<
    // Decode this block and pass the batch to its partition's counter.
    caf::reacts_to<raw_block_ptr>>;

/// Counts one partition, in order.
using counter_actor = caf::typed_actor<
    // A decoded block; may come out of order.
    caf::reacts_to<batch_ptr>,
    // The partition's end or present end; may come out of order.
    caf::reacts_to<end_mark>,
    // Raise the watermark of a silent partition.
    caf::reacts_to<let_go>>;

/// Judges the closed ticks of some of the 64 logical shards.
using shard_actor = caf::typed_actor<
    // Judge, and if asked hand over what changed.
    caf::reacts_to<judge_ptr>>;

/// Owns the state store, the alert log and the dead-letter sink; blocks.
using sink_actor = caf::typed_actor<
    // Make this durable, then show its alerts.
    caf::reacts_to<commit_ptr>,
    // Write dead letters.
    caf::reacts_to<rejects_ptr>,
    // Open the store, complete the alert log, and tell the supervisor what the world starts from.
    caf::reacts_to<open_atom>>;

/// Owns the source; blocks for a short time.
using source_actor = caf::typed_actor<
    // To itself: read one block.
    caf::reacts_to<poll_atom>,
    // More may be read of a partition; the first grant starts the reading.
    caf::reacts_to<credit_grant>,
    // Fill in the positions of the rewind points and pass it on to the sink.
    caf::reacts_to<commit_ptr>,
    // To itself: look again at partitions that were at their present end.
    caf::reacts_to<wake_atom>,
    // Read no more.
    caf::reacts_to<halt_atom>>;

/// The other actors of an incarnation, for the coordinator.
struct crew {
  source_actor source;
  sink_actor sink;
  std::vector<counter_actor> counters; ///< by partition
  std::vector<shard_actor> shards;
};
using crew_ptr = std::shared_ptr<const crew>;

} // namespace tocsin::actors
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tocsin::actors::crew_ptr)
namespace tocsin::actors {

/// Closes ticks, has them judged, orders alerts, starts commits, lends credit.
using coordinator_actor = sink_listener::extend<
    // A counter's news.
    caf::reacts_to<counted_ptr>,
    // A shard actor's answer.
    caf::reacts_to<verdicts_ptr>,
    // To itself: the commit interval has passed.
    caf::reacts_to<due_atom>,
    // To itself: see whether silent partitions must be let go.
    caf::reacts_to<idle_atom>,
    // Everyone is there: begin.
    caf::reacts_to<crew_ptr>,
    // Commit what is judged, then be done.
    caf::reacts_to<stop_atom>>;

/// Starts, watches and restarts the world.
using supervisor_actor = caf::typed_actor<
    // Of the sink: the store is open.
    caf::reacts_to<restored_ptr>,
    // Of source, sink or shard: this went wrong; the sender does no more.
    caf::reacts_to<io::error>,
    // Of the coordinator: the last commit is durable.
    caf::reacts_to<done_atom>,
    // To itself: start an incarnation.
    caf::reacts_to<start_atom>,
    // Of the owner: stop cleanly.
    caf::reacts_to<stop_atom>>;

} // namespace tocsin::actors
