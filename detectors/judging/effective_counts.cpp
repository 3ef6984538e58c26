#include "detectors/judging/effective_counts.hpp"

#include "detectors/values/event_batch.hpp"

#include <algorithm>
#include <cmath>

namespace tocsin {

namespace {

constexpr double prior_rate = 0.01;
constexpr double prior_rate_weight = 0.5;
constexpr double prior_kappa = 0.25;
constexpr double prior_kappa_weight = 12;
constexpr double most_relative_square = 4;
constexpr double lowest_kappa = 1.0 / 400;
constexpr double highest_kappa = 1;
const double kept_a_tick = std::exp2(-1.0 / 168);

float blend(float sum, double more) {
  return static_cast<float>(static_cast<double>(sum) * kept_a_tick + more);
}

} // namespace

double effective_counts::mean_of(const noise& key) {
  const auto weight = static_cast<double>(key.weight);
  const auto prior = prior_rate_weight / (1 + weight);
  return std::clamp((static_cast<double>(key.rates) + prior_rate * prior) / (weight + prior), 1e-6, 0.9);
}

double effective_counts::kappa_of(const noise& key) {
  const auto pairs = static_cast<double>(key.pairs);
  const auto prior = prior_kappa_weight / (1 + pairs / prior_kappa_weight);
  return std::clamp((static_cast<double>(key.squares) + prior_kappa * prior) / (pairs + prior), lowest_kappa,
                    highest_kappa);
}

void effective_counts::scale(closed_tick& tick, const exclusions* left_out) {
  for (auto& level : tick.levels)
    for (auto& counts : level) {
      auto& key = keys_[counts.slot];
      const auto mean = mean_of(key);
      const auto kappa = kappa_of(key);
      const auto records = static_cast<double>(counts.total) / static_cast<double>(rate_units);
      const auto rate = static_cast<double>(counts.failed) / std::max(1.0, static_cast<double>(counts.total));
      if (left_out == nullptr || !left_out->covers(counts.slot))
        learn(key, rate, mean);
      counts.total = std::max<std::int64_t>(1, std::llround(records * (1 - mean) / (mean * kappa)));
      counts.failed = std::min<std::int64_t>(counts.total, std::llround(rate * static_cast<double>(counts.total)));
      counts.capped = counts.failed;
      counts.viewers = 0;
    }
}

void effective_counts::learn(noise& key, double rate, double mean) {
  if (key.last >= 0) {
    const auto away = (rate - static_cast<double>(key.last)) / mean;
    key.squares = blend(key.squares, std::min(away * away / 2, most_relative_square));
    key.pairs = blend(key.pairs, 1);
  }
  key.rates = blend(key.rates, rate);
  key.weight = blend(key.weight, 1);
  key.last = static_cast<float>(rate);
}

void effective_counts::forget(const std::vector<bool>& slots) {
  for (std::size_t slot = 0; slot < std::min(slots.size(), keys_.size()); ++slot)
    if (slots[slot])
      keys_[slot] = {};
}

void effective_counts::save(key_slot slot, state_writer& out) const {
  const auto& key = keys_[slot];
  for (const auto number : {key.rates, key.weight, key.squares, key.pairs, key.last})
    out.f32(number);
}

bool effective_counts::load(key_slot slot, state_reader& in) {
  auto& key = keys_[slot];
  for (auto* number : {&key.rates, &key.weight, &key.squares, &key.pairs, &key.last})
    *number = in.f32();
  const auto is_sum = [](float x) { return x >= 0 && x < 1e6F; };
  return in.ok() && is_sum(key.rates) && is_sum(key.weight) && is_sum(key.squares) && is_sum(key.pairs) &&
         key.last >= -1 && key.last <= 1;
}

} // namespace tocsin
