#pragma once

#include "tools/generator/profile.hpp"
#include "tools/generator/random.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace tocsin::generator {

enum class view_outcome : std::uint8_t { working, warning, failed };

/// One view of a generated stream, with what only the generator can know about it.
struct generated_event {
  time_ms time = 0;
  time_ms arrival = 0;      ///< the stream is in this order
  std::uint64_t number = 0; ///< from 1, in order of time
  std::array<std::uint32_t, dimensions> values{};
  std::uint32_t viewer = 0;
  std::uint16_t error_code = 0; ///< index into stream_generator::error_codes(); not of working views
  view_outcome outcome = view_outcome::working;
  bool caused = false; ///< a failure that would not be there without a planted incident
  double expected = 0; ///< probability of failure without planted incidents
  double extra = 0;    ///< what planted incidents add to it
};

/// Indices of the values that an incident is about.
class incident_matcher {
public:
  incident_matcher(const stream_profile& profile, const planted_incident& incident);
  bool matches(const generated_event& view) const {
    if (view.time < begin_ || view.time >= end_)
      return false;
    for (const auto& [dimension, value] : values_)
      if (view.values[dimension] != value)
        return false;
    return true;
  }
  time_ms begin() const { return begin_; }
  time_ms end() const { return end_; }

private:
  time_ms begin_;
  time_ms end_;
  std::vector<std::pair<std::size_t, std::uint32_t>> values_;
};

/// Makes the views of a profile, 10 seconds at a time, in order of arrival. The same profile and seed give the same
/// views. Owned by one command or test; one thread; memory for the tables of values, one tick, the retries and what is
/// still to arrive.
///
/// Views come as a Poisson process whose rate follows day, weekend and a slow noise. A view fails with the probability
/// failure_rate x season x factors of its dimension values x slow noise and gamma noise (10 s) of its property; planted
/// incidents then raise it. The noise processes are those of docs/detection.md: stationary autoregression of order 1
/// for the slow ones (exact for any step), gamma of mean 1 for the dispersion.
class stream_generator {
public:
  /// Precondition: validate(profile) is ok.
  stream_generator(stream_profile profile, std::uint64_t seed);
  stream_generator(const stream_generator&) = delete;
  stream_generator& operator=(const stream_generator&) = delete;

  /// Replaces `out` with the views that arrive in the next 10 seconds (maybe none); false when the stream is over.
  bool next(std::vector<generated_event>& out);

  const stream_profile& profile() const { return profile_; }
  const std::vector<std::string>& error_codes() const { return error_codes_; }

private:
  struct retry {
    generated_event view;
    bool operator<(const retry& other) const { // a heap with the earliest on top
      return view.time != other.view.time ? view.time > other.view.time : view.number > other.view.number;
    }
  };
  struct arrives_later {
    bool operator()(const generated_event& a, const generated_event& b) const {
      return a.arrival != b.arrival ? a.arrival > b.arrival : a.number > b.number;
    }
  };
  /// Noise of one property, advanced when it is next seen.
  struct property_noise {
    double slow = 0;
    double factor = 1;
    time_ms tick = beginning_of_time;
  };
  struct planted {
    incident_matcher matcher;
    const planted_incident* incident = nullptr;
    std::uint16_t error_code = 0;
  };

  void begin_tick();
  void make_tick(time_ms end, std::vector<generated_event>& out);
  generated_event first_view(time_ms time);
  void decide(generated_event& view);
  void decide_retry(generated_event& view);
  double noise_of(std::uint32_t property_value);
  void deliver(generated_event view, std::vector<generated_event>& out);
  void hand_over_until(time_ms arrival, std::vector<generated_event>& out);
  time_ms some_of(time_ms longest) {
    return static_cast<time_ms>(random_.uniform() * static_cast<double>(longest + 1));
  }

  stream_profile profile_;
  random_source random_;
  std::vector<alias_table> tables_;                     ///< one a dimension
  std::array<std::vector<double>, dimensions> factors_; ///< of the failure rate; empty: all 1
  std::vector<std::string> error_codes_;                ///< of the profile, then of its incidents
  alias_table code_table_;
  std::vector<planted> planted_;
  std::vector<const planted*> active_; ///< those that touch the present tick
  std::vector<property_noise> noise_;  ///< one a property
  double volume_noise_ = 0;
  time_ms now_; ///< start of the present tick
  time_ms end_;
  double season_ = 1; ///< of the failure rate, in the present tick
  double weekend_mean_;
  std::uint64_t made_ = 0;
  std::vector<time_ms> times_;
  std::vector<retry> retries_;
  std::vector<generated_event> arriving_;
};

} // namespace tocsin::generator
