#include "detectors/incidents/leaf_history.hpp"

#include "detectors/judging/keyed_state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tocsin {

namespace {

constexpr std::int64_t minutes_as_ticks = 5; ///< whole minutes, before the present one, that are kept as ticks
constexpr std::int64_t hours_as_minutes = 1; ///< whole hours, before the present one, that are kept as minutes
constexpr std::int64_t hours_kept = 48;
constexpr double half_life_hours = 24;

} // namespace

leaf_history::leaf_history(const monitor_spec& monitor, std::uint32_t shard)
    : monitor_(&monitor), shard_(shard), most_leaves_(part_of_shard(monitor.capacity.max_leaves, monitor)),
      // Within a tick it may grow to twice that; each scope may add its pooled leaf.
      most_slots_(2 * most_leaves_ + part_of_shard(monitor.capacity.max_scopes, monitor) + 1) {}

std::int64_t leaf_history::bucket_of(tier which, tick_index tick) const {
  const auto start = tick_start(tick, monitor_->tick);
  return which == ticks ? tick : tick_of(start, which == minutes ? minute_ms : hour_ms);
}

time_ms leaf_history::start_of(tier which, std::int64_t number) const {
  return number * (which == ticks ? monitor_->tick : which == minutes ? minute_ms : hour_ms);
}

time_ms leaf_history::end_of(tier which, std::int64_t number) const {
  // The tick that begins last in a bucket may end behind it.
  const auto next = start_of(which, number + 1);
  return which == ticks ? next : tick_end(tick_of(next - 1, monitor_->tick), monitor_->tick);
}

std::int64_t leaf_history::fixed(std::uint64_t count) {
  return count > static_cast<std::uint64_t>(most_taught / one) ? most_taught : static_cast<std::int64_t>(count) * one;
}

// ---- Counting.

void leaf_history::counts_changed() {
  asked_.clear();
  scope_order_.reset();
}

void leaf_history::begin(tick_index tick, const std::function<bool(std::string_view)>& is_open) {
  counts_changed();
  const auto now = tick_start(tick, monitor_->tick);
  const auto oldest_minute = tick_of(now, minute_ms) - minutes_as_ticks;
  hour_ = tick_of(now, hour_ms);
  const auto oldest_hour = hour_ - hours_as_minutes;
  for (auto& fine = tiers_[ticks]; !fine.empty();) {
    const auto minute = bucket_of(minutes, fine.front().number);
    if (minute >= oldest_minute)
      break;
    merge_front(ticks, minutes, minute);
  }
  bool taught = false;
  for (auto& fine = tiers_[minutes]; !fine.empty();) {
    const auto hour = tick_of(start_of(minutes, fine.front().number), hour_ms);
    if (hour >= oldest_hour)
      break;
    merge_front(minutes, hours, hour);
    teach(tiers_[hours].back(), is_open);
    taught = true;
  }
  while (!tiers_[hours].empty() && tiers_[hours].front().number < hour_ - hours_kept)
    drop_front(hours);
  if (taught)
    forget_idle();
  current_ = &start_bucket(ticks, tick);
}

void leaf_history::add(const cell_columns& slice) {
  constexpr std::uint32_t ahead = 16;
  const auto end = slice.shard_begin[shard_ + 1];
  for (auto i = slice.shard_begin[shard_]; i < end; ++i) {
    if (i + ahead < end)
      index_.prefetch(slice.cells[i + ahead].leaf);
    const auto& cell = slice.cells[i];
    add(cell.leaf, slice.key_of(cell), cell.scope_size, cell.total, cell.failed);
  }
}

void leaf_history::add(const key_hash& hash, std::string_view bytes, std::size_t scope_size, std::int64_t total,
                       std::int64_t failed) {
  const auto at = find_or_make(hash, bytes, scope_size);
  if (at != nowhere)
    add_to(*current_, at, total, failed);
}

void leaf_history::finish() {
  order_by_scope(current_->entries);
  current_ = nullptr;
  if (alive_ > most_leaves_)
    let_go(lightest());
  // A restart would not know of an empty bucket.
  if (tiers_[ticks].back().entries.empty())
    tiers_[ticks].pop_back();
}

void leaf_history::ended(std::string_view scope_bytes, tick_index tick) {
  asked_.clear();
  if (const auto scope = known_scope(scope_bytes)) {
    scopes_[*scope].ended = tick;
    scope_changed(*scope);
  }
}

leaf_history::slot leaf_history::find(const key_hash& hash) const {
  const auto known = index_.find(hash, [this](std::uint32_t at) -> const key_hash& { return hashes_[at]; });
  return known == hash_index::none ? nowhere : slots_[known];
}

leaf_history::slot leaf_history::find_or_make(const key_hash& hash, std::string_view bytes, std::size_t scope_size) {
  const auto known = find(hash);
  if (known != nowhere)
    return known;
  const auto scope = scope_at(bytes.substr(0, scope_size));
  const auto made = alive_ < 2 * most_leaves_ ? make(hash, bytes, scope) : pooled(scope);
  if (scopes_[scope].leaves == 0)
    erase_scope(scope);
  return made;
}

leaf_history::slot leaf_history::make(const key_hash& hash, std::string_view bytes, std::uint32_t scope) {
  if (alive_ >= most_slots_)
    return nowhere;
  slot at = nowhere;
  if (free_.empty()) {
    at = static_cast<slot>(leaves_.size());
    leaves_.emplace_back();
    places_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  put(at, bytes, scope);
  leaf_changed(at);
  index_.append(hash, [this](std::uint32_t i) -> const key_hash& { return hashes_[i]; });
  hashes_.push_back(hash);
  slots_.push_back(at);
  return at;
}

void leaf_history::put(slot at, std::string_view bytes, std::uint32_t scope) {
  auto& made = leaves_[at];
  made.bytes.assign(bytes);
  made.scope = scope;
  made.taught = {0, 0, hour_};
  ++scopes_[scope].leaves;
  ++alive_;
}

/// The leaf `(other)` of a scope.
leaf_history::slot leaf_history::pooled(std::uint32_t scope) {
  auto bytes = scopes_[scope].bytes;
  for (std::size_t d = monitor_->scope_size; d < monitor_->dimensions.size(); ++d)
    append_pooled(bytes);
  const auto hash = hash_key(bytes);
  const auto known = find(hash);
  return known != nowhere ? known : make(hash, bytes, scope);
}

void leaf_history::add_to(bucket& into, slot at, std::int64_t total, std::int64_t failed) {
  constexpr auto most_failed = std::uint64_t{std::numeric_limits<std::uint32_t>::max()};
  auto& known = places_[at];
  if (known.stamp != stamp_) {
    known = {stamp_, static_cast<std::uint32_t>(into.entries.size())};
    into.entries.push_back({at, 0, 0});
  }
  auto& sum = into.entries[known.index];
  sum.total = std::min(static_cast<std::uint64_t>(most_taught), sum.total + static_cast<std::uint64_t>(total));
  sum.failed = static_cast<std::uint32_t>(std::min(most_failed, sum.failed + static_cast<std::uint64_t>(failed)));
}

std::uint32_t leaf_history::scope_at(std::string_view bytes) {
  const auto hash = hash_key(bytes);
  const auto [position, is_new] = scope_index_.try_emplace(hash, nowhere);
  if (!is_new)
    return position->second;
  std::uint32_t at = 0;
  if (free_scopes_.empty()) {
    at = static_cast<std::uint32_t>(scopes_.size());
    scopes_.emplace_back();
  } else {
    at = free_scopes_.back();
    free_scopes_.pop_back();
  }
  position.value() = at;
  auto& made = scopes_[at];
  made.bytes.assign(bytes);
  made.leaves = 0;
  made.ended = made.taught = never;
  return at;
}

std::optional<std::uint32_t> leaf_history::known_scope(std::string_view bytes) const {
  const auto known = scope_index_.find(hash_key(bytes));
  return known == scope_index_.end() ? std::nullopt : std::optional<std::uint32_t>(known->second);
}

// ---- Buckets grow old.

leaf_history::bucket& leaf_history::start_bucket(tier which, std::int64_t number) {
  ++stamp_;
  tiers_[which].emplace_back();
  tiers_[which].back().number = number;
  return tiers_[which].back();
}

void leaf_history::drop_front(tier which) {
  auto& front = tiers_[which].front();
  if (front.saved)
    erased_buckets_.emplace_back(which, front.number);
  tiers_[which].pop_front();
}

/// All buckets of `from` that lie in the bucket `number` of `into` become that bucket.
void leaf_history::merge_front(tier from, tier into, std::int64_t number) {
  auto& made = start_bucket(into, number);
  auto& fine = tiers_[from];
  const auto length = into == minutes ? minute_ms : hour_ms;
  while (!fine.empty() && tick_of(start_of(from, fine.front().number), length) == number) {
    for (const auto& e : fine.front().entries)
      add_to(made, e.at, static_cast<std::int64_t>(e.total), e.failed);
    drop_front(from);
  }
  order_by_scope(made.entries);
}

/// A counting sort. Takes no more memory than needed, too.
void leaf_history::order_by_scope(std::vector<entry>& entries) const {
  if (scopes_.size() <= 1) {
    entries.shrink_to_fit();
    return;
  }
  std::vector<std::uint32_t> next(scopes_.size() + 1, 0);
  for (const auto& e : entries)
    ++next[leaves_[e.at].scope + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<entry> ordered(entries.size());
  for (const auto& e : entries)
    ordered[next[leaves_[e.at].scope]++] = e;
  entries = std::move(ordered);
}

void leaf_history::teach(const bucket& hour, const std::function<bool(std::string_view)>& is_open) {
  std::vector<char> refused(scopes_.size(), -1);
  for (const auto& e : hour.entries) {
    auto& to = leaves_[e.at];
    auto& scope = scopes_[to.scope];
    auto& answer = refused[to.scope];
    if (answer < 0) {
      const bool is_clean =
          scope.ended == never || start_of(hours, hour.number) >= tick_end(scope.ended, monitor_->tick);
      answer = !is_clean || is_open(scope.bytes);
      if (answer == 0) {
        scope.taught = hour.number;
        scope_changed(to.scope);
      }
    }
    if (answer != 0 || is_excluded(e.at, hours, hour.number))
      continue;
    auto now = aged(to.taught, hour.number);
    now.total = saturated_sum(now.total, fixed(e.total));
    now.failed = saturated_sum(now.failed, fixed(e.failed));
    to.taught = now;
    leaf_changed(e.at);
  }
}

bool leaf_history::is_excluded(slot at, tier which, std::int64_t number) const {
  return left_out_ != nullptr &&
         left_out_->covers_leaf(leaves_[at].bytes, start_of(which, number), end_of(which, number));
}

leaf_history::taught_counts leaf_history::aged(const taught_counts& taught, std::int64_t hour) {
  auto out = taught;
  if (hour <= taught.hour)
    return out;
  const auto kept = std::exp2(-static_cast<double>(hour - taught.hour) / half_life_hours);
  out.total = std::llround(static_cast<double>(taught.total) * kept);
  out.failed = std::min(out.total, static_cast<std::int64_t>(std::llround(static_cast<double>(taught.failed) * kept)));
  out.hour = hour;
  return out;
}

/// Leaves that had no events for two days and have forgotten all.
void leaf_history::forget_idle() {
  std::vector<bool> active(leaves_.size(), false);
  for (const auto& buckets : tiers_)
    for (const auto& b : buckets)
      for (const auto& e : b.entries)
        active[e.at] = true;
  bool any = false;
  for (slot at = 0; at < leaves_.size(); ++at)
    if (!active[at] && !leaves_[at].bytes.empty() && aged(leaves_[at].taught, hour_).total < one) {
      erase(at);
      any = true;
    }
  if (any)
    rebuild_index();
}

// ---- Bounded.

/// The leaf `(other)`: all values behind the scope are pooled, and nothing else is so short.
bool leaf_history::is_tail(const leaf& of) const {
  const auto own = std::string_view(of.bytes).substr(scopes_[of.scope].bytes.size());
  return std::all_of(own.begin(), own.end(), [](char c) { return c == static_cast<char>(value_tag::pooled); });
}

/// Who must go so that an eighth of the room is free. A scope that loses a leaf needs its pooled one; a scope that
/// loses its last own leaf loses everything.
std::vector<leaf_history::slot> leaf_history::lightest() const {
  struct weight {
    std::int64_t failed = 0, total = 0;
  };
  std::vector<weight> weights(leaves_.size());
  for (slot at = 0; at < leaves_.size(); ++at)
    weights[at] = {leaves_[at].taught.failed / one, leaves_[at].taught.total / one};
  for (const auto& buckets : tiers_)
    for (const auto& b : buckets)
      for (const auto& e : b.entries) {
        weights[e.at].failed += e.failed;
        weights[e.at].total = saturated_sum(weights[e.at].total, static_cast<std::int64_t>(e.total));
      }

  std::vector<slot> own, tails(scopes_.size(), nowhere);
  std::vector<std::size_t> own_leaves(scopes_.size(), 0);
  for (slot at = 0; at < leaves_.size(); ++at) {
    const auto& l = leaves_[at];
    if (l.bytes.empty())
      continue;
    if (is_tail(l)) {
      tails[l.scope] = at;
    } else {
      own.push_back(at);
      ++own_leaves[l.scope];
    }
  }
  std::sort(own.begin(), own.end(), [&](slot a, slot b) {
    const auto &x = weights[a], &y = weights[b];
    if (x.failed != y.failed)
      return x.failed < y.failed;
    return x.total != y.total ? x.total < y.total : leaves_[a].bytes < leaves_[b].bytes;
  });

  const auto room = most_leaves_ - most_leaves_ / 8;
  std::vector<bool> has_tail(scopes_.size());
  for (std::size_t s = 0; s < scopes_.size(); ++s)
    has_tail[s] = tails[s] != nowhere;
  std::vector<slot> leaving;
  auto left = alive_;
  for (const auto at : own) {
    if (left <= room)
      break;
    const auto scope = leaves_[at].scope;
    leaving.push_back(at);
    --left;
    if (!has_tail[scope]) {
      has_tail[scope] = true;
      ++left;
    }
    if (--own_leaves[scope] > 0)
      continue;
    --left; // its tail
    if (tails[scope] != nowhere)
      leaving.push_back(tails[scope]);
  }
  return leaving;
}

void leaf_history::let_go(const std::vector<slot>& leaving) {
  std::vector<bool> goes(leaves_.size(), false);
  std::vector<std::size_t> stay(scopes_.size());
  for (std::size_t s = 0; s < scopes_.size(); ++s)
    stay[s] = scopes_[s].leaves;
  for (const auto at : leaving) {
    goes[at] = true;
    --stay[leaves_[at].scope];
  }

  // Each goes on in its scope's tail, unless nothing of the scope stays.
  std::vector<slot> heir(leaves_.size());
  std::iota(heir.begin(), heir.end(), slot{0});
  for (const auto at : leaving) {
    const auto scope = leaves_[at].scope;
    heir[at] = stay[scope] > 0 ? pooled(scope) : nowhere;
    if (heir[at] == nowhere)
      continue;
    auto& tail = leaves_[heir[at]].taught;
    const auto hour = std::max(tail.hour, leaves_[at].taught.hour);
    const auto more = aged(leaves_[at].taught, hour);
    tail = aged(tail, hour);
    tail.total = saturated_sum(tail.total, more.total);
    tail.failed = saturated_sum(tail.failed, more.failed);
    leaf_changed(heir[at]);
  }
  for (auto at = static_cast<slot>(heir.size()); at < leaves_.size(); ++at)
    heir.push_back(at);
  move_entries(heir);
  for (const auto at : leaving)
    erase(at);
  rebuild_index();
}

void leaf_history::move_entries(const std::vector<slot>& heir) {
  for (auto which : {ticks, minutes, hours}) {
    auto& buckets = tiers_[which];
    for (auto& b : buckets) {
      if (std::all_of(b.entries.begin(), b.entries.end(), [&](const entry& e) { return heir[e.at] == e.at; }))
        continue;
      ++stamp_;
      bucket kept;
      for (const auto& e : b.entries)
        if (heir[e.at] != nowhere)
          add_to(kept, heir[e.at], static_cast<std::int64_t>(e.total), e.failed);
      order_by_scope(kept.entries);
      b.entries = std::move(kept.entries);
      b.changed = true;
      if (b.entries.empty() && b.saved)
        erased_buckets_.emplace_back(which, b.number);
    }
    buckets.erase(std::remove_if(buckets.begin(), buckets.end(), [](const bucket& b) { return b.entries.empty(); }),
                  buckets.end());
  }
}

void leaf_history::erase(slot at) {
  auto& gone = leaves_[at];
  auto& scope = scopes_[gone.scope];
  erased_leaves_.push_back(std::move(gone.bytes));
  gone.bytes.clear();
  gone.changed = false;
  free_.push_back(at);
  --alive_;
  if (--scope.leaves == 0)
    erase_scope(gone.scope);
}

void leaf_history::erase_scope(std::uint32_t at) {
  auto& gone = scopes_[at];
  scope_index_.erase(hash_key(gone.bytes));
  erased_scopes_.push_back(std::move(gone.bytes));
  gone.bytes.clear();
  gone.changed = false;
  free_scopes_.push_back(at);
}

void leaf_history::rebuild_index() {
  // The least slot first, so that who gets which does not depend on the order of leaving.
  std::sort(free_.begin(), free_.end(), std::greater<>());
  index_.clear();
  hashes_.clear();
  slots_.clear();
  for (slot at = 0; at < leaves_.size(); ++at) {
    if (leaves_[at].bytes.empty())
      continue;
    const auto hash = hash_key(leaves_[at].bytes);
    index_.append(hash, [this](std::uint32_t i) -> const key_hash& { return hashes_[i]; });
    hashes_.push_back(hash);
    slots_.push_back(at);
  }
}

} // namespace tocsin
