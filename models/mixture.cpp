#include "models/mixture.hpp"

#include <algorithm>

namespace tocsin {

namespace {

constexpr float most = 1e30F;
constexpr float least = 1e-30F;
// exp() of these neither overflows nor leaves what could matter: evidence is 0 or at least 1e-30.
constexpr double largest_step = 80;
constexpr double smallest_step = -80;

using lanes = Eigen::Array<float, alternatives, 1>;

} // namespace

void shiryaev_roberts_mixture::start(double mass, const per_alternative& weights) {
  if (!(mass > 0))
    return;
  Eigen::Map<lanes> m(evidence_.data());
  const per_alternative begun = std::min(mass, 1e30) / alternatives * weights;
  const per_alternative finite = (begun > 0).select(begun, 0.0).min(static_cast<double>(most));
  m = (m + finite.cast<float>()).min(most);
}

void shiryaev_roberts_mixture::observe(const per_alternative& log_ratios) {
  Eigen::Map<lanes> m(evidence_.data());
  const per_alternative step = (log_ratios > smallest_step).select(log_ratios, smallest_step).min(largest_step);
  // 1e30 exp(80) is above the largest float: infinity, and so the cap.
  const lanes grown = (m * step.cast<float>().exp()).min(most);
  m = (grown < least).select(0.0F, grown);
}

double shiryaev_roberts_mixture::sum() const {
  auto result = 0.0;
  for (const auto component : evidence_)
    result += static_cast<double>(component);
  return result;
}

void shiryaev_roberts_mixture::add(const shiryaev_roberts_mixture& other) {
  for (std::size_t j = 0; j < evidence_.size(); ++j)
    evidence_[j] = std::min(most, evidence_[j] + other.evidence_[j]);
}

bool shiryaev_roberts_mixture::load(const evidence& components) {
  const auto is_valid = [](float component) { return component >= 0 && component <= most; };
  if (!std::all_of(components.begin(), components.end(), is_valid))
    return false;
  evidence_ = components;
  return true;
}

} // namespace tocsin
