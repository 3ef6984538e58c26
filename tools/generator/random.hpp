#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tocsin::generator {

/// Random numbers of a generated stream: xoshiro256++ seeded by splitmix64 (Blackman and Vigna 2019, "Scrambled linear
/// pseudorandom number generators"; reference code at prng.di.unimi.it). The distributions are our own, because those
/// of the standard library differ between implementations and the bytes of a stream must not. Value; one thread.
class random_source {
public:
  explicit random_source(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in 0 .. bound-1; the bias is below bound / 2^32. Precondition: bound > 0.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32); }
  /// Standard normal, polar method (Marsaglia and Bray 1964).
  double normal();
  /// Gamma with scale 1 (Marsaglia and Tsang 2000). Precondition: shape > 0.
  double gamma(double shape);
  /// Poisson: product of uniforms below mean 30, else PTRS (Hoermann 1993). Precondition: mean >= 0.
  std::uint64_t poisson(double mean);
  /// Binomial: inversion below mean 15, else halved at a beta order statistic until it is (Devroye 1986, X.4.3). `p`
  /// is clamped to [0, 1]. Precondition: trials >= 0.
  std::int64_t binomial(std::int64_t trials, double p);

private:
  std::uint64_t poisson_ptrs(double mean);

  std::array<std::uint64_t, 4> state_;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

/// Scrambles 64 bits (the output function of splitmix64; Steele, Lea and Flood 2014).
std::uint64_t scramble(std::uint64_t x);

/// Draws indices with given weights in constant time: alias method (Walker 1977, built as by Vose 1991).
/// Value; immutable after construction.
class alias_table {
public:
  /// Precondition: at least one weight, none negative, not all 0.
  explicit alias_table(const std::vector<double>& weights);

  std::uint32_t pick(random_source& random) const {
    const auto bits = random.next();
    const auto index = static_cast<std::uint32_t>(((bits >> 32) * slots_.size()) >> 32);
    const auto& chosen = slots_[index];
    return static_cast<std::uint32_t>(bits) <= chosen.keep ? index : chosen.other;
  }

private:
  struct slot {
    std::uint32_t keep; ///< the slot's own index is right for coins up to this
    std::uint32_t other;
  };
  std::vector<slot> slots_;
};

/// Weights 1 / rank^skew of `count` values (Zipf; skew 0: all equal), adding up to 1.
std::vector<double> zipf_weights(std::uint32_t count, double skew);

} // namespace tocsin::generator
