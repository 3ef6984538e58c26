#include "models/attribution_scan.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace tocsin {

namespace {

constexpr double pseudo_events = 50;
constexpr double least_rate = 1e-4;
constexpr double most_rate = 0.9;
constexpr double shape_risen = 1 / 0.2;   ///< 1 / kappa of a leaf of the cause
constexpr double shape_normal = 1 / 0.15; ///< of any other leaf
constexpr double least_score = 3;
constexpr double least_share = 0.3; ///< of the first cause's score
constexpr double explained = 1e-9;  ///< expected failures of an explained leaf without failures
constexpr double most_expected = 1e15;
constexpr std::size_t most_causes = 5;
constexpr std::size_t most_values = 3; ///< in one slice

/// Finite and in [low, high]; NaN counts as low.
double within(double value, double low, double high) {
  return value > low ? std::min(value, high) : low;
}

/// ln Gamma(x), x > 0. std::lgamma would do, but writes a global variable.
double log_gamma(double x) {
  auto shift = 0.0;
  for (; x < 16; x += 1)
    shift += std::log(x);
  const auto y = 1 / (x * x);
  const auto series = (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 * y) * y) * y) * y) / x;
  return (x - 0.5) * std::log(x) - x + 0.918938533204672742 + series - shift;
}

/// The slices of the leaves: every combination of at most three dimensions, and in each the values that leaves have.
class slice_index {
public:
  explicit slice_index(const attribution_leaves& leaves) : leaves_(&leaves), rows_(leaves.failed.size()) {
    std::vector<std::uint32_t> several;
    for (std::uint32_t a = 0; a < leaves.dimensions; ++a)
      if (has_several_values(a))
        several.push_back(a);
    for (std::size_t size = 1; size <= std::min(most_values, several.size()); ++size)
      combine(several, size, 0);
  }

  std::size_t rows() const { return rows_; }
  std::size_t size() const { return first_leaf_.size(); }
  std::size_t combinations() const { return combinations_.size(); }
  /// Slice of each leaf in a combination of dimensions.
  const std::uint32_t* slices_of(std::size_t combination) const { return &slices_[combination * rows_]; }
  std::size_t combination_of(std::uint32_t slice) const {
    return static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), slice) - begins_.begin()) - 1;
  }

  attribution_slice describe(std::uint32_t slice, double score) const {
    attribution_slice out;
    out.score = score;
    for (const auto a : combinations_[combination_of(slice)])
      out.values.emplace_back(a, code(first_leaf_[slice], a));
    return out;
  }

private:
  std::uint32_t code(std::size_t leaf, std::uint32_t dimension) const {
    return leaves_->codes[leaf * leaves_->dimensions + dimension];
  }

  bool has_several_values(std::uint32_t dimension) const {
    for (std::size_t i = 1; i < rows_; ++i)
      if (code(i, dimension) != code(0, dimension))
        return true;
    return false;
  }

  void combine(const std::vector<std::uint32_t>& dimensions, std::size_t size, std::size_t from) {
    if (chosen_.size() == size) {
      add_combination();
      return;
    }
    for (auto i = from; i < dimensions.size(); ++i) {
      chosen_.push_back(dimensions[i]);
      combine(dimensions, size, i + 1);
      chosen_.pop_back();
    }
  }

  /// Refines the combination without the last dimension, which has been added before.
  void add_combination() {
    const auto own = slices_.size();
    const std::vector<std::uint32_t> fewer(chosen_.begin(), chosen_.end() - 1);
    const auto known = std::find(combinations_.begin(), combinations_.end(), fewer);
    const auto coarser = static_cast<std::size_t>(known - combinations_.begin()) * rows_;
    slices_.resize(own + rows_);
    begins_.push_back(static_cast<std::uint32_t>(first_leaf_.size()));
    known_.clear();
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::uint64_t above = fewer.empty() ? 0 : slices_[coarser + i];
      const auto next = static_cast<std::uint32_t>(first_leaf_.size());
      const auto [found, is_new] = known_.try_emplace(above << 32 | code(i, chosen_.back()), next);
      if (is_new)
        first_leaf_.push_back(i);
      slices_[own + i] = found->second;
    }
    combinations_.push_back(chosen_);
  }

  const attribution_leaves* leaves_;
  std::size_t rows_;
  std::vector<std::vector<std::uint32_t>> combinations_; ///< of dimensions, fewest first
  std::vector<std::uint32_t> begins_;                    ///< first slice of each combination
  std::vector<std::uint32_t> slices_;
  std::vector<std::size_t> first_leaf_; ///< by slice
  std::vector<std::uint32_t> chosen_;
  std::unordered_map<std::uint64_t, std::uint32_t> known_;
};

class search {
public:
  explicit search(const attribution_leaves& leaves)
      : slices_(leaves), failed_(slices_.rows()), original_(slices_.rows()), own_(slices_.rows()),
        sum_failed_(slices_.size()), sum_expected_(slices_.size()), scores_(slices_.size()),
        log_slices_(std::log(static_cast<double>(std::max<std::size_t>(1, slices_.size())))),
        least_(least_score + log_slices_) {
    for (std::size_t i = 0; i < slices_.rows(); ++i) {
      failed_[i] = static_cast<double>(std::max<std::int64_t>(0, leaves.failed[i]));
      original_[i] = within(leaves.expected[i], explained, most_expected);
    }
    sum(failed_, sum_failed_);
    for (std::size_t i = 0; i < slices_.rows(); ++i) {
      const auto e = failed_[i];
      gamma_terms_.push_back(log_gamma(e + shape_risen) - log_gamma(shape_risen) + shape_risen * std::log(shape_risen) -
                             log_gamma(e + shape_normal) + log_gamma(shape_normal) -
                             shape_normal * std::log(shape_normal));
    }
  }

  attribution_answer run() {
    attribution_answer out;
    if (slices_.size() == 0)
      return out;
    by_leaves_ = true;
    if (rank(out)) {
      peel(out);
      return out;
    }
    by_leaves_ = false;
    if (rank(out))
      peel(out);
    return out;
  }

private:
  /// Scores every slice against the original expectation; false if none is good enough.
  bool rank(attribution_answer& out) {
    expected_ = original_;
    score();
    std::vector<std::uint32_t> order;
    for (std::uint32_t g = 0; g < scores_.size(); ++g)
      if (scores_[g] > 0)
        order.push_back(g);
    const auto most = std::min(most_causes, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                      [this](std::uint32_t a, std::uint32_t b) {
                        return scores_[a] != scores_[b] ? scores_[a] > scores_[b] : a < b;
                      });
    order.resize(most);
    out.ranking.clear();
    for (const auto g : order)
      out.ranking.push_back(slices_.describe(g, scores_[g]));
    return most > 0 && scores_[order.front()] >= least_;
  }

  void peel(attribution_answer& out) {
    const auto everywhere = score_of_all();
    auto together = 0.0;
    auto least = least_;
    while (true) {
      // The first of the best: slices stand in the order that ties follow.
      const auto best = static_cast<std::uint32_t>(std::max_element(scores_.begin(), scores_.end()) - scores_.begin());
      const auto score_now = scores_[best];
      if (score_now < least)
        break;
      out.causes.push_back(slices_.describe(best, score_now));
      together += score_now - log_slices_;
      if (out.causes.size() == most_causes)
        break;
      least = std::max(least_, least_share * out.causes.front().score);
      explain(best);
      score();
    }
    if (together < everywhere)
      out.causes.clear();
  }

  void sum(const std::vector<double>& of, std::vector<double>& sums) const {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t c = 0; c < slices_.combinations(); ++c) {
      const auto* slice = slices_.slices_of(c);
      for (std::size_t i = 0; i < slices_.rows(); ++i)
        sums[slice[i]] += of[i];
    }
  }

  static double poisson_score(double failed, double expected) {
    return failed > expected ? failed * std::log(failed / expected) - (failed - expected) : 0;
  }

  /// What does not depend on a slice's ratio R: score = sum of own + e ln R - (shape + e) ln(shape + R m).
  double own_term(std::size_t i) const {
    return gamma_terms_[i] + (shape_normal + failed_[i]) * std::log(shape_normal + expected_[i]);
  }
  double ratio_term(std::size_t i, double ratio) const {
    return (shape_risen + failed_[i]) * std::log(shape_risen + ratio * expected_[i]);
  }

  void score() {
    sum(expected_, sum_expected_);
    for (std::size_t g = 0; g < scores_.size(); ++g)
      scores_[g] = poisson_score(sum_failed_[g], sum_expected_[g]);
    if (by_leaves_)
      score_leaves();
  }

  void score_leaves() {
    for (std::size_t i = 0; i < slices_.rows(); ++i)
      own_[i] = own_term(i);
    ratios_.assign(scores_.size(), 0);
    for (std::size_t g = 0; g < scores_.size(); ++g) {
      if (scores_[g] >= least_)
        ratios_[g] = sum_failed_[g] / sum_expected_[g];
      scores_[g] = ratios_[g] > 0 ? sum_failed_[g] * std::log(ratios_[g]) : 0;
    }
    for (std::size_t c = 0; c < slices_.combinations(); ++c) {
      const auto* slice = slices_.slices_of(c);
      for (std::size_t i = 0; i < slices_.rows(); ++i)
        if (const auto ratio = ratios_[slice[i]]; ratio > 0)
          scores_[slice[i]] += own_[i] - ratio_term(i, ratio);
    }
  }

  double score_of_all() const {
    const auto failed = std::accumulate(failed_.begin(), failed_.end(), 0.0);
    const auto expected = std::accumulate(original_.begin(), original_.end(), 0.0);
    if (!by_leaves_ || failed <= expected)
      return poisson_score(failed, expected);
    const auto ratio = failed / expected;
    auto score = failed * std::log(ratio);
    for (std::size_t i = 0; i < slices_.rows(); ++i)
      score += own_term(i) - ratio_term(i, ratio);
    return score;
  }

  void explain(std::uint32_t cause) {
    const auto ratio = sum_failed_[cause] / sum_expected_[cause];
    const auto* slice = slices_.slices_of(slices_.combination_of(cause));
    for (std::size_t i = 0; i < slices_.rows(); ++i)
      if (slice[i] == cause)
        expected_[i] = by_leaves_ ? std::max(explained, failed_[i]) : expected_[i] * ratio;
  }

  slice_index slices_;
  std::vector<double> failed_, original_, expected_, own_, gamma_terms_; // by leaf
  std::vector<double> sum_failed_, sum_expected_, scores_, ratios_;      // by slice
  double log_slices_;
  double least_;
  bool by_leaves_ = true;
};

} // namespace

std::vector<double> expected_leaf_rates(const attribution_past& past) {
  const auto rows = past.total.size();
  std::vector<double> rates(rows, 0.0);
  const auto total = std::accumulate(past.total.begin(), past.total.end(), 0.0);
  const auto failed = std::accumulate(past.failed.begin(), past.failed.end(), 0.0);
  if (!(total > 0))
    return rates;
  const auto overall = within(failed / total, least_rate, most_rate);
  std::vector<double> main(rows, overall);
  std::vector<double> totals, failures;
  for (std::size_t a = 0; a < past.dimensions; ++a) {
    totals.clear();
    failures.clear();
    for (std::size_t i = 0; i < rows; ++i) {
      const auto code = past.codes[i * past.dimensions + a];
      if (code >= totals.size()) {
        totals.resize(code + 1);
        failures.resize(code + 1);
      }
      totals[code] += past.total[i];
      failures[code] += past.failed[i];
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const auto code = past.codes[i * past.dimensions + a];
      main[i] *= (failures[code] + pseudo_events * overall) / (totals[code] + pseudo_events) / overall;
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const auto prior = within(main[i], least_rate, most_rate);
    rates[i] =
        within((past.failed[i] + pseudo_events * prior) / (past.total[i] + pseudo_events), least_rate, most_rate);
  }
  return rates;
}

attribution_answer find_causes(const attribution_leaves& leaves) {
  assert(leaves.codes.size() == leaves.failed.size() * leaves.dimensions);
  assert(leaves.expected.size() == leaves.failed.size());
  return search(leaves).run();
}

} // namespace tocsin
