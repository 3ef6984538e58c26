#pragma once

#include "detectors/engine/shard.hpp"
#include "detectors/values/alert.hpp"
#include "detectors/values/state_record.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace tocsin::actors {

/// A shard actor's answer to a numbered request.
struct verdicts {
  std::uint64_t number = 0;
  std::vector<alert> alerts;
  std::vector<state_record> changes; ///< only for a commit
  shard_stats stats;                 ///< only for a commit
};

/// Requests that the shard actors work on. Each actor answers in order, but one may be ahead of another; a request is
/// complete when all have answered, and requests are given back in order, their alerts in log order.
///
/// A value, owned by the world's coordinator.
class judging_queue {
public:
  explicit judging_queue(std::size_t shard_actors) : shard_actors_(shard_actors) {}

  /// Numbers a new request.
  std::uint64_t open();
  void add(verdicts&& answer);
  /// The oldest request, if it is complete.
  std::optional<verdicts> next();
  /// Requests that were opened and not given back.
  std::size_t size() const { return waiting_.size(); }

private:
  struct request {
    std::size_t missing = 0;
    verdicts together;
  };
  std::size_t shard_actors_;
  std::uint64_t next_number_ = 0;
  std::deque<request> waiting_;
};

} // namespace tocsin::actors
