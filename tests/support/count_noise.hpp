#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace tocsin {

/// Distributions of the failures of a tick, exact, and numbers drawn from them. `pmf[e]` is the probability of e.
/// `largest_count` + 1 entries; rounding apart, what the last leaves out is 0 or below 1e-12.

inline double log_choose(int n, int k) {
  return std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
}

inline std::vector<double> binomial_pmf(int n, double p) {
  std::vector<double> pmf;
  for (int e = 0; e <= n; ++e)
    pmf.push_back(std::exp(log_choose(n, e) + e * std::log(p) + (n - e) * std::log1p(-p)));
  return pmf;
}

/// Binomial(n, min(p U, 0.999)), U from the gamma distribution of mean 1 and variance k: the trapezoidal rule in ln U,
/// which converges exponentially for so smooth a function.
inline std::vector<double> gamma_binomial_pmf(int n, double p, double k) {
  const auto log_density = [&](double t) { return (t - std::exp(t) + 1) / k; };
  auto first = 0.0;
  auto last = 0.0;
  const auto stride = 0.1 * std::sqrt(k);
  while (log_density(first) > -600)
    first -= stride;
  while (log_density(last) > -600)
    last += stride;
  constexpr int points = 800;
  std::vector<double> pmf(static_cast<std::size_t>(n) + 1);
  auto all = 0.0;
  for (int i = 0; i <= points; ++i) {
    const auto t = first + (last - first) * i / points;
    const auto log_weight = log_density(t);
    all += std::exp(log_weight);
    const auto rate = std::min(p * std::exp(t), 0.999);
    const auto log_failing = std::log(rate);
    const auto log_succeeding = std::log1p(-rate);
    for (int e = 0; e <= n; ++e)
      pmf[static_cast<std::size_t>(e)] +=
          std::exp(log_weight + log_choose(n, e) + e * log_failing + (n - e) * log_succeeding);
  }
  for (auto& probability : pmf)
    probability /= all;
  return pmf;
}

/// Beta-binomial with mean rate p whose probability has the variance k p^2, at most that of precision s = 1/2.
inline std::vector<double> beta_binomial_pmf(int n, double p, double k) {
  const auto s = std::max(0.5, (1 - p) / (p * k) - 1);
  const auto log_beta = [](double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); };
  std::vector<double> pmf;
  for (int e = 0; e <= n; ++e)
    pmf.push_back(std::exp(log_choose(n, e) + log_beta(e + p * s, n - e + (1 - p) * s) - log_beta(p * s, (1 - p) * s)));
  return pmf;
}

/// Negative binomial with variance mean + k mean^2.
inline std::vector<double> negative_binomial_pmf(double mean, double k, int largest_count) {
  const auto shape = 1 / k;
  std::vector<double> pmf;
  for (int e = 0; e <= largest_count; ++e)
    pmf.push_back(std::exp(std::lgamma(shape + e) - std::lgamma(shape) - std::lgamma(e + 1.0) -
                           shape * std::log1p(k * mean) + e * std::log(mean / (shape + mean))));
  return pmf;
}

inline std::vector<double> poisson_pmf(double mean, int largest_count) {
  std::vector<double> pmf;
  for (int e = 0; e <= largest_count; ++e)
    pmf.push_back(std::exp(e * std::log(mean) - mean - std::lgamma(e + 1.0)));
  return pmf;
}

/// Draws counts by inversion.
class count_sampler {
public:
  explicit count_sampler(const std::vector<double>& pmf) {
    auto sum = 0.0;
    for (const auto probability : pmf)
      cumulative_.push_back(sum += probability);
    for (auto& value : cumulative_)
      value /= sum;
    cumulative_.back() = 1;
    std::size_t count = 0;
    for (std::size_t i = 0; i < guide_.size(); ++i) {
      while (cumulative_[count] < static_cast<double>(i) / static_cast<double>(guide_.size()))
        ++count;
      guide_[i] = count;
    }
  }

  std::size_t operator()(std::mt19937_64& random) const {
    const auto u = static_cast<double>(random() >> 11) * 0x1p-53;
    auto count = guide_[static_cast<std::size_t>(u * static_cast<double>(guide_.size()))];
    while (cumulative_[count] < u)
      ++count;
    return count;
  }

private:
  std::vector<double> cumulative_;
  std::array<std::size_t, 1024> guide_{}; // where to start the search
};

} // namespace tocsin
