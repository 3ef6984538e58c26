#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tocsin::evaluation {

/// The oracle of the tables: a CUSUM that is told the true seasonal rate at every moment and how many times as high the
/// outage's rate will be. Nobody can have it; it shows what a detector's own baseline costs. A reference for evaluation
/// only, no part of the engine.
///
///     C <- max(0, C + failed ln(p1/p0) + (total - failed) ln((1-p1)/(1-p0))),   p1 = min(0.99, ratio p0)
///
/// It alarms where C reaches a threshold and is silent again when C is 0; the peaks of the excursions from 0 tell how
/// often any threshold would have alarmed. Value.
class reference_cusum {
public:
  explicit reference_cusum(double ratio) : ratio_(ratio) {}

  void step(std::int64_t total, std::int64_t failed, double expected_rate) {
    if (total == 0)
      return;
    const double raised = std::min(0.99, expected_rate * ratio_);
    const auto good = static_cast<double>(total - failed);
    const double gain = static_cast<double>(failed) * std::log(raised / expected_rate) +
                        good * std::log((1 - raised) / (1 - expected_rate));
    ended_peak_ = 0;
    value_ += gain;
    if (value_ <= 0) {
      ended_peak_ = peak_;
      value_ = peak_ = 0;
    }
    peak_ = std::max(peak_, value_);
  }
  /// Highest value of the excursion at hand.
  double peak() const { return peak_; }
  /// Peak of the excursion that the last step ended; 0 if it ended none.
  double ended_peak() const { return ended_peak_; }

private:
  double ratio_;
  double value_ = 0;
  double peak_ = 0;
  double ended_peak_ = 0;
};

} // namespace tocsin::evaluation
