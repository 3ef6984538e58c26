#include "detectors/judging/timer_wheel.hpp"

#include <utility>

namespace tocsin {

namespace {

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

// Ticks as unsigned numbers in the same order, so that negative ticks have digits too.
constexpr std::uint64_t to_ordinal(tick_index tick) {
  return static_cast<std::uint64_t>(tick) ^ sign_bit;
}
constexpr tick_index to_tick(std::uint64_t ordinal) {
  return static_cast<tick_index>(ordinal ^ sign_bit);
}

// Both need x != 0.
unsigned highest_bit(std::uint64_t x) {
  return 63U - static_cast<unsigned>(__builtin_clzll(x));
}
unsigned lowest_bit(std::uint64_t x) {
  return static_cast<unsigned>(__builtin_ctzll(x));
}

// The heap functions of std keep the greatest in front; we want the least.
struct later {
  bool operator()(const timer& a, const timer& b) const { return b < a; }
};

} // namespace

void timer_wheel::reset(tick_index now) {
  position_ = now;
  size_ = 0;
  ready_.clear();
  levels_.clear();
}

void timer_wheel::schedule(tick_index due, std::uint32_t slot, std::uint32_t tag) {
  insert({due, slot, tag});
  ++size_;
}

std::optional<tick_index> timer_wheel::next_due() const {
  if (!ready_.empty())
    return ready_.front().due;
  const auto next = next_place();
  if (!next)
    return std::nullopt;
  const auto& timers = levels_[next->level].slots[next->slot];
  return std::min_element(timers.begin(), timers.end())->due;
}

std::size_t timer_wheel::memory_bytes() const {
  auto timers = ready_.capacity();
  for (const auto& l : levels_)
    for (const auto& s : l.slots)
      timers += s.capacity();
  return sizeof(*this) + sizeof(level) * levels_.capacity() + sizeof(timer) * timers;
}

void timer_wheel::insert(const timer& t) {
  if (t.due <= position_) {
    ready_.push_back(t);
    std::push_heap(ready_.begin(), ready_.end(), later{});
    return;
  }
  const auto due = to_ordinal(t.due);
  const auto depth = highest_bit(due ^ to_ordinal(position_)) / digit_bits;
  const auto slot = (due >> (depth * digit_bits)) % digits;
  if (depth >= levels_.size())
    levels_.resize(depth + 1);
  levels_[depth].slots[slot].push_back(t);
  levels_[depth].occupied |= std::uint64_t{1} << slot;
}

timer timer_wheel::take_ready() {
  std::pop_heap(ready_.begin(), ready_.end(), later{});
  const auto result = ready_.back();
  ready_.pop_back();
  --size_;
  return result;
}

std::optional<timer_wheel::place> timer_wheel::next_place() const {
  // Timers of a lower level share more leading digits with the position, so they come first; within a level
  // every occupied slot lies after the position's own digit.
  for (std::size_t depth = 0; depth < levels_.size(); ++depth) {
    const auto occupied = levels_[depth].occupied;
    if (occupied == 0)
      continue;
    const auto slot = std::size_t{lowest_bit(occupied)};
    const auto shift = depth * digit_bits;
    const auto above = shift + digit_bits < 64 ? to_ordinal(position_) >> (shift + digit_bits) << digit_bits : 0;
    return place{depth, slot, to_tick((above | slot) << shift)};
  }
  return std::nullopt;
}

bool timer_wheel::step(tick_index target) {
  const auto next = next_place();
  if (!next || next->start > target) {
    // No slot starts before the target, so every timer stays on its level and in its slot.
    position_ = target;
    return false;
  }
  position_ = next->start;
  auto& from = levels_[next->level];
  from.occupied &= ~(std::uint64_t{1} << next->slot);
  // The storage goes too: kept, every slot would in time hold the room of the fullest.
  const auto moving = std::exchange(from.slots[next->slot], {});
  for (const auto& t : moving)
    insert(t); // on a lower level, or ready: never back into `from`
  return true;
}

} // namespace tocsin
