#pragma once

#include "models/dispersion.hpp"
#include "models/season.hpp"

#include <array>
#include <cstdint>

namespace tocsin {

/// Lengths that the baselines of a monitor share, in seconds.
struct baseline_clock {
  double tick = 10;
  double hour = 3600; ///< what counts as an hour of learning: 3600, or one tick where that is longer
};

/// How a tick is learned.
enum class lesson : std::uint8_t {
  robust, ///< winsorised: the rule
  whole,  ///< as it is: what looks like incidents is what the key does
  none,   ///< not at all: an incident is open
};

/// What a baseline expects of a tick.
struct forecast {
  double rate = 0.5;   ///< p0
  double variance = 1; ///< v^2 of ln p0, with the slow misfit
  double misfit = 0;   ///< sigma^2 in it
  double dispersion = prior_dispersion;
  double level = 1;        ///< rate = level x season; 1 while there is no shape, so that the season is the rate itself
  double inherited = 1;    ///< the part of v^2 that children of this key share with it
  double first_factor = 1; ///< factors of the two cells between which the tick lies
  double second_factor = 1;
  bool seasonal = false; ///< the two factors are known
  bool blind = true;     ///< of fewer events than the prior is worth: `rate` is the prior's more than the stream's
};

/// DESCRIPTION
/// The baseline of a key without a parent: it must be sound from the first event on, without any history. Three states:
///
///   seasonal   p0 = level s(t)             both cells around t have been learned for half an hour at least
///   borrowed   p0 = local s'(t)            the same hours of the other kind of day are known
///   local      p0 = local                  nothing is known of this hour yet
///
/// level: discounted over 7 days; local: a level that forgets as fast as rates drift, g = 1 / (1 + a q dt), q = 0.03 an
/// hour; s: the season table with priors that grow with experience, k_c = min(50, 6 (1 + V_c)), V_c the hours learned.
/// The variance of ln p0 is
///
///   seasonal   1/(a + 1/2) + phi/(A_c + k_c) + sigma^2 (1 + 1/V_c)
///   else       phi/(a_local + 1/2) + sigma^2 + min(0.08/h age, 0.4)^2 [+ phi/(A + k) of the borrowed cell]
///
/// with age the mean age of the local data. Learning is quarantined: for a third of the key's age, at most an hour (15
/// minutes for the local level), so that what precedes an alarm is not learned. Failures are winsorised.
///
/// IMPLEMENTATION DECISIONS
/// The rules and constants are those of the reference simulation of cold starts; docs/quality.md has what they achieve.
/// Time without events is learned too (it ages the local level and counts as a visit of the cell), when the next event
/// comes. Total: any counts, any times; times must not fall. About 1.3 KiB; a value.
class root_baseline {
public:
  root_baseline() = default;
  /// A key whose first tick begins at `now` (seconds).
  root_baseline(const baseline_clock& clock, double now);

  /// Moves to a tick that begins at `now`, at `local` in local time; `at`: where it lies in the week. Time since the
  /// last tick passes.
  void advance(double now, double local, const season_position& at);
  /// Of the tick that advance() moved to.
  const forecast& expected() const { return forecast_; }
  /// Learns the tick, after it has been judged.
  void learn(std::int64_t total, std::int64_t failed, lesson how);
  /// An incident opened: nothing that is still in quarantine will be learned.
  void spoil_quarantine();
  /// Nothing between `from` and `to` (seconds) will be learned that is still in quarantine, in whole blocks, nor the
  /// slow misfit of the hour at hand if it holds a moment of that.
  void spoil(double from, double to);
  /// The rate `rate` is the new normal: the level is moved there, the shape stays.
  void accept(double rate);

  /// The season has been learned: rates have a level and factors from now on. Never falls back.
  bool has_shape() const { return shaped_; }
  double age() const { return end_ - begin_; }

  /// Calls visit(x) for every number of the state, in a fixed order: `float&`, `double&` or `bool&` or integers. For
  /// saving and loading.
  template <class Visit>
  void for_each(Visit&& visit);
  /// After loading: all numbers are finite and in range. Only then may the state be used.
  bool is_plausible() const;

private:
  struct cell_state {
    float failures = 0; ///< A
    float expected = 0; ///< B
    float visits = 0;   ///< V, discounted hours learned
  };
  /// Some ticks in quarantine.
  struct block {
    double begin = 0;
    double length = 0;
    double failed = 0;
    double total = 0;
    double exposure = 0; ///< sum n s
    double expected = 0; ///< sum mu
    double squares = 0;  ///< sum mu^2
    std::uint8_t cell = 0;
    bool spoiled = false;
    bool whole = false; ///< not winsorised
  };
  static constexpr std::size_t most_blocks = 8;

  double strength(const cell_state& of) const;
  double factor(std::uint32_t number) const;
  bool is_known(std::uint32_t cell) const { return cells_[cell].visits >= 0.5F; }
  double quarantine() const;
  double block_length() const;
  void pass(double until);
  void refresh(const season_position& at);
  void forecast_seasonal(const season_position& at);
  void forecast_local(const season_position& at);
  void learn_hour(double now);
  void close_block();
  void release_blocks();
  double failures_of(const block& what) const;
  void learn_slow(const block& what);
  void learn_local(const block& what);

  baseline_clock clock_;
  double begin_ = 0;        ///< of the key's life
  double end_ = 0;          ///< of the time that has passed
  double local_offset_ = 0; ///< local time - UTC, seconds
  std::array<cell_state, season_cells> cells_{};
  double slow_failures_ = 0;
  double slow_exposure_ = 0;
  double level_ = 0.5;
  double local_failures_ = 0;
  double local_exposure_ = 0;
  double local_moment_ = 0; ///< sum n s (t - begin)
  bool shaped_ = false;
  tick_dispersion dispersion_;
  hour_misfit misfit_;
  double kappa_ = prior_dispersion;
  double sigma_squared_ = prior_misfit;
  double mean_failures_ = 0; ///< expected, of a tick with events (moving)
  // The hour at hand, for sigma^2.
  double hour_ = 0;
  double hour_failed_ = 0;
  double hour_expected_ = 0;
  double hour_squares_ = 0;
  bool hour_spoiled_ = false;
  // Quarantine: blocks_[0 .. count_), oldest first; the first local_ of them have been learned by the local level.
  std::array<block, most_blocks> blocks_{};
  std::uint8_t count_ = 0;
  std::uint8_t local_ = 0;
  block current_;
  bool has_current_ = false;
  forecast forecast_;
  season_position at_;
};

template <class Visit>
void root_baseline::for_each(Visit&& visit) {
  visit(begin_), visit(end_), visit(local_offset_);
  for (auto& one : cells_)
    visit(one.failures), visit(one.expected), visit(one.visits);
  visit(slow_failures_), visit(slow_exposure_), visit(level_);
  visit(local_failures_), visit(local_exposure_), visit(local_moment_), visit(shaped_);
  visit(dispersion_.excess), visit(dispersion_.squares), visit(misfit_.excess), visit(misfit_.squares);
  visit(kappa_), visit(sigma_squared_), visit(mean_failures_);
  visit(hour_), visit(hour_failed_), visit(hour_expected_), visit(hour_squares_), visit(hour_spoiled_);
  visit(count_), visit(local_), visit(has_current_);
  const auto visit_block = [&](block& one) {
    visit(one.begin), visit(one.length), visit(one.failed), visit(one.total), visit(one.exposure);
    visit(one.expected), visit(one.squares), visit(one.cell), visit(one.spoiled), visit(one.whole);
  };
  for (std::size_t i = 0; i < count_ && i < most_blocks; ++i)
    visit_block(blocks_[i]);
  visit_block(current_);
}

} // namespace tocsin
