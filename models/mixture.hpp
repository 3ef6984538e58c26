#pragma once

#include "models/likelihood_ratio.hpp"

#include <array>

namespace tocsin {

/// DESCRIPTION
/// The evidence that a key's failure rate has risen at some time past: a mixture of Shiryaev-Roberts statistics over
/// the alternatives j = 1..8, started by time rather than by events (Shin, Ramdas, Rinaldo, "E-detectors", 2023; Pollak
/// 1985).
///
///     M_j <- (M_j + w dt weight_j / 8) L_j,   S = sum of M_j,   alarm when S >= 1, then M <- 0
///
/// w is the budget: false alarms a second. Guarantee in strict mode (all weights 1): if E[L_j | past] <= 1 under
/// the null, then A_t + N_t - integral of w is a supermartingale, with A the sum of all evidence and N the alarms so
/// far: starting adds what the integral takes, observing adds nothing on average, an alarm trades at least 1 of A for 1
/// of N. Hence
///
///     E[false alarms in H] <= integral of w over H
///
/// for any traffic, any dependence between keys, and any w and weights that depend on the past alone. Evidence may move
/// from one key to another (`add`): A stays the same. In calibrated mode the weights are `start_weights(mu)`; the
/// guarantee becomes "about the integral of w", by simulation.
///
/// IMPLEMENTATION DECISIONS
/// Eight floats, since the state of a million keys holds this. A float's rounding, 6e-8 of M_j a tick and as often up
/// as down, is nothing beside a tick's noise. Evidence ends at 1e30, far above any threshold; below 1e-30 it is 0, so
/// that no operation meets a denormal number.
///
/// Value; owned by the state of its key. Total: NaN or negative mass starts nothing, a ratio that is NaN counts as 0.
class shiryaev_roberts_mixture {
public:
  using evidence = std::array<float, alternatives>;

  /// Lets mass = w dt begin, shared among the alternatives: M_j += mass/8 weights_j.
  void start(double mass, const per_alternative& weights);

  /// Takes the likelihood ratios of a tick into account.
  void observe(const per_alternative& ratios);

  /// S. At 1 or more, the caller raises an alarm and calls `reset`.
  double sum() const;

  void reset() { evidence_.fill(0); }

  /// Adds the evidence of another key, which the caller then drops.
  void add(const shiryaev_roberts_mixture& other);

  const evidence& components() const { return evidence_; }

  /// Takes over stored components. Refuses (false, unchanged) NaN, negative numbers and what is above the cap.
  bool load(const evidence& components);

private:
  evidence evidence_{};
};

static_assert(sizeof(shiryaev_roberts_mixture) == 32);

} // namespace tocsin
