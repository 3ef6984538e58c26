// Who is in which stage, and when it is looked at next: looking into a life_cycle, and putting it back after a restart.

#include "detectors/incidents/attribution.hpp"
#include "detectors/incidents/life_cycle.hpp"

#include <iterator>
#include <utility>

namespace tocsin {

const incident* life_cycle::held(key_slot slot) const {
  const auto known = open_.find(slot);
  return known == open_.end() ? nullptr : &known.value();
}

const incident* life_cycle::open_incident(key_slot slot) const {
  const auto* known = held(slot);
  return known != nullptr && known->at != stage::closed ? known : nullptr;
}

bool life_cycle::is_ongoing(key_slot slot) const {
  const auto* known = held(slot);
  return known != nullptr && known->is_ongoing();
}

/// The key's incident is not closed from now on.
void life_cycle::enter(key_slot slot) {
  auto& key = (*keys_)[slot];
  ++key.holds;
  alive_[key.root].insert(slot);
  ++alive_count_;
}

void life_cycle::leave(key_slot slot) {
  auto& key = (*keys_)[slot];
  --key.holds;
  --alive_count_;
  const auto scope = alive_.find(key.root);
  scope.value().erase(slot);
  if (scope->second.empty())
    alive_.erase(scope);
}

void life_cycle::forget(const std::vector<bool>& slots) {
  for (auto it = open_.begin(); it != open_.end();)
    it = slots[it->first] ? open_.erase(it) : std::next(it);
}

// ---- When it is looked at next.

bool life_cycle::is_due(const incident& what) const {
  switch (what.at) {
  case stage::waiting: return true;
  case stage::open:
    return what.has_news || is_look_due(what) || tick_ == what.told + update_ticks_ ||
           (!what.proposed && tick_ == what.looked + look_ticks_);
  case stage::calm: return tick_ >= what.until;
  case stage::closed: return tick_ > what.until;
  }
  return false;
}

/// Asks for the reminders at which the incident is due.
void life_cycle::remind(const incident& what, key_slot slot) const {
  switch (what.at) {
  case stage::waiting: remind_(tick_ + 1, slot); break;
  case stage::open:
    if (what.told + update_ticks_ > tick_)
      remind_(what.told + update_ticks_, slot);
    if (!what.proposed)
      remind_(what.looked + look_ticks_, slot);
    if (what.has_news)
      remind_(tick_ + 1, slot);
    if (looks())
      for (const auto look : later_looks(*monitor_, what.opened))
        if (look > tick_)
          remind_(look, slot);
    break;
  case stage::calm: remind_(what.until, slot); break;
  case stage::closed: remind_(what.until + 1, slot); break;
  }
}

// ---- After a restart.

void life_cycle::restore(key_slot slot, incident&& held) {
  if (held.at == stage::waiting)
    waiting_.insert(slot);
  open_[slot] = std::move(held);
}

bool life_cycle::can_have_been(const incident& what, tick_index last_tick) const {
  const bool in_order = what.onset <= what.opened && what.opened <= last_tick && what.told <= last_tick &&
                        what.looked <= last_tick && is_within_time(what.onset, monitor_->tick) &&
                        is_within_time(what.told, monitor_->tick) && is_within_time(what.looked, monitor_->tick);
  const bool severity_in_order =
      what.lower_since == incident::never || (what.lower_since >= what.onset && what.lower_since <= last_tick);
  switch (what.at) {
  case stage::waiting: return in_order && severity_in_order && groups();
  case stage::open:
    return in_order && severity_in_order && what.told + update_ticks_ > last_tick &&
           (what.proposed || what.looked + look_ticks_ > last_tick);
  case stage::calm:
  case stage::closed: return in_order && what.until >= last_tick && is_within_time(what.until, monitor_->tick);
  }
  return false;
}

bool life_cycle::remind_all(tick_index last_tick) {
  tick_ = last_tick;
  for (const auto& [slot, what] : open_) {
    if (!can_have_been(what, last_tick))
      return false;
    // Only now every key knows its root.
    if (what.at != stage::closed)
      enter(slot);
    remind(what, slot);
  }
  return true;
}

} // namespace tocsin
