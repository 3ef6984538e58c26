#include "detectors/engine/monitor_shard.hpp"

#include "detectors/incidents/attribution.hpp"
#include "detectors/judging/dimensions.hpp"
#include "detectors/judging/words.hpp"

#include <algorithm>
#include <limits>

namespace tocsin {

namespace {

constexpr std::uint16_t key_version = 4;
constexpr auto never = std::numeric_limits<tick_index>::max();

// Timer tags: what a timer is for, and for which detector.
constexpr std::uint32_t tag_expiry = 0;
constexpr std::uint32_t tag_detector = 1;
constexpr std::uint32_t tag_incident = 2;
constexpr std::uint32_t tag_of(std::uint32_t purpose, std::size_t detector) {
  return purpose | static_cast<std::uint32_t>(detector) << 2;
}

/// Kinds of records of the past of error types: those of leaves as capitals.
constexpr char of_types(char kind) {
  return static_cast<char>(kind - 'a' + 'A');
}
constexpr char of_leaves(char kind) {
  return kind >= 'A' && kind <= 'Z' ? static_cast<char>(kind - 'A' + 'a') : '\0';
}

void append_integer(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
}

std::uint64_t read_integer(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes[i])) << (8 * i);
  return value;
}

} // namespace

monitor_shard::monitor_shard(const world_spec& world, std::uint32_t monitor, std::uint32_t shard)
    : world_(&world), monitor_(&world.monitors[monitor]), monitor_index_(monitor), shard_(shard),
      expire_ticks_(std::max<tick_index>(1, monitor_->expire_after / monitor_->tick)), keys_(*monitor_),
      left_out_(*monitor_, keys_), roll_up_(*monitor_, keys_), late_(monitor_->tick, world.correction),
      wheel_(std::numeric_limits<tick_index>::min() / 4) {
  if (has_attribution(*monitor_)) {
    leaves_ = std::make_unique<leaf_history>(*monitor_, shard_);
    leaves_->heed(left_out_);
  }
  if (monitor_->error_type) {
    types_ = std::make_unique<type_history>(*monitor_, shard_);
    types_->past().heed(left_out_);
  }
  for (std::uint32_t d = 0; d < monitor_->detectors.size(); ++d) {
    judgings_.push_back(
        {make_detector(*monitor_, monitor_->detectors[d], keys_), life_cycle(world, monitor, d, keys_, late_), {}, {}});
    judgings_.back().by->heed(left_out_);
    judgings_.back().incidents.on_remind(
        [this, d](tick_index tick, key_slot slot) { wheel_.schedule(tick, slot, tag_of(tag_incident, d)); });
    if (leaves_)
      judgings_.back().incidents.attribute_by(*leaves_);
    if (types_)
      judgings_.back().incidents.name_types_by(*types_);
  }
}

std::vector<incident_groups::participant> monitor_shard::participants() {
  std::vector<incident_groups::participant> out;
  for (std::uint32_t d = 0; d < judgings_.size(); ++d)
    if (!monitor_->detectors[d].shadow)
      out.push_back({monitor_, monitor_index_, d, &keys_, &judgings_[d].incidents, judgings_[d].by.get(), causes()});
  return out;
}

// ---- Judging.

void monitor_shard::obey(const operator_action& action) {
  if (action.monitor != monitor_->name)
    return;
  left_out_.add(action);
  const auto tick = tick_of(action.in_force, monitor_->tick);
  if (action.kind == action_kind::accept && tick > last_tick_)
    acceptances_.push_back({tick, key_matcher::of(*monitor_, action.key), action.incident});
}

void monitor_shard::begin(const closed_range& range) {
  last_tick_ = tick_of(range.through, monitor_->tick) - 1;
  slices_.clear();
  next_slice_ = 0;
  for (const auto* slice : range.of_shard[shard_])
    if (slice->monitor == monitor_index_)
      slices_.push_back(slice);
}

/// The ticks with counts, and those between them at which something is due without.
std::optional<tick_index> monitor_shard::next_tick() const {
  auto next = next_due();
  if (next_slice_ < slices_.size())
    next = next ? std::min(*next, slices_[next_slice_]->tick) : slices_[next_slice_]->tick;
  return next && *next <= last_tick_ ? next : std::nullopt;
}

std::optional<time_ms> monitor_shard::next_end() const {
  const auto tick = next_tick();
  return tick ? std::optional<time_ms>(tick_end(*tick, monitor_->tick)) : std::nullopt;
}

void monitor_shard::run_next(std::vector<alert>& out) {
  const auto tick = *next_tick();
  auto end = next_slice_;
  while (end < slices_.size() && slices_[end]->tick == tick)
    ++end;
  run_tick(tick, slices_.data() + next_slice_, end - next_slice_, out);
  next_slice_ = end;
}

void monitor_shard::settled(const std::vector<alert>& out) {
  if (leaves_ || types_)
    note_ends(out, first_alert_);
  if (watch_)
    note_tick(*judged_, out, first_alert_);
}

std::optional<tick_index> monitor_shard::next_due() const {
  auto due = wheel_.next_due();
  for (const auto& judging : judgings_)
    if (const auto own = judging.by->next_due())
      due = due ? std::min(*due, *own) : own;
  // Where nobody is, nothing can be accepted.
  if (keys_.size() > 0)
    for (const auto& one : acceptances_)
      due = due ? std::min(*due, one.tick) : one.tick;
  return due;
}

/// An acceptance is made once: in its own tick, which is never skipped where it could have an effect. Parents come
/// first, because their keys' levels hang on theirs, and slots tell nothing of that.
void monitor_shard::take_as_normal(tick_index tick) {
  if (std::none_of(acceptances_.begin(), acceptances_.end(), [&](const auto& one) { return one.tick == tick; }))
    return;
  std::vector<key_slot> slots;
  for (key_slot slot = 0; slot < keys_.slots(); ++slot)
    if (keys_[slot].alive)
      slots.push_back(slot);
  const auto order = parents_first(*monitor_);
  const auto rank = [&](key_slot slot) {
    return std::find(order.begin(), order.end(), keys_[slot].level) - order.begin();
  };
  std::stable_sort(slots.begin(), slots.end(), [&](key_slot a, key_slot b) { return rank(a) < rank(b); });
  for (const auto slot : slots)
    for (const auto& one : acceptances_)
      if (one.tick == tick)
        take_as_normal(one, slot);
}

void monitor_shard::take_as_normal(const acceptance& what, key_slot slot) {
  auto& judging = judgings_[current_];
  const auto* open = judging.incidents.open_incident(slot);
  if (open == nullptr)
    return;
  const bool is_meant =
      what.incident.empty() ? what.key && what.key->is(*monitor_, keys_[slot].bytes) : what.incident == open->who.id;
  if (!is_meant)
    return;
  const auto onset = open->onset;
  keys_.mark_changed(slot);
  if (!accept(slot, *open))
    return;
  const bool is_told = !monitor_->detectors[current_].shadow;
  if (leaves_ && is_told && judging.incidents.measures() == measurement::error_rate)
    leaves_->accept(keys_[keys_[slot].root].bytes, values_of(*monitor_, keys_[slot].bytes), onset);
}

/// True if the detector has taken what the incident counted as normal; then the incident has ended.
bool monitor_shard::accept(key_slot slot, const incident& open) {
  auto& judging = judgings_[current_];
  const auto total = static_cast<double>(open.total), failed = static_cast<double>(open.failed);
  if (open.at != stage::calm)
    return judging.by->accept(slot, failed / std::max(1.0, total), *this);
  // For the detector it is over already.
  if (!judging.by->accept_calm(slot, {total, failed, open.expected}))
    return false;
  keys_.mark_changed(keys_[slot].root);
  judging.incidents.accept_calm(slot, *judging.by);
  return true;
}

void monitor_shard::run_tick(tick_index tick, const tick_slice* const* slices, std::size_t count,
                             std::vector<alert>& out) {
  tick_ = tick;
  offsets_.clear();
  left_out_.advance(tick);
  roll_up_.begin(tick);
  for (std::size_t i = 0; i < count; ++i) {
    roll_up_.add(*slices[i], shard_);
    offsets_.emplace_back(slices[i]->partition, slices[i]->first_offset);
  }
  if (count > 0)
    count_leaves(tick, slices, count);
  const auto* closed = &roll_up_.finish();
  make_room();
  if (monitor_->has_rates) {
    scaled_ = *closed;
    scaled_.late.clear(); // what a late rate is worth cannot be told from the tick's
    effective_.scale(scaled_, &left_out_);
    closed = &scaled_;
  }
  const auto& sums = *closed;
  late_.add(sums);
  for (const auto slot : sums.created)
    welcome(slot);
  wheel_.advance(tick, [this](const timer& due) { fire(due); });
  if (watch_)
    begin_watching();

  judged_ = &sums;
  first_alert_ = out.size();
  for (current_ = 0; current_ < judgings_.size(); ++current_) {
    auto& judging = judgings_[current_];
    judging.by->advance(sums);
    judging.incidents.begin_tick(sums, *judging.by, offsets_, out);
    for (const auto slot : judging.incident_reminded)
      judging.incidents.reminded(slot);
    judging.by->step(sums, judging.reminded, *this);
    take_as_normal(tick);
    judging.incidents.end_tick(*judging.by);
    judging.reminded.clear();
    judging.incident_reminded.clear();
  }
  acceptances_.erase(
      std::remove_if(acceptances_.begin(), acceptances_.end(), [&](const auto& one) { return one.tick <= tick; }),
      acceptances_.end());
  for (const auto& level : sums.levels)
    stats_.judged += level.size();

  if (!due_for_expiry_.empty())
    expire_keys(tick);
  // Not at ticks without events: which of them there are may differ after a restart.
  if (count > 0)
    evict_keys();
}

void monitor_shard::count_leaves(tick_index tick, const tick_slice* const* slices, std::size_t count) {
  for_each_past(
      [&](leaf_history& past) { past.begin(tick, [this](std::string_view scope) { return is_troubled(scope); }); });
  for (std::size_t i = 0; i < count; ++i) {
    if (leaves_)
      leaves_->add(*slices[i]);
    if (types_)
      types_->add(slices[i]->types);
  }
  for_each_past([](leaf_history& past) { past.finish(); });
}

template <class Do>
void monitor_shard::for_each_past(const Do& what) {
  if (leaves_)
    what(*leaves_);
  if (types_)
    what(types_->past());
}

bool monitor_shard::is_troubled(std::string_view scope) const {
  const auto root = keys_.find(hash_key(root_key(scope)));
  if (!root)
    return false;
  for (std::size_t d = 0; d < judgings_.size(); ++d) {
    const auto& incidents = judgings_[d].incidents;
    if (!monitor_->detectors[d].shadow && incidents.measures() == measurement::error_rate &&
        incidents.is_troubled(*root))
      return true;
  }
  return false;
}

/// Where the last incident of a scope has ended, the leaves must not learn from its time.
void monitor_shard::note_ends(const std::vector<alert>& out, std::size_t first_alert) {
  for (auto i = first_alert; i < out.size(); ++i) {
    const auto& record = out[i];
    if (record.monitor_index != monitor_index_ || record.status == alert_status::open || record.shadow ||
        record.measures == measurement::volume)
      continue;
    const auto scope = scope_of(record.key_bytes, monitor_->scope_size);
    if (!is_troubled(scope))
      for_each_past([&](leaf_history& past) { past.ended(scope, tick_of(record.tick, monitor_->tick) - 1); });
  }
}

void monitor_shard::fire(const timer& due) {
  const auto purpose = due.tag & 3;
  if (purpose == tag_expiry) {
    if (due.due == expiry_due_[due.slot]) {
      expiry_due_[due.slot] = never;
      due_for_expiry_.push_back(due.slot);
    }
    return;
  }
  auto& judging = judgings_[due.tag >> 2];
  // A timer may outlive its key; then it is one look too many at whoever has the slot now, which changes nothing.
  if (!keys_[due.slot].alive)
    return;
  keys_.mark_changed(due.slot);
  (purpose == tag_detector ? judging.reminded : judging.incident_reminded).push_back(due.slot);
}

bool monitor_shard::say(verdict&& what) {
  auto& judging = judgings_[current_];
  if (watch_)
    note_verdict(what);
  judging.incidents.hear(what, *judging.by);
  return judging.incidents.is_ongoing(what.slot);
}

void monitor_shard::counted(const key_counts& counts) {
  auto& judging = judgings_[current_];
  judging.incidents.count(counts, *judging.by);
  if (!is_of_type(counts.slot))
    return;
  keys_[counts.slot].last_tick = tick_;
  keys_.mark_changed(counts.slot);
}

key_slot monitor_shard::type_key(key_slot root, std::string_view type) {
  const auto bytes = type_key_of(*monitor_, keys_[root].bytes, type);
  bool is_new = false;
  const auto slot = keys_.touch(hash_key(bytes), bytes, type_level_of(*monitor_), root, tick_, is_new);
  if (is_new) {
    make_room();
    welcome(slot);
  }
  return slot;
}

void monitor_shard::remind(tick_index tick, key_slot slot) {
  wheel_.schedule(tick, slot, tag_of(tag_detector, current_));
}

// ---- Keys come and go.

void monitor_shard::make_room() {
  if (monitor_->has_rates)
    effective_.resize(keys_.slots());
  for (auto& judging : judgings_)
    judging.by->resize(keys_.slots());
}

void monitor_shard::welcome(key_slot slot) {
  // One timer a slot, however often the slot changes hands: an earlier one looks again when it is due.
  const auto due = keys_[slot].last_tick + expire_ticks_;
  if (slot >= expiry_due_.size())
    expiry_due_.resize(keys_.slots(), never);
  if (due >= expiry_due_[slot])
    return;
  expiry_due_[slot] = due;
  wheel_.schedule(due, slot, tag_of(tag_expiry, 0));
}

void monitor_shard::expire_keys(tick_index tick) {
  std::vector<key_slot> gone;
  for (const auto slot : due_for_expiry_) {
    const auto& key = keys_[slot];
    if (!key.alive)
      continue;
    if (key.last_tick + expire_ticks_ > tick)
      welcome(slot);
    else
      gone.push_back(slot);
  }
  due_for_expiry_.clear();
  std::sort(gone.begin(), gone.end());
  gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
  for (auto& judging : judgings_)
    for (const auto slot : gone)
      judging.incidents.expire(slot, *judging.by);
  stats_.keys_expired += gone.size();
  let_go(gone);
}

void monitor_shard::evict_keys() {
  const auto gone = keys_.surplus();
  if (gone.empty())
    return;
  std::vector<bool> leaves(keys_.slots(), false);
  for (const auto slot : gone)
    leaves[slot] = true;
  for (const auto slot : gone) {
    // What it had gathered goes on in the pooled tail of its level, unless its whole scope goes.
    if (leaves[keys_[slot].root] || is_of_type(slot))
      continue;
    const auto tail = pooled_tail(slot);
    for (current_ = 0; current_ < judgings_.size(); ++current_)
      judgings_[current_].by->absorb(slot, tail, *this);
  }
  stats_.keys_evicted += gone.size();
  let_go(gone);
}

key_slot monitor_shard::pooled_tail(key_slot slot) {
  const auto& key = keys_[slot];
  const auto level = key.level;
  const auto root = key.root;
  // No younger than its root, which must not expire before it.
  const auto tick = keys_[root].last_tick;
  auto bytes = keys_[root].bytes;
  bytes[0] = static_cast<char>(level);
  const auto own_dimensions = monitor_->levels[level].dimensions.size() - monitor_->scope_size;
  for (std::size_t i = 0; i < own_dimensions; ++i)
    append_pooled(bytes);
  const auto hash = hash_key(bytes);
  if (const auto known = keys_.find(hash)) {
    keys_[*known].last_tick = std::max(keys_[*known].last_tick, tick);
    keys_.mark_changed(*known);
    return *known;
  }
  bool is_new = false;
  const auto tail = keys_.touch(hash, bytes, level, root, tick, is_new);
  make_room();
  welcome(tail);
  return tail;
}

void monitor_shard::let_go(const std::vector<key_slot>& slots) {
  if (slots.empty())
    return;
  std::vector<bool> marks(keys_.slots(), false);
  for (const auto slot : slots) {
    marks[slot] = true;
    keys_.mark_changed(keys_[slot].root); // which keeps what is shared among its keys
  }
  for (auto& judging : judgings_)
    judging.by->forget(marks);
  for (auto& judging : judgings_)
    judging.incidents.forget(marks);
  late_.forget(marks);
  effective_.forget(marks);
  keys_.erase(slots);
  roll_up_.forget_routes();
}

// ---- State. Record keys: kind, shard, monitor (two bytes), then the key's bytes ('k') or detector and page ('p').

std::string monitor_shard::record_key(char kind, std::string_view rest) const {
  std::string key(1, kind);
  append_integer(key, shard_, 1);
  append_integer(key, monitor_index_, 2);
  key.append(rest);
  return key;
}

std::string monitor_shard::encode_key(key_slot slot) const {
  const auto& key = keys_[slot];
  state_writer out(key_version);
  out.i64(key.created);
  out.i64(key.last_tick);
  if (monitor_->has_rates)
    effective_.save(slot, out);
  late_.save(slot, out);
  for (const auto& judging : judgings_) {
    if (!is_of_type(slot))
      judging.by->save(slot, out);
    const auto* held = judging.incidents.held(slot);
    out.u8(held != nullptr);
    if (held != nullptr)
      held->save(out);
  }
  return out.seal();
}

void monitor_shard::take_changes(std::vector<state_record>& out) {
  for (const auto& bytes : keys_.take_erased())
    out.push_back({record_key('k', bytes), {}});
  for (const auto slot : keys_.take_changed())
    if (keys_[slot].alive)
      out.push_back({record_key('k', keys_[slot].bytes), encode_key(slot)});
  for (std::size_t d = 0; d < judgings_.size(); ++d)
    judgings_[d].by->save_changed_pages([&](std::int64_t page, std::string bytes) {
      std::string rest;
      append_integer(rest, d, 2);
      append_integer(rest, static_cast<std::uint64_t>(page), 8);
      out.push_back({record_key('p', rest), std::move(bytes)});
    });
  for_each_past([&](leaf_history& past) {
    past.save_changes([&](char kind, std::string_view rest, std::string bytes) {
      out.push_back({record_key(&past == leaves_.get() ? kind : of_types(kind), rest), std::move(bytes)});
    });
  });
}

std::optional<std::string> monitor_shard::restore(char kind, std::string_view rest, const std::string& bytes) {
  if (kind == 'k')
    return restore_key(rest, bytes);
  if (leaves_ && leaf_history::keeps(kind))
    return leaves_->load(kind, rest, bytes);
  if (types_ && leaf_history::keeps(of_leaves(kind)))
    return types_->past().load(of_leaves(kind), rest, bytes);
  if (kind != 'p' || rest.size() != 10)
    return "state record of unknown kind";
  const auto d = read_integer(rest.substr(0, 2));
  if (d >= judgings_.size())
    return "state record of an unknown detector";
  state_reader in(bytes);
  if (!judgings_[d].by->load_page(static_cast<std::int64_t>(read_integer(rest.substr(2))), in))
    return "damaged or newer page of detector " + monitor_->detectors[d].name;
  return std::nullopt;
}

std::optional<std::string> monitor_shard::restore_key(std::string_view key, const std::string& bytes) {
  if (key.empty() || !has_level(*monitor_, static_cast<std::uint8_t>(key[0])))
    return "state record of an unknown level";
  const auto level = static_cast<std::uint8_t>(key[0]);
  key_reader values(key.substr(1));
  std::size_t count = 0;
  for (key_value value; values.next(value);)
    ++count;
  if (!values.valid() || count != level_at(*monitor_, level).dimensions.size())
    return "state record with a malformed key";
  state_reader in(bytes);
  if (!in.ok())
    return "damaged state record (checksum)";
  if (in.version() != key_version)
    return "state record of version " + std::to_string(in.version()) + ", this build reads version " +
           std::to_string(key_version);
  if (keys_.find(hash_key(key)))
    return "state record twice";
  if (shard_of(scope_of(key, monitor_->scope_size)) != shard_)
    return "state record of another shard";
  const auto created = in.i64();
  const auto last_tick = in.i64();
  if (created > last_tick || !is_within_time(created, monitor_->tick) || !is_within_time(last_tick, monitor_->tick))
    return "damaged state record (ticks)";
  const auto slot = keys_.restore(key, level, created, last_tick);
  make_room();
  if (monitor_->has_rates && !effective_.load(slot, in))
    return "damaged state record (rates)";
  if (!late_.load(slot, in))
    return "damaged state record (late events)";
  for (auto& judging : judgings_) {
    if (!is_of_type(slot) && !judging.by->load(slot, in))
      return "damaged state record (detector)";
    if (in.u8() != 0) {
      incident held;
      if (!incident::load(in, held))
        return "damaged state record (incident)";
      judging.incidents.restore(slot, std::move(held));
    }
  }
  if (!in.complete())
    return "damaged state record (length)";
  return std::nullopt;
}

std::optional<std::string> monitor_shard::finish_restore(time_ms judged_through) {
  if (!keys_.link_roots())
    return "incomplete state: a key without the root of its scope";
  const auto last = tick_of(judged_through, monitor_->tick) - 1;
  last_tick_ = last;
  wheel_.reset(last);
  std::optional<std::string> error;
  for_each_past([&](leaf_history& past) {
    if (!error)
      error = past.finish_restore(last);
  });
  if (error)
    return error;
  for (key_slot slot = 0; slot < keys_.slots(); ++slot) {
    const auto& key = keys_[slot];
    if (key.last_tick > last || key.last_tick + expire_ticks_ <= last || key.last_tick > keys_[key.root].last_tick)
      return "damaged state: a key that cannot have been alive then";
    welcome(slot);
  }
  for (current_ = 0; current_ < judgings_.size(); ++current_) {
    if (!judgings_[current_].by->loaded(last, *this))
      return "damaged state of detector " + monitor_->detectors[current_].name;
    if (!judgings_[current_].incidents.remind_all(last))
      return "damaged state: an incident that cannot have been open then";
  }
  return std::nullopt;
}

// ---- Looking in.

shard_stats monitor_shard::stats() const {
  auto now = stats_;
  now.keys = keys_.size();
  now.keys_created = keys_.created_total();
  now.memory_bytes = keys_.memory_bytes() + roll_up_.memory_bytes() + wheel_.memory_bytes() +
                     effective_.memory_bytes() + late_.memory_bytes();
  for (std::size_t d = 0; d < judgings_.size(); ++d) {
    const auto open = judgings_[d].incidents.open_count();
    now.open_incidents += open;
    now.open_in_shadow += monitor_->detectors[d].shadow ? open : 0;
    now.memory_bytes += judgings_[d].by->memory_bytes();
  }
  if (leaves_) {
    now.leaves = leaves_->size();
    now.memory_bytes += leaves_->memory_bytes();
  }
  if (types_)
    now.memory_bytes += types_->past().memory_bytes();
  return now;
}

void monitor_shard::for_each_key(const std::function<void(const key_view&)>& visit) const {
  for (key_slot slot = 0; slot < keys_.slots(); ++slot) {
    const auto& key = keys_[slot];
    if (!key.alive)
      continue;
    key_view view;
    view.monitor = monitor_->name;
    view.key = name_dimensions(*monitor_, key.level, key.bytes);
    view.level = level_names(*monitor_, key.level);
    view.last_seen = tick_end(key.last_tick, monitor_->tick);
    for (std::size_t d = 0; d < judgings_.size(); ++d) {
      const auto& name = monitor_->detectors[d].name;
      for (auto& [fact, value] :
           is_of_type(slot) ? std::vector<std::pair<std::string, std::string>>() : judgings_[d].by->explain(slot))
        view.facts.emplace_back(name + "." + fact, value);
      const auto* open = judgings_[d].incidents.open_incident(slot);
      if (open == nullptr)
        continue;
      view.open.emplace_back(name, open->who.id);
      view.facts.emplace_back(name + ".incident",
                              open->who.id + " since " + format_rfc3339(tick_start(open->onset, monitor_->tick)) +
                                  ", " +
                                  in_percent(static_cast<double>(open->failed) /
                                             static_cast<double>(std::max<std::int64_t>(1, open->total))) +
                                  " of " + std::to_string(open->total));
    }
    visit(view);
  }
}

} // namespace tocsin
