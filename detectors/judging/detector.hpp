#pragma once

#include "detectors/judging/exclusions.hpp"
#include "detectors/judging/explanation.hpp"
#include "detectors/judging/keyed_state.hpp"
#include "detectors/judging/roll_up.hpp"
#include "detectors/values/codec.hpp"
#include "detectors/values/monitor_spec.hpp"
#include "detectors/values/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

using named_number = std::pair<std::string, double>;

/// What a detector says of a key at the close of a tick. Rates are fractions. A detector of volumes says excess where
/// events are missing, and fills `expected` instead of failures.
struct verdict {
  enum class kind : std::uint8_t {
    excess,   ///< the failure rate is too high: an incident should be open
    normal,   ///< the failure rate is normal again: an open incident may close
    accepted, ///< the excess has lasted so long that its rate is the new normal: an open incident closes
  };
  kind type = kind::excess;
  key_slot slot = no_slot;
  tick_index onset = 0;   ///< first tick of the excess
  std::int64_t total = 0; ///< events since the onset (excess), or that showed the key to be normal
  std::int64_t failed = 0;
  std::int64_t capped = 0;
  std::uint64_t viewers = 0; ///< bitmap of failing viewers of the same events, as far as known
  double baseline = 0;       ///< expected failure rate, or events an hour
  /// Failures expected since the onset, baseline x total if left out; of volumes the events expected instead of
  /// `total`.
  std::optional<double> expected;
  bool gated = true;                  ///< the monitor's gates decide too; false where the user set the limit himself
  std::optional<double> evidence;     ///< S: 1 opens
  std::optional<double> once_in_days; ///< chance alone would do this once in so many days
  std::optional<double> confidence;   ///< probability that this is no false alarm
  std::vector<named_number> model;    ///< the numbers behind it, for the record
};

/// What a detector may ask for while it judges. Implemented by monitor_shard.
class judge {
public:
  virtual ~judge() = default;
  /// True if an incident of the key is open afterwards.
  virtual bool say(verdict&& what) = 0;
  /// Counts of a pooled tail that no closed tick held: they belong to its open incident.
  virtual void counted(const key_counts& counts) = 0;
  /// The slot of the key of an error type (encoded) in the scope of a root, made if it is not there; it will be told
  /// through counted() alone. no_slot where nobody has such keys. Slots may grow.
  virtual key_slot type_key(key_slot /*root*/, std::string_view /*type*/) { return no_slot; }
  /// The state of a key changed though it had neither events nor a reminder in this tick.
  virtual void changed(key_slot slot) = 0;
  /// Asks to see `slot` again at the close of `tick`, events or not.
  virtual void remind(tick_index tick, key_slot slot) = 0;
  /// True while the detector that asks has an open incident of this key; what it just said has had its effect.
  virtual bool is_open(key_slot slot) const = 0;
};

/// Judges the keys of one monitor in one shard, tick by tick. Owned by a monitor_shard; not thread-safe. Total: judging
/// never fails; `load` returns false on damaged bytes.
///
/// Verdicts are a function of the closed ticks alone. Columns are indexed by key_slot; a slot may be used again after
/// forget(). A key without events, evictions and reminders costs nothing.
class detector {
public:
  virtual ~detector() = default;

  /// Slots 0 .. slots-1 exist now.
  virtual void resize(std::size_t slots) = 0;
  /// Moves to a closed tick, before expected_rate() is asked for its keys and step() judges it.
  virtual void advance(const closed_tick&) {}
  /// Judges a closed tick. `reminded`: slots whose reminder is due, in no order, perhaps repeated.
  virtual void step(const closed_tick& tick, const std::vector<key_slot>& reminded, judge& out) = 0;
  /// Next tick at which step() is needed even without events and reminders.
  virtual std::optional<tick_index> next_due() const { return std::nullopt; }
  /// These slots (marked true) hold other keys from now on.
  virtual void forget(const std::vector<bool>& slots) = 0;
  /// The evicted key `from` becomes part of its level's pooled tail `into`.
  virtual void absorb(key_slot from, key_slot into, judge& out) = 0;

  /// What is not to be learned; outlives the detector and has moved to the tick before advance(). Called once, before
  /// anything else; without it everything is learned. Verdicts go on in a range that is not learned.
  void heed(const exclusions& left_out) { left_out_ = &left_out; }
  /// An operator says that `rate`, observed since the onset of the key's open incident, is the new normal: takes the
  /// present rate as baseline and says `accepted`. After step(). False where the limit is the user's own, or the
  /// baseline is that of other keys too: nothing has changed.
  virtual bool accept(key_slot /*slot*/, double /*rate*/, judge& /*out*/) { return false; }
  /// The same of an incident that is over, but may come back at once: what was counted in it is the new normal from now
  /// on. Says nothing.
  struct incident_counts {
    double total = 0, failed = 0;
    double expected = 0; ///< volumes: events
  };
  virtual bool accept_calm(key_slot /*slot*/, const incident_counts& /*seen*/) { return false; }
  /// The open incident of the key was none: it is withdrawn, and what is counted from here on is judged anew. Called
  /// after step(), for detectors that keep their own account of what is open.
  virtual void withdraw(key_slot) {}

  /// Expected failure rate (volumes: events an hour) of a key with an open incident that has events in the tick at
  /// hand.
  virtual double expected_rate(key_slot slot) const = 0;
  /// Volumes: events expected from the onset of the key's open incident through the tick at hand, events or not.
  virtual double expected_events(key_slot) const { return 0; }
  /// What will end an open incident, in words: `rate below 4.8 % for 5m`.
  virtual std::string closes_when(key_slot slot) const = 0;
  /// State of a key for people: name, value.
  virtual std::vector<std::pair<std::string, std::string>> explain(key_slot slot) const = 0;
  /// The same in numbers, from detectors with a model of the rate: what is known after the last tick of a key (level
  /// byte first), or would be inherited by one that was never seen. Changes nothing, and is the same after a restart.
  /// Nothing from other detectors, and where the whole scope is unknown.
  virtual std::optional<explanation> explain_key(std::string_view /*key*/) const { return std::nullopt; }
  /// From the next tick on, how these keys are judged is noted. Never changes a verdict.
  virtual void watch(const std::vector<key_slot>& /*slots*/) {}
  /// How a watched key was judged in the tick at hand, before its verdict had an effect; nullptr if it was not.
  virtual const explanation* noted(key_slot /*slot*/) const { return nullptr; }

  /// State of one key, as part of the key's record.
  virtual void save(key_slot slot, state_writer& out) const = 0;
  virtual bool load(key_slot slot, state_reader& in) = 0;

  /// State that belongs to no single key: numbered pages. `write(page, bytes)`: empty bytes erase the page.
  using page_writer = std::function<void(std::int64_t page, std::string bytes)>;
  virtual void save_changed_pages(const page_writer& write) = 0;
  virtual bool load_page(std::int64_t page, state_reader& in) = 0;
  /// All keys and pages are loaded; `last_tick` is the last tick that was judged. Reminders are asked for again. False
  /// if something loaded lies behind `last_tick`.
  virtual bool loaded(tick_index last_tick, judge& out) = 0;

  virtual std::size_t memory_bytes() const = 0;

protected:
  /// Nothing of this key is to be learned in the tick at hand ...
  bool is_left_out(key_slot slot) const { return left_out_ != nullptr && left_out_->covers(slot); }
  /// ... or that holds a moment of [from, to).
  bool is_left_out(key_slot slot, time_ms from, time_ms to) const {
    return left_out_ != nullptr && left_out_->covers(slot, from, to);
  }
  const exclusions* left_out() const { return left_out_; }

private:
  const exclusions* left_out_ = nullptr;
};

/// The detector that a specification asks for.
std::unique_ptr<detector> make_detector(const monitor_spec& monitor, const detector_spec& spec,
                                        const keyed_state& keys);

} // namespace tocsin
