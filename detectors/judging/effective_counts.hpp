#pragma once

#include "detectors/judging/exclusions.hpp"
#include "detectors/judging/roll_up.hpp"
#include "detectors/values/codec.hpp"

#include <vector>

namespace tocsin {

/// Turns rates without denominators into counts: how many events would scatter as much as the series does.
///
/// A record of such a stream stands for `rate_units` units of which rate x rate_units failed; that is arithmetic, not a
/// sample. What a sample tells follows from its noise: a rate p of n events has the relative variance (1 - p) / (p n).
/// So a record of a key is worth
///
///     n_eff = (1 - p) / (p kappa),    kappa = sum w min((x - x')^2 / (2 p^2), 4) / sum w
///
/// events, p the moving mean of its rates x, x' the rate before; half-life 168 ticks. Differences of neighbours, since
/// a season and a drift are not noise. Priors: p = 0.01 worth 1/2 / (1 + w) ticks, kappa = 0.25 worth 12 / (1 + w /
/// 12), which lose even their weight with the ticks w seen, since a rate may be any power of ten; kappa within [1/400,
/// 1], p within [1e-6, 0.9]. Judged first, learned after: a tick is scaled by the past. Every detector and every record
/// then sees effective counts. Owned by a monitor_shard; a function of the closed ticks; total.
class effective_counts {
public:
  void resize(std::size_t slots) {
    if (slots > keys_.size())
      keys_.resize(slots);
  }
  /// Replaces the units of a tick by effective counts. `left_out`: what is not to be learned.
  void scale(closed_tick& tick, const exclusions* left_out = nullptr);
  void forget(const std::vector<bool>& slots);

  void save(key_slot slot, state_writer& out) const;
  bool load(key_slot slot, state_reader& in);
  std::size_t memory_bytes() const { return keys_.capacity() * sizeof(noise); }

private:
  struct noise {
    float rates = 0;   ///< sum w x
    float weight = 0;  ///< sum w
    float squares = 0; ///< sum w of relative squares
    float pairs = 0;   ///< sum w of them
    float last = -1;   ///< rate of the last tick; none yet
  };
  static double mean_of(const noise& key);
  static double kappa_of(const noise& key);
  static void learn(noise& key, double rate, double mean);

  std::vector<noise> keys_; ///< by slot
};

} // namespace tocsin
