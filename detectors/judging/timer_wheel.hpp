#pragma once

#include "detectors/values/time.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace tocsin {

/// A call due at a tick. What `slot` and `tag` mean is the owner's business (a key, a purpose).
struct timer {
  tick_index due = 0;
  std::uint32_t slot = 0;
  std::uint32_t tag = 0;

  friend bool operator<(const timer& a, const timer& b) {
    if (a.due != b.due)
      return a.due < b.due;
    return a.slot != b.slot ? a.slot < b.slot : a.tag < b.tag;
  }
  friend bool operator==(const timer& a, const timer& b) {
    return a.due == b.due && a.slot == b.slot && a.tag == b.tag;
  }
};

/// Hierarchical timing wheel over ticks: what must happen without events.
///
///     timer_wheel wheel(now);
///     wheel.schedule(now + 30, slot, tag);
///     wheel.advance(tick, [&](const timer& t) { ... });
///
/// A timer lies on the level of the highest base-64 digit in which its due tick differs from the wheel's
/// position, in the slot of that digit (Varghese, Lauck, "Hashed and hierarchical timing wheels", SOSP 1987).
/// A bitmap a level finds the next occupied slot, so that advancing over any number of empty ticks costs
/// O(levels). Scheduling is O(1); a timer moves down at most once a level before it fires.
///
/// Order: at every moment the least timer by (due, slot, tag) fires next. The order is thus total and the same
/// whatever the order of scheduling.
///
/// There is no cancel: the owner ignores a timer that no longer applies. Value, owned by one shard; not
/// thread-safe; no operation fails.
class timer_wheel {
public:
  explicit timer_wheel(tick_index now = 0) : position_(now) {}

  /// Drops all timers and sets the position.
  void reset(tick_index now);
  void clear() { reset(position_); }

  /// A due tick at or before the position fires at the next advance(), or later in the running one.
  void schedule(tick_index due, std::uint32_t slot, std::uint32_t tag);

  /// Moves to tick `to`, never backward, and calls `fire(const timer&)` for all timers due by then. `fire` may
  /// schedule; what is due at or before `to` fires in the same call. It must not call advance(), clear() or reset().
  template <class F>
  void advance(tick_index to, F&& fire) {
    const auto target = std::max(to, position_);
    do {
      while (!ready_.empty())
        fire(take_ready());
    } while (step(target));
  }

  /// Earliest due tick; past or present if a timer waits for the next advance().
  std::optional<tick_index> next_due() const;

  /// Last tick advanced to; while firing, the tick whose timers fire.
  tick_index position() const { return position_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t memory_bytes() const;

private:
  static constexpr unsigned digit_bits = 6;
  static constexpr std::size_t digits = std::size_t{1} << digit_bits;

  struct level {
    std::uint64_t occupied = 0; // bit i: slots[i] has timers
    std::array<std::vector<timer>, digits> slots;
  };

  /// An occupied slot, and the first tick in it.
  struct place {
    std::size_t level = 0;
    std::size_t slot = 0;
    tick_index start = 0;
  };

  void insert(const timer& t);
  timer take_ready();
  std::optional<place> next_place() const;
  /// Goes to the next occupied slot if it starts by `target`, else to `target`; false when there is no more.
  bool step(tick_index target);

  tick_index position_;
  std::size_t size_ = 0;
  std::vector<timer> ready_;  // heap, least first: due at or before position_
  std::vector<level> levels_; // as many as were needed so far
};

} // namespace tocsin
