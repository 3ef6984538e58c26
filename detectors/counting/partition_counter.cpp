#include "detectors/counting/partition_counter.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin {

void counting_stats::add(const counting_stats& other) {
  events += other.events;
  filtered += other.filtered;
  late += other.late;
  parked += other.parked;
  pooled += other.pooled;
  hashed_values += other.hashed_values;
  for (std::size_t i = 0; i < rejected.size(); ++i)
    rejected[i] += other.rejected[i];
}

partition_counter::partition_counter(std::shared_ptr<const world_spec> spec, partition_id partition, rewind_point start,
                                     time_ms judged_through, std::vector<journal_entry> journal)
    : spec_(std::move(spec)), partition_(partition), watermark_(start.watermark), judged_through_(judged_through),
      next_offset_(start.offset), monitors_(spec_->monitors.size()) {
  for (std::size_t m = 0; m < monitors_.size(); ++m)
    monitors_[m].length = spec_->monitors[m].tick;
  std::stable_sort(journal.begin(), journal.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  for (const auto& entry : journal)
    if (entry.partition == partition_ && entry.offset >= start.offset)
      journal_.push_back(entry);
  apply_journal(next_offset_);
}

/// The leaf cells of a busy tick do not fit into the cache; what events ahead will need is fetched meanwhile.
[[gnu::always_inline]] inline void partition_counter::prefetch(const event_batch& batch, std::size_t i) const {
  constexpr std::size_t entry_ahead = 16, cell_ahead = 8;
  if (i + entry_ahead >= batch.events.size())
    return;
  for (std::size_t m = 0; m < monitors_.size(); ++m) {
    const auto* tick = monitors_[m].current;
    if (tick == nullptr)
      continue;
    tick->table.prefetch(batch.observations[m][i + entry_ahead].leaf);
    tick->table.prefetch_cell(batch.observations[m][i + cell_ahead].leaf);
  }
}

void partition_counter::count(const event_batch& batch) {
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    prefetch(batch, i);
    if (!journal_.empty())
      apply_journal(batch.events[i].offset);
    take_event(batch, i);
  }
  next_offset_ = batch.next_offset;
  if (!journal_.empty())
    apply_journal(next_offset_);
  out_.stats.filtered += batch.filtered;
  out_.stats.hashed_values += batch.hashed_values;
  for (const auto& bad : batch.rejects) {
    ++out_.stats.rejected[static_cast<std::size_t>(bad.reason)];
    out_.rejects.push_back(bad);
  }
  count_untold(batch);
}

void partition_counter::count_untold(const event_batch& batch) {
  for (std::size_t reason = 0; reason < reject_reasons; ++reason) {
    if (batch.untold[reason] == 0)
      continue;
    out_.stats.rejected[reason] += batch.untold[reason];
    out_.rejects.push_back({partition_,
                            batch.next_offset,
                            static_cast<reject_reason>(reason),
                            "and " + std::to_string(batch.untold[reason]) +
                                " more like this before here, since offset " + std::to_string(batch.begin),
                            {}});
  }
}

void partition_counter::take_event(const event_batch& batch, std::size_t i) {
  const auto& what = batch.events[i];
  if (!parked_.empty())
    drop_contradicted(what.time);
  // A restart at this record is exact unless older records are parked; then it is exact where the first of them was.
  const auto before = parked_.empty() ? rewind_point{what.offset, watermark_} : parked_.front().before;
  if (what.time - watermark_ > lead()) {
    park(batch, i, before);
    return;
  }
  count_event(
      what, [&](std::size_t monitor) -> const observation& { return batch.observations[monitor][i]; }, batch.key_bytes,
      before);
  if (!parked_.empty())
    release_parked(beginning_of_time);
}

template <class SeenBy>
void partition_counter::count_event(const event& what, const SeenBy& seen_by, const std::string& key_bytes,
                                    const rewind_point& before) {
  if (watermark_ - what.time > spec_->correction) {
    reject_event(what, reject_reason::too_late,
                 "event time " + format_rfc3339(what.time) + " is more than " + format_duration(spec_->correction) +
                     " behind the watermark " + format_rfc3339(watermark_));
    return;
  }
  for (std::size_t m = 0; m < monitors_.size(); ++m)
    count_observation(m, what, seen_by(m), key_bytes, before);
  ++out_.stats.events;
  raise_watermark(what.time - holdback(*spec_));
}

void partition_counter::count_observation(std::size_t monitor, const event& what, const observation& seen,
                                          const std::string& key_bytes, const rewind_point& before) {
  if (seen.total == 0)
    return;
  auto& state = monitors_[monitor];
  auto* tick = state.current;
  if (tick == nullptr || what.time < state.current_start || what.time >= state.current_end)
    tick = tick_for(monitor, what, before);
  if (tick == nullptr)
    return; // judged before the restart
  // A record that was parked comes after its successors.
  if (before.offset < tick->first.offset)
    tick->first = before;
  tick->first_offset = std::min(tick->first_offset, what.offset);
  const auto key = std::string_view(key_bytes).substr(seen.key_begin, seen.key_size);
  const bool is_late = what.time < tick->start;
  const bool found_room = is_late
                              ? tick->table.add_late(seen, key, tick_start(tick_of(what.time, minute_ms), minute_ms))
                              : tick->table.add(seen, key);
  if (!found_room)
    ++out_.stats.pooled;
  if (seen.type_size != 0 && tick->types)
    count_type(*tick, seen, key_bytes);
}

/// What failed, in the cell of its leaf key and error type. A late failure counts in the tick that counts it.
void partition_counter::count_type(open_tick& tick, const observation& seen, const std::string& key_bytes) {
  typed_key_.assign(key_bytes, seen.key_begin, seen.key_size);
  typed_key_.append(key_bytes, seen.type_begin, seen.type_size);
  // The size of a key is stored in two bytes.
  if (typed_key_.size() > std::numeric_limits<std::uint16_t>::max())
    return;
  auto failure = seen;
  failure.leaf = hash_key(typed_key_);
  failure.total = seen.failed;
  tick.types->add(failure, typed_key_);
}

partition_counter::open_tick* partition_counter::tick_for(std::size_t monitor, const event& what,
                                                          const rewind_point& before) {
  auto& state = monitors_[monitor];
  // The event's own tick, or the oldest open one if the watermark has passed its own.
  const auto own = tick_of(what.time, state.length);
  const auto oldest = tick_of(watermark_, state.length);
  if (own < oldest && monitor == 0)
    ++out_.stats.late;
  const auto number = std::max(own, oldest);
  const auto end = tick_end(number, state.length);
  if (end <= judged_through_)
    return nullptr;
  auto& slot = state.open[number];
  if (!slot) {
    if (state.spare.empty()) {
      const auto& of = spec_->monitors[monitor];
      const auto values = of.dimensions.size();
      slot = std::make_unique<open_tick>(open_tick{leaf_table(of, values, of.capacity.max_leaf_cells), std::nullopt,
                                                   before, what.offset, end - state.length});
      if (of.error_type)
        slot->types.emplace(of, values + 1, most_type_cells(of.capacity));
    } else {
      slot = std::move(state.spare.back());
      state.spare.pop_back();
      slot->first = before;
      slot->first_offset = what.offset;
      slot->start = end - state.length;
    }
    next_close_ = std::min(next_close_, end);
    last_tick_end_ = std::max(last_tick_end_, end);
  }
  if (own == number) {
    state.current = slot.get();
    state.current_start = end - state.length;
    state.current_end = end;
  }
  return slot.get();
}

// ---- Records too far ahead. A record may wait; its successors decide: it is dropped once a successor is more than
// max_ahead (and settle: an outcome may be told so late) earlier, so its clock was wrong, and counted once the
// watermark comes near, or when enough of them have gathered, or at the end.

void partition_counter::park(const event_batch& batch, std::size_t i, const rewind_point& before) {
  parked_event parked;
  parked.what = batch.events[i];
  parked.before = before;
  for (std::size_t m = 0; m < monitors_.size(); ++m) {
    auto seen = batch.observations[m][i];
    const auto begin = static_cast<std::uint32_t>(parked.key_bytes.size());
    parked.key_bytes.append(batch.key_bytes, seen.key_begin, seen.key_size);
    seen.key_begin = begin;
    if (seen.type_size != 0) {
      const auto type_begin = static_cast<std::uint32_t>(parked.key_bytes.size());
      parked.key_bytes.append(batch.key_bytes, seen.type_begin, seen.type_size);
      seen.type_begin = type_begin;
    }
    parked.observations.push_back(seen);
  }
  parked_.push_back(std::move(parked));
  ++out_.stats.parked;
  if (parked_.size() >= spec_->ahead_accept)
    release_parked(end_of_time);
}

void partition_counter::drop_contradicted(time_ms time) {
  for (auto it = parked_.begin(); it != parked_.end();) {
    if (it->what.time - time <= lead()) {
      ++it;
      continue;
    }
    reject_event(it->what, reject_reason::too_far_ahead,
                 "event time " + format_rfc3339(it->what.time) + " is more than " + format_duration(lead()) +
                     " ahead of the record after it");
    it = parked_.erase(it);
  }
}

void partition_counter::release_parked(time_ms limit) {
  // By time, so that it does not matter in how many steps the limit rose (a store keeps the highest journal entry at an
  // offset). Each one counted may bring the watermark near others.
  while (!parked_.empty()) {
    const auto next = std::min_element(parked_.begin(), parked_.end(),
                                       [](const auto& a, const auto& b) { return a.what.time < b.what.time; });
    if (next->what.time > limit && next->what.time - watermark_ > lead())
      return;
    const auto parked = std::move(*next);
    parked_.erase(next);
    count_event(
        parked.what, [&](std::size_t monitor) -> const observation& { return parked.observations[monitor]; },
        parked.key_bytes, parked.before);
  }
}

void partition_counter::reject_event(const event& what, reject_reason reason, std::string detail) {
  ++out_.stats.rejected[static_cast<std::size_t>(reason)];
  out_.rejects.push_back({partition_, what.offset, reason, std::move(detail), {}});
}

// ---- Watermark, journal, closing.

void partition_counter::advance(time_ms watermark, journal_kind kind) {
  if (watermark <= watermark_)
    return;
  // Noted even where a parked record, once released, raises the watermark further: the release is an effect, too.
  out_.journal.push_back({partition_, next_offset_, watermark, kind});
  raise_without_record(watermark);
}

void partition_counter::raise_without_record(time_ms watermark) {
  release_parked(watermark + lead());
  raise_watermark(watermark);
}

void partition_counter::apply_journal(stream_offset offset) {
  while (!journal_.empty() && journal_.front().offset <= offset) {
    const auto watermark = journal_.front().watermark;
    journal_.pop_front();
    if (watermark > watermark_)
      raise_without_record(watermark);
  }
}

void partition_counter::raise_watermark(time_ms watermark) {
  if (watermark <= watermark_)
    return;
  watermark_ = watermark;
  if (watermark_ >= next_close_)
    close_ticks(watermark_);
}

void partition_counter::close_ticks(time_ms through) {
  const auto first_new = out_.slices.size();
  next_close_ = end_of_time;
  for (std::size_t m = 0; m < monitors_.size(); ++m) {
    auto& state = monitors_[m];
    while (!state.open.empty()) {
      auto& [number, tick] = *state.open.begin();
      const auto end = tick_end(number, state.length);
      if (end > through) {
        next_close_ = std::min(next_close_, end);
        break;
      }
      auto slice = std::make_shared<tick_slice>();
      slice->monitor = static_cast<std::uint32_t>(m);
      slice->tick = number;
      slice->end = end;
      slice->partition = partition_;
      slice->first_offset = tick->first_offset;
      slice->restart = tick->first;
      tick->table.take(*slice, slice->late);
      if (tick->types) {
        std::vector<late_part> none;
        tick->types->take(slice->types, none);
      }
      out_.slices.push_back(std::move(slice));
      if (state.current == tick.get())
        state.current = nullptr;
      state.spare.push_back(std::move(tick));
      state.open.erase(state.open.begin());
    }
  }
  std::sort(out_.slices.begin() + static_cast<std::ptrdiff_t>(first_new), out_.slices.end(),
            [](const auto& a, const auto& b) { return judged_before(*a, *b); });
}

void partition_counter::finish() {
  if (!parked_.empty()) {
    // More records, should the input grow, might contradict them: accepting them at this end is a fact to remember.
    const auto furthest = std::max_element(parked_.begin(), parked_.end(), [](const auto& a, const auto& b) {
                            return a.what.time < b.what.time;
                          })->what.time;
    advance(furthest - lead(), journal_kind::end);
  }
  close_ticks(end_of_time);
  ended_ = true;
}

rewind_point partition_counter::rewind() const {
  rewind_point earliest{next_offset_, watermark_};
  const auto consider = [&](const rewind_point& point) {
    if (point.offset < earliest.offset)
      earliest = point;
  };
  if (!parked_.empty())
    consider(parked_.front().before);
  for (const auto& state : monitors_)
    for (const auto& [number, tick] : state.open)
      consider(tick->first);
  return earliest;
}

counted partition_counter::take() {
  out_.partition = partition_;
  out_.watermark = watermark_;
  out_.ended = ended_;
  out_.last_tick_end = last_tick_end_;
  out_.rewind = rewind();
  out_.next_offset = next_offset_;
  return std::exchange(out_, {});
}

} // namespace tocsin
