#pragma once

#include "tools/generator/stream_generator.hpp"

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace tocsin::generator {

/// What really happened in a planted incident, by event time; where incidents overlap, each sees the whole.
struct incident_truth {
  incident_matcher matcher;
  std::uint64_t events = 0;
  std::uint64_t failures = 0;
  std::uint64_t caused_failures = 0; ///< failures that would not be there without planted incidents
  double expected_failures = 0;      ///< sum of the probabilities without planted incidents
  double expected_excess = 0;        ///< sum of what planted incidents add to them
  std::unordered_set<std::uint32_t> failing_viewers;
};

/// The ground truth of the views that were written. Owned by the generate command; one thread.
class truth {
public:
  explicit truth(const stream_profile& profile);
  void observe(const generated_event& view);

  std::uint64_t events() const { return events_; }
  std::uint64_t failures() const { return failures_; }
  const std::vector<incident_truth>& incidents() const { return incidents_; }
  /// The truth file: the stream in numbers and its incidents, those that begin within the stream.
  std::string to_json(std::uint64_t seed) const;

private:
  stream_profile profile_;
  std::uint64_t events_ = 0;
  std::uint64_t failures_ = 0;
  time_ms last_ = beginning_of_time;
  std::vector<incident_truth> incidents_;
};

} // namespace tocsin::generator
