#include "tools/generator/random.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tocsin::generator {

namespace {

constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

std::uint64_t rotate_left(std::uint64_t x, int by) {
  return (x << by) | (x >> (64 - by));
}

} // namespace

std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

random_source::random_source(std::uint64_t seed) : state_{} {
  for (auto& word : state_) {
    seed += golden_gamma;
    word = scramble(seed);
  }
}

std::uint64_t random_source::next() {
  auto& s = state_;
  const auto result = rotate_left(s[0] + s[3], 23) + s[0];
  const auto shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotate_left(s[3], 45);
  return result;
}

double random_source::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  double x = 0;
  double y = 0;
  double square = 0;
  do {
    x = 2 * uniform() - 1;
    y = 2 * uniform() - 1;
    square = x * x + y * y;
  } while (square >= 1 || square == 0);
  const double factor = std::sqrt(-2 * std::log(square) / square);
  spare_normal_ = y * factor;
  has_spare_ = true;
  return x * factor;
}

double random_source::gamma(double shape) {
  // Below shape 1: gamma(shape + 1) * u^(1/shape) has the right law.
  if (shape < 1) {
    const auto larger = gamma(shape + 1);
    return larger * std::pow(1 - uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double root = 1 + c * x;
    if (root <= 0)
      continue;
    const double v = root * root * root;
    if (std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v))
      return d * v;
  }
}

std::uint64_t random_source::poisson(double mean) {
  if (mean >= 30)
    return poisson_ptrs(mean);
  const double limit = std::exp(-mean);
  std::uint64_t count = 0;
  for (double product = uniform(); product > limit; product *= uniform())
    ++count;
  return count;
}

std::uint64_t random_source::poisson_ptrs(double mean) {
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = uniform() - 0.5;
    const double v = 1 - uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r)
      return static_cast<std::uint64_t>(k);
    if (k < 0 || (us < 0.013 && v > us))
      continue;
    const double squeezed = std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b);
    // lgamma leaves its sign in a global that nobody reads. NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (squeezed <= k * std::log(mean) - mean - std::lgamma(k + 1))
      return static_cast<std::uint64_t>(k);
  }
}

std::int64_t random_source::binomial(std::int64_t trials, double p) {
  if (trials <= 0 || p <= 0)
    return 0;
  if (p >= 1)
    return trials;
  if (p > 0.5)
    return trials - binomial(trials, 1 - p);
  // The order statistic number `middle` of `trials` uniforms tells how many lie below it; the rest is smaller.
  std::int64_t sure = 0;
  while (static_cast<double>(trials) * p >= 15) {
    const auto middle = 1 + trials / 2;
    const double below = gamma(static_cast<double>(middle));
    const double cut = below / (below + gamma(static_cast<double>(trials + 1 - middle)));
    if (cut > p) {
      trials = middle - 1;
      p /= cut;
    } else {
      sure += middle;
      trials -= middle;
      p = (p - cut) / (1 - cut);
    }
    if (p > 0.5)
      return sure + trials - binomial(trials, 1 - p);
  }
  const double odds = p / (1 - p);
  double mass = std::pow(1 - p, static_cast<double>(trials));
  double u = uniform();
  std::int64_t count = 0;
  for (; u > mass && count < trials; ++count) {
    u -= mass;
    mass *= static_cast<double>(trials - count) * odds / static_cast<double>(count + 1);
  }
  return sure + count;
}

alias_table::alias_table(const std::vector<double>& weights) : slots_(weights.size()) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> scaled(weights);
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < scaled.size(); ++i) {
    scaled[i] *= static_cast<double>(weights.size()) / sum;
    (scaled[i] < 1 ? small : large).push_back(i);
  }
  // Every small weight is filled up to 1 by a large one; what is left over by rounding is 1.
  constexpr auto always = std::numeric_limits<std::uint32_t>::max();
  for (std::uint32_t i = 0; i < slots_.size(); ++i)
    slots_[i] = {always, i};
  while (!small.empty() && !large.empty()) {
    const auto lesser = small.back();
    const auto greater = large.back();
    small.pop_back();
    slots_[lesser] = {static_cast<std::uint32_t>(scaled[lesser] * always), greater};
    scaled[greater] -= 1 - scaled[lesser];
    if (scaled[greater] < 1) {
      large.pop_back();
      small.push_back(greater);
    }
  }
}

std::vector<double> zipf_weights(std::uint32_t count, double skew) {
  std::vector<double> weights(count);
  for (std::uint32_t i = 0; i < count; ++i)
    weights[i] = std::pow(static_cast<double>(i) + 1, -skew);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (auto& weight : weights)
    weight /= sum;
  return weights;
}

} // namespace tocsin::generator
