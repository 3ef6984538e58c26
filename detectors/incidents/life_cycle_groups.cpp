// What a life_cycle does as incident_groups wants it: opening what waits, and what pages and children are to each
// other.

#include "detectors/incidents/life_cycle.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace tocsin {

bool life_cycle::is_convincing(const incident& what) const {
  return !what.gated ||
         pass_gates(what.total, what.failed, std::min(what.capped, what.failed), what.baseline, what.expected);
}

void life_cycle::drop(key_slot slot) {
  stop_waiting(slot);
  ended_.erase(slot);
  leave(slot);
  open_.erase(slot);
  keys_->mark_changed(slot);
}

incident& life_cycle::stop_waiting(key_slot slot) {
  waiting_.erase(slot);
  return open_.find(slot).value();
}

life_cycle::opened_child life_cycle::open_as_child(key_slot slot, const std::string& parent, const detector& judging) {
  auto& what = stop_waiting(slot);
  what.who.parent = parent;
  auto kind = alert_kind::open;
  if (what.earlier && what.earlier->parent == parent) {
    what.who = *what.earlier;
    ++what.who.reopened;
    kind = alert_kind::update;
  }
  what.earlier.reset();
  opened_child out{what.who.id, kind == alert_kind::update};
  open(slot, what, kind, judging);
  end_if_over(slot, judging);
  return out;
}

void life_cycle::open_as_page(key_slot slot, const std::vector<std::string>& children, const detector& judging) {
  auto& what = stop_waiting(slot);
  what.earlier.reset();
  for (const auto& child : children)
    what.add_child(child);
  open(slot, what, alert_kind::open, judging);
  end_if_over(slot, judging);
}

void life_cycle::end_if_over(key_slot slot, const detector& judging) {
  const auto over = ended_.find(slot);
  if (over != ended_.end())
    end(slot, over->second, judging);
}

void life_cycle::adopt(key_slot slot, const std::string& child, time_ms end) {
  auto& what = open_.find(slot).value();
  what.add_child(child);
  keys_->mark_changed(slot);
  remind_(tick_of(end, monitor_->tick), slot);
}

void life_cycle::promote(key_slot slot, time_ms end) {
  auto& what = open_.find(slot).value();
  what.who.parent.clear();
  what.has_news = true;
  keys_->mark_changed(slot);
  remind_(tick_of(end, monitor_->tick), slot);
}

void life_cycle::move_under(key_slot slot, const std::string& parent) {
  open_.find(slot).value().who.parent = parent;
  keys_->mark_changed(slot);
}

} // namespace tocsin
