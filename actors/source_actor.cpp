#include "actors/source_actor.hpp"

#include "actors/failure.hpp"

#include <algorithm>
#include <chrono>

namespace tocsin::actors {

namespace {

/// How long partitions at their present end are left alone: short while records come, longer in silence, so that an
/// idle process costs next to nothing.
constexpr std::chrono::milliseconds shortest_nap{100};
constexpr std::chrono::milliseconds longest_nap{500};

class source_state {
public:
  static inline const char* name = "source";
  explicit source_state(source_actor::pointer self) : self_(self) {}

  void begin(source_setup setup) {
    setup_ = std::move(setup);
    const auto now = monotonic_ms(*self_);
    partitions_.resize(setup_.starts.size());
    for (partition_id p = 0; p < partitions_.size(); ++p) {
      partitions_[p].last_record = now;
      const auto& start = setup_.starts[p];
      if (const auto found = setup_.source->seek(p, start.rewind.offset, start.position); !found)
        return fail(found.failure());
    }
  }

  void lend(const credit_grant& grant) {
    partitions_[grant.partition].credit += static_cast<std::int64_t>(grant.bytes);
    poll_soon();
  }

  /// Reads one block and comes again, so that other messages are seen between blocks.
  void poll() {
    poll_pending_ = false;
    const auto partition = next_readable();
    if (stopped_ || !partition)
      return;
    auto block = setup_.blocks->take();
    const auto outcome = setup_.source->read(*partition, setup_.block_bytes, *block);
    if (!outcome)
      return fail(outcome.failure());
    switch (*outcome) {
    case io::read_outcome::block: send_block(*partition, block); break;
    case io::read_outcome::idle: rest(*partition); break;
    case io::read_outcome::ended: end(*partition); break;
    }
    poll_soon();
  }

  void wake() {
    wake_pending_ = false;
    for (auto& one : partitions_)
      one.resting = false;
    poll_soon();
  }

  void commit(const commit_ptr& request) {
    if (failed_)
      return;
    for (auto& point : request->batch.partitions)
      point.position = setup_.source->position(point.partition, point.rewind.offset);
    self_->send(setup_.sink, request);
  }

  void halt() { stopped_ = true; }

private:
  struct partition_state {
    std::int64_t credit = 0;
    std::uint64_t next_sequence = 0;
    time_ms last_record = 0;
    bool silent = false;  ///< the counter knows that the present end is reached
    bool resting = false; ///< left alone until the next wake
    bool ended = false;
  };

  bool readable(const partition_state& one) const {
    return !one.ended && !one.resting && one.credit >= static_cast<std::int64_t>(setup_.block_bytes);
  }

  /// In turn, so that no partition starves.
  std::optional<partition_id> next_readable() {
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      turn_ = (turn_ + 1) % partitions_.size();
      if (readable(partitions_[turn_]))
        return static_cast<partition_id>(turn_);
    }
    return std::nullopt;
  }

  void poll_soon() {
    if (poll_pending_ || stopped_)
      return;
    poll_pending_ = true;
    self_->send(self_, poll_atom::value);
  }

  void send_block(partition_id partition, const std::shared_ptr<io::raw_block>& block) {
    auto& mine = partitions_[partition];
    block->partition = partition;
    block->sequence = mine.next_sequence++;
    block->incarnation = setup_.incarnation;
    mine.credit -= static_cast<std::int64_t>(block->size);
    mine.last_record = monotonic_ms(*self_);
    mine.silent = false;
    nap_ = shortest_nap;
    decoder_turn_ = (decoder_turn_ + 1) % setup_.decoders.size();
    self_->send(setup_.decoders[decoder_turn_], raw_block_ptr(block));
    show_progress();
  }

  void rest(partition_id partition) {
    auto& mine = partitions_[partition];
    if (!mine.silent)
      mark(partition, false);
    mine.silent = true;
    // A pipe has waited already, and its writer may be waiting for us by now.
    mine.resting = !setup_.source->waits(partition);
    if (!mine.resting || wake_pending_)
      return;
    wake_pending_ = true;
    self_->delayed_send(self_, nap_, wake_atom::value);
    nap_ = std::min(2 * nap_, longest_nap);
  }

  void end(partition_id partition) {
    partitions_[partition].ended = true;
    mark(partition, true);
    show_progress();
  }

  void mark(partition_id partition, bool ended) {
    auto& mine = partitions_[partition];
    self_->send(setup_.counters[partition], end_mark{partition, mine.next_sequence++, ended, mine.last_record});
  }

  void show_progress() {
    const auto bytes = setup_.source->bytes_read();
    const auto total = setup_.source->bytes_total();
    setup_.board->update([&](pipeline_progress& progress) {
      progress.bytes = bytes;
      progress.bytes_total = total;
    });
  }

  void fail(const io::error& failure) {
    failed_ = stopped_ = true;
    self_->send(setup_.supervisor, failure);
  }

  source_actor::pointer self_;
  source_setup setup_;
  std::vector<partition_state> partitions_;
  std::size_t turn_ = 0;
  std::size_t decoder_turn_ = 0;
  std::chrono::milliseconds nap_ = shortest_nap;
  bool poll_pending_ = false;
  bool wake_pending_ = false;
  bool stopped_ = false;
  bool failed_ = false;
};

source_actor::behavior_type source_behavior(source_actor::stateful_pointer<source_state> self, source_setup setup) {
  die_on_exception(self);
  self->state.begin(std::move(setup));
  return {
      [self](poll_atom) { self->state.poll(); },
      [self](const credit_grant& grant) { self->state.lend(grant); },
      [self](const commit_ptr& request) { self->state.commit(request); },
      [self](wake_atom) { self->state.wake(); },
      [self](halt_atom) { self->state.halt(); },
  };
}

} // namespace

source_actor spawn_source(caf::local_actor* host, bool detached, source_setup setup) {
  return detached ? host->spawn<caf::monitored + caf::detached>(source_behavior, std::move(setup))
                  : host->spawn<caf::monitored>(source_behavior, std::move(setup));
}

} // namespace tocsin::actors
