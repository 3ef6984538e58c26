#include "models/optimal_delay.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tocsin {

namespace {

constexpr double never = std::numeric_limits<double>::max();

double clamped(double value, double low, double high) {
  return std::isnan(value) ? low : std::clamp(value, low, high);
}

// Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q). Logarithms of 1 + x lose nothing for rates near 0;
// rates that differ by less than 1e-7 of themselves are beyond its accuracy.
double divergence(double p, double q) {
  const auto result = -p * std::log1p((q - p) / p) - (1 - p) * std::log1p((p - q) / (1 - p));
  return std::max(result, 0.0);
}

// h >= 0 with e^h - h - 1 = x, x >= 0. Newton's method on a convex function, from above: it falls to the root.
double threshold(double x) {
  auto h = std::min(std::sqrt(2 * x), 2 * std::log1p(x) + 1);
  for (int i = 0; i < 100; ++i) {
    const auto slope = std::expm1(h);
    const auto next = slope > 0 ? h - (slope - h - x) / slope : 0;
    if (!(next < h))
      break;
    h = std::max(next, 0.0);
  }
  return h;
}

struct change {
  double null_rate;
  double alternative_rate;
  double events;

  change(double p0, double p1, double gamma)
      : null_rate(clamped(p0, 1e-9, 1 - 1e-9)), alternative_rate(clamped(p1, 1e-9, 1 - 1e-9)),
        events(clamped(gamma, 1, 1e30)) {}

  double information() const { return divergence(alternative_rate, null_rate); }
  double null_information() const { return divergence(null_rate, alternative_rate); }
};

double delay(double evidence, double information) {
  return information > 0 ? std::min(evidence / information, never) : never;
}

} // namespace

double optimal_delay(double null_rate, double alternative_rate, double events_between_false_alarms) {
  const change c(null_rate, alternative_rate, events_between_false_alarms);
  const auto h = threshold(c.events * c.null_information());
  return delay(h + std::expm1(-h), c.information());
}

double lorden_delay(double null_rate, double alternative_rate, double events_between_false_alarms) {
  const change c(null_rate, alternative_rate, events_between_false_alarms);
  return delay(std::log(c.events), c.information());
}

} // namespace tocsin
