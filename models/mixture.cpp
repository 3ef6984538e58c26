#include "models/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tocsin {

namespace {

constexpr float highest = 1e30F;
constexpr double most = highest;
constexpr double least = 1e-30;

} // namespace

void shiryaev_roberts_mixture::start(double mass, const per_alternative& weights) {
  if (!(mass > 0))
    return;
  const auto each = std::min(mass, most) / alternatives;
  for (std::size_t j = 0; j < evidence_.size(); ++j) {
    const auto begun = each * weights[static_cast<Eigen::Index>(j)];
    if (begun > 0)
      evidence_[j] = static_cast<float>(std::min(static_cast<double>(evidence_[j]) + begun, most));
  }
}

void shiryaev_roberts_mixture::observe(const per_alternative& ratios) {
  for (std::size_t j = 0; j < evidence_.size(); ++j) {
    const auto grown = static_cast<double>(evidence_[j]) * ratios[static_cast<Eigen::Index>(j)];
    evidence_[j] = grown >= least ? static_cast<float>(std::min(grown, most)) : 0; // NaN is the least
  }
}

double shiryaev_roberts_mixture::sum() const {
  auto result = 0.0;
  for (const auto component : evidence_)
    result += static_cast<double>(component);
  return result;
}

void shiryaev_roberts_mixture::add(const shiryaev_roberts_mixture& other) {
  for (std::size_t j = 0; j < evidence_.size(); ++j)
    evidence_[j] = std::min(highest, evidence_[j] + other.evidence_[j]);
}

bool shiryaev_roberts_mixture::load(const evidence& components) {
  const auto is_valid = [](float component) { return component >= 0 && component <= highest; };
  if (!std::all_of(components.begin(), components.end(), is_valid))
    return false;
  evidence_ = components;
  return true;
}

} // namespace tocsin
