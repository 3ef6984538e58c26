// Looking for causes in a leaf_history.

#include "detectors/incidents/leaf_history.hpp"
#include "models/attribution_scan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace tocsin {

namespace {

constexpr std::size_t most_asked = 8;

std::string_view scope_bytes_of(std::string_view root_bytes) {
  return root_bytes.substr(std::min<std::size_t>(1, root_bytes.size()));
}

} // namespace

/// The leaves of a scope as columns, sorted by key bytes: what they did in [onset, now], and what was to be expected.
struct leaf_history::gathered {
  std::uint32_t scope = 0;
  tick_index onset = 0;
  std::size_t excluded = 0;          ///< ranges that were in force
  std::uint32_t first_dimension = 0; ///< behind the scope's
  std::vector<slot> leaves;
  attribution_past past; ///< codes of the values too
  std::vector<std::vector<std::string_view>> values;
  std::vector<std::unordered_map<std::string_view, std::uint32_t>> codes; ///< of values, by dimension
  std::vector<std::int64_t> total, failed;
  mutable std::vector<double> rate; ///< expected; empty until somebody asks
  /// By dimension and code: its rows, ascending. Where thousands of keys ask, each must not look at every leaf.
  std::vector<std::vector<std::vector<std::uint32_t>>> rows_of;
  bool has_past = false;

  std::size_t rows() const { return total.size(); }
  std::uint32_t code(std::size_t row, std::size_t dimension) const {
    return past.codes[row * past.dimensions + dimension];
  }
  double expected(std::size_t row) const {
    if (rate.empty())
      rate = expected_leaf_rates(past);
    return rate[row] * static_cast<double>(total[row]);
  }

  void append(std::string_view bytes) {
    key_reader reader(bytes);
    key_value value;
    for (std::uint32_t d = 0; reader.next(value); ++d) {
      if (d < first_dimension)
        continue;
      auto& known = codes[d - first_dimension];
      auto& list = values[d - first_dimension];
      const auto [found, is_new] = known.try_emplace(value.encoded, static_cast<std::uint32_t>(list.size()));
      if (is_new)
        list.emplace_back(value.encoded);
      past.codes.push_back(found->second);
    }
  }

  /// Codes by dimension of a set of values; nothing if no leaf has one of them.
  std::optional<std::vector<std::pair<std::size_t, std::uint32_t>>> coded(const value_set& set) const {
    std::vector<std::pair<std::size_t, std::uint32_t>> out;
    for (const auto& [dimension, bytes] : set.values) {
      if (dimension < first_dimension || dimension - first_dimension >= codes.size())
        return std::nullopt;
      const auto at = dimension - first_dimension;
      const auto known = codes[at].find(bytes);
      if (known == codes[at].end())
        return std::nullopt;
      out.emplace_back(at, known->second);
    }
    return out;
  }

  void index_rows() {
    rows_of.resize(past.dimensions);
    for (std::size_t d = 0; d < past.dimensions; ++d) {
      rows_of[d].resize(values[d].size());
      for (std::size_t row = 0; row < rows(); ++row)
        rows_of[d][code(row, d)].push_back(static_cast<std::uint32_t>(row));
    }
  }
  /// Calls visit(row) for each row that has all of the values, in order.
  template <class Set, class Visit>
  void for_each(const Set& set, const Visit& visit) const {
    const std::vector<std::uint32_t>* fewest = nullptr;
    for (const auto& [d, value] : set)
      if (fewest == nullptr || rows_of[d][value].size() < fewest->size())
        fewest = &rows_of[d][value];
    const auto count = fewest != nullptr ? fewest->size() : rows();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = fewest != nullptr ? (*fewest)[i] : i;
      if (has(row, set))
        visit(row);
    }
  }

  template <class Set>
  bool has(std::size_t row, const Set& set) const {
    return std::all_of(set.begin(), set.end(), [&](const auto& v) { return code(row, v.first) == v.second; });
  }
};

leaf_history::scope_order& leaf_history::in_scopes() const {
  if (scope_order_)
    return *scope_order_;
  scope_order_ = std::make_unique<scope_order>();
  auto& out = *scope_order_;
  out.begins.assign(scopes_.size() + 1, 0);
  for (const auto& l : leaves_)
    if (!l.bytes.empty())
      ++out.begins[l.scope + 1];
  std::partial_sum(out.begins.begin(), out.begins.end(), out.begins.begin());
  auto next = out.begins;
  out.leaves.resize(alive_);
  for (slot at = 0; at < leaves_.size(); ++at)
    if (!leaves_[at].bytes.empty())
      out.leaves[next[leaves_[at].scope]++] = at;
  out.row_of.resize(leaves_.size());
  return out;
}

std::shared_ptr<const leaf_history::gathered> leaf_history::gather(std::uint32_t scope, tick_index onset) const {
  const auto excluded = left_out_ != nullptr ? left_out_->in_force() : 0;
  for (const auto& known : asked_)
    if (known->scope == scope && known->onset == onset && known->excluded == excluded)
      return known;
  auto out = std::make_shared<gathered>();
  out->excluded = excluded;
  out->scope = scope;
  out->onset = onset;
  out->first_dimension = monitor_->scope_size;
  out->past.dimensions = monitor_->dimensions.size() - monitor_->scope_size;
  out->values.resize(out->past.dimensions);
  out->codes.resize(out->past.dimensions);

  auto& order = in_scopes();
  std::vector<slot> rows(order.leaves.begin() + order.begins[scope], order.leaves.begin() + order.begins[scope + 1]);
  std::sort(rows.begin(), rows.end(), [this](slot a, slot b) { return leaves_[a].bytes < leaves_[b].bytes; });
  auto& row_of = order.row_of;
  const auto start = tick_start(onset, monitor_->tick);
  const auto hour = tick_of(start, hour_ms);
  out->leaves = rows;
  for (const auto at : rows) {
    row_of[at] = static_cast<std::uint32_t>(out->past.total.size());
    out->append(leaves_[at].bytes);
    const auto taught = aged(leaves_[at].taught, hour);
    out->past.total.push_back(static_cast<double>(taught.total) / one);
    out->past.failed.push_back(static_cast<double>(taught.failed) / one);
  }
  out->total.resize(rows.size());
  out->failed.resize(rows.size());

  const auto& of = scopes_[scope];
  const auto clean_from = of.ended == never ? std::numeric_limits<time_ms>::min() : tick_end(of.ended, monitor_->tick);
  for (const auto which : {hours, minutes, ticks})
    for (const auto& b : tiers_[which]) {
      const bool is_now = end_of(which, b.number) > start;
      const bool is_known = start_of(which, b.number) >= clean_from && (which != hours || b.number > of.taught);
      if (!is_now && !is_known)
        continue;
      const auto first = std::partition_point(b.entries.begin(), b.entries.end(),
                                              [&](const entry& e) { return leaves_[e.at].scope < scope; });
      for (auto at = first; at != b.entries.end() && leaves_[at->at].scope == scope; ++at) {
        const auto& e = *at;
        const auto row = row_of[e.at];
        if (is_now) {
          out->total[row] = saturated_sum(out->total[row], static_cast<std::int64_t>(e.total));
          out->failed[row] += e.failed;
        } else if (!is_excluded(e.at, which, b.number)) {
          // Whole numbers below 2^53: exact in any order.
          out->past.total[row] += static_cast<double>(e.total);
          out->past.failed[row] += static_cast<double>(e.failed);
        }
      }
    }
  out->has_past = std::any_of(out->past.total.begin(), out->past.total.end(), [](double n) { return n > 0; });
  out->index_rows();
  if (asked_.size() == most_asked)
    asked_.erase(asked_.begin());
  asked_.push_back(out);
  return out;
}

/// Each leaf keeps its weight, or takes that of what it has counted, and gets its own rate of late; where it counted
/// little, that of the key.
void leaf_history::accept(std::string_view root_bytes, const value_set& key, tick_index onset) {
  constexpr double own_from = 50; // events, the weight of the key's rate
  const auto scope = known_scope(scope_bytes_of(root_bytes));
  if (!scope)
    return;
  const auto from = gather(*scope, onset);
  const auto values = from->coded(key);
  if (!values)
    return;
  std::int64_t total = 0, failed = 0;
  from->for_each(*values, [&](std::size_t row) {
    total = saturated_sum(total, from->total[row]);
    failed = saturated_sum(failed, from->failed[row]);
  });
  const auto rate = static_cast<double>(failed) / static_cast<double>(std::max<std::int64_t>(1, total));
  from->for_each(*values, [&](std::size_t row) {
    auto& of = leaves_[from->leaves[row]];
    const auto now = aged(of.taught, hour_);
    const auto own =
        (static_cast<double>(from->failed[row]) + own_from * rate) / (static_cast<double>(from->total[row]) + own_from);
    of.taught.total = std::max(now.total, fixed(static_cast<std::uint64_t>(from->total[row])));
    of.taught.failed =
        std::min(of.taught.total, static_cast<std::int64_t>(std::llround(own * static_cast<double>(of.taught.total))));
    of.taught.hour = now.hour;
    leaf_changed(from->leaves[row]);
  });
  asked_.clear();
}

leaf_sums leaf_history::sums(std::string_view root_bytes, const value_set& a, const value_set& b,
                             tick_index onset) const {
  leaf_sums out;
  const auto scope = known_scope(scope_bytes_of(root_bytes));
  if (!scope)
    return out;
  const auto from = gather(*scope, onset);
  auto both = from->coded(a);
  const auto second = from->coded(b);
  if (!both || !second)
    return out;
  both->insert(both->end(), second->begin(), second->end());
  from->for_each(*both, [&](std::size_t row) {
    out.total = saturated_sum(out.total, from->total[row]);
    out.failed += from->failed[row];
    out.expected += from->expected(row);
  });
  return out;
}

std::map<std::string, leaf_history::past_and_present>
leaf_history::by_last_dimension(std::string_view root_bytes, const value_set& within, tick_index onset) const {
  std::map<std::string, past_and_present> out;
  const auto scope = known_scope(scope_bytes_of(root_bytes));
  if (!scope)
    return out;
  const auto from = gather(*scope, onset);
  const auto fixed_values = from->coded(within);
  if (!fixed_values || from->past.dimensions == 0)
    return out;
  const auto last = from->past.dimensions - 1;
  // The rows are sorted by key bytes, so that the sums do not depend on slots.
  from->for_each(*fixed_values, [&](std::size_t row) {
    auto& sums = out[std::string(from->values[last][from->code(row, last)])];
    sums.failed += from->failed[row];
    sums.before += from->past.failed[row];
  });
  return out;
}

std::vector<cause> leaf_history::causes(std::string_view root_bytes, const value_set& within, tick_index onset) const {
  return ask(root_bytes, within, onset, false);
}

std::vector<cause> leaf_history::ranking(std::string_view root_bytes, const value_set& within, tick_index onset) const {
  return ask(root_bytes, within, onset, true);
}

std::vector<cause> leaf_history::ask(std::string_view root_bytes, const value_set& within, tick_index onset,
                                     bool ranked) const {
  std::vector<cause> out;
  const auto scope = known_scope(scope_bytes_of(root_bytes));
  if (!scope)
    return out;
  const auto from = gather(*scope, onset);
  const auto fixed_values = from->coded(within);
  if (!fixed_values || !from->has_past)
    return out;

  // The values of the incident's key are the same in all of its leaves, so the search leaves them out.
  attribution_leaves leaves;
  leaves.dimensions = from->past.dimensions;
  std::vector<std::size_t> rows;
  leaf_sums all;
  from->for_each(*fixed_values, [&](std::size_t row) {
    if (from->total[row] == 0)
      return;
    rows.push_back(row);
    for (std::size_t d = 0; d < leaves.dimensions; ++d)
      leaves.codes.push_back(from->code(row, d));
    leaves.failed.push_back(from->failed[row]);
    leaves.expected.push_back(from->expected(row));
    all.total = saturated_sum(all.total, from->total[row]);
    all.failed += from->failed[row];
    all.expected += from->expected(row);
  });
  const auto all_excess = static_cast<double>(all.failed) - all.expected;
  auto answer = find_causes(leaves);
  for (const auto& slice : ranked ? answer.ranking : answer.causes) {
    leaf_sums in;
    for (const auto row : rows)
      if (from->has(row, slice.values)) {
        in.total += from->total[row];
        in.failed += from->failed[row];
        in.expected += from->expected(row);
      }
    cause one_cause;
    for (const auto& [d, code] : slice.values)
      one_cause.set.values.emplace_back(d + from->first_dimension, from->values[d][code]);
    one_cause.excess = static_cast<double>(in.failed) - in.expected;
    one_cause.share = all_excess > 0 ? std::clamp(one_cause.excess / all_excess, 0.0, 1.0) : 0;
    const auto others = all.total - in.total;
    one_cause.rate_without = others > 0 ? static_cast<double>(all.failed - in.failed) / static_cast<double>(others) : 0;
    one_cause.score = slice.score;
    out.push_back(std::move(one_cause));
  }
  return out;
}

} // namespace tocsin
