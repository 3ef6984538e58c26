#pragma once

#include "detectors/counting/hash_index.hpp"
#include "detectors/counting/tick_slice.hpp"
#include "detectors/incidents/cause_finder.hpp"
#include "detectors/judging/exclusions.hpp"
#include "detectors/values/codec.hpp"
#include "detectors/values/key.hpp"
#include "detectors/values/monitor_spec.hpp"

#include <tsl/robin_map.h>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin {

/// The past of the leaf cells of one monitor in one shard, in which causes are looked for:
///
/// - what they counted, in buckets: ticks of the last 5 to 6 minutes, minutes of the last 1 to 2 hours, hours of the
///   last 48. A bucket lists only the leaves that were active. So an incident's own sums need no place of their own. A
///   bucket in which the onset lies counts as a whole.
/// - a baseline a leaf, with a half-life of a day, on fixed-point integers. It is taught an hour when one more hour has
///   passed; never while an incident of its scope is open, nor what happened before the last one ended, nor an hour of
///   which an operator has excluded a moment. What is known
///   but not yet taught from before an onset counts as past too, so that a stream is of use from its first minutes.
///
/// Bounded: beyond the monitor's max_leaves the lightest (failures, then events, then key bytes) go on in the leaf
/// `(other)` of their scope. Nothing that is told depends on slots: leaves are sorted by key bytes, counts are
/// integers.
///
/// Owned by a monitor_shard; not thread-safe; total. In each tick with events: begin, add, finish. Restoring: load_*
/// in any order, then finish_restore.
class leaf_history final : public cause_finder {
public:
  leaf_history(const monitor_spec& monitor, std::uint32_t shard);

  /// Ranges that are not the past of anything. Must outlive this.
  void heed(const exclusions& left_out) { left_out_ = &left_out; }
  /// Moves to a tick with events. `is_open(scope bytes)` tells whether an incident of a scope is open.
  void begin(tick_index tick, const std::function<bool(std::string_view)>& is_open);
  /// Adds the shard's cells of one partition.
  void add(const cell_columns& slice);
  /// Adds one cell.
  void add(const key_hash& hash, std::string_view bytes, std::size_t scope_size, std::int64_t total,
           std::int64_t failed);
  /// Lets go what is too much.
  void finish();
  /// The last open incident of a scope has ended in this tick: nothing until then will be taught.
  void ended(std::string_view scope_bytes, tick_index tick);

  /// An operator says that what the leaves of a key did since `onset` is normal: it becomes their baseline.
  void accept(std::string_view root_bytes, const value_set& key, tick_index onset);

  leaf_sums sums(std::string_view root_bytes, const value_set& a, const value_set& b, tick_index onset) const override;
  std::vector<cause> causes(std::string_view root_bytes, const value_set& within, tick_index onset) const override;
  /// Failures since the onset and before it, as far as known.
  struct past_and_present {
    std::int64_t failed = 0;
    double before = 0;
  };
  /// By the value (encoded) of the last dimension: the leaf cells of a set.
  std::map<std::string, past_and_present> by_last_dimension(std::string_view root_bytes, const value_set& within,
                                                            tick_index onset) const;
  /// The five best sets, whether or not they are good enough to be a cause.
  std::vector<cause> ranking(std::string_view root_bytes, const value_set& within, tick_index onset) const;

  /// Kinds of records: a leaf's baseline (`rest`: its key bytes), a bucket (tier and number), a scope (its bytes).
  static constexpr char leaf_record = 'l', bucket_record = 'h', scope_record = 'o';
  static bool keeps(char kind) { return kind == leaf_record || kind == bucket_record || kind == scope_record; }
  using record_writer = std::function<void(char kind, std::string_view rest, std::string bytes)>;
  void save_changes(const record_writer& write);
  std::optional<std::string> load(char kind, std::string_view rest, const std::string& bytes);
  std::optional<std::string> finish_restore(tick_index last_tick);

  std::size_t size() const { return alive_; }
  std::size_t memory_bytes() const;

private:
  using slot = std::uint32_t;
  static constexpr std::int64_t one = 1024; ///< an event in a baseline's fixed-point numbers
  static constexpr std::int64_t most_taught = std::int64_t{1} << 62;
  static constexpr slot nowhere = ~slot{0};
  static constexpr auto never = std::numeric_limits<std::int64_t>::min();
  enum tier : std::uint8_t { ticks, minutes, hours };

  /// 2^-10 events or failures.
  struct taught_counts {
    std::int64_t total = 0;
    std::int64_t failed = 0;
    std::int64_t hour = 0; ///< as of its begin
  };
  struct leaf {
    std::string bytes; ///< of the leaf key; empty if nobody has the slot
    std::uint32_t scope = 0;
    bool changed = false; ///< since the last commit
    taught_counts taught;
  };
  struct scope_state {
    std::string bytes;
    std::uint32_t leaves = 0;    ///< 0: nobody has the place
    tick_index ended = never;    ///< when its last incident ended
    std::int64_t taught = never; ///< last hour that was taught
    bool changed = false;
  };
  struct entry {
    slot at = 0;
    std::uint32_t failed = 0; ///< both saturate, far beyond what a leaf has in an hour
    std::uint64_t total = 0;
  };
  struct bucket {
    std::int64_t number = 0;
    bool changed = true;
    bool saved = false;
    std::vector<entry> entries; ///< each leaf once; in order of their scopes, once it is filled
  };
  struct place {
    std::uint32_t stamp = 0;
    std::uint32_t index = 0;
  };
  struct gathered;
  /// The leaves in order of their scopes, made when causes are first asked for: a question must not look at the leaves
  /// of all other scopes.
  struct scope_order {
    std::vector<slot> leaves;
    std::vector<std::uint32_t> begins; ///< by scope, and the end
    std::vector<std::uint32_t> row_of; ///< scratch, by leaf
  };

  static std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
    return a > most_taught - b ? most_taught : a + b;
  }
  static std::int64_t fixed(std::uint64_t count);
  std::int64_t bucket_of(tier which, tick_index tick) const;
  time_ms start_of(tier which, std::int64_t number) const;
  time_ms end_of(tier which, std::int64_t number) const;

  slot find(const key_hash& hash) const;
  slot find_or_make(const key_hash& hash, std::string_view bytes, std::size_t scope_size);
  slot make(const key_hash& hash, std::string_view bytes, std::uint32_t scope);
  slot pooled(std::uint32_t scope);
  void put(slot at, std::string_view bytes, std::uint32_t scope);
  void add_to(bucket& into, slot at, std::int64_t total, std::int64_t failed);
  std::uint32_t scope_at(std::string_view bytes);
  std::optional<std::uint32_t> known_scope(std::string_view bytes) const;

  void order_by_scope(std::vector<entry>& entries) const;
  void counts_changed();
  bucket& start_bucket(tier which, std::int64_t number);
  void drop_front(tier which);
  void merge_front(tier from, tier into, std::int64_t number);
  void teach(const bucket& hour, const std::function<bool(std::string_view)>& is_open);
  void forget_idle();
  bool is_excluded(slot at, tier which, std::int64_t number) const;
  static taught_counts aged(const taught_counts& taught, std::int64_t hour);

  bool is_tail(const leaf& of) const;
  std::vector<slot> lightest() const;
  void let_go(const std::vector<slot>& leaving);
  void move_entries(const std::vector<slot>& heir);
  void erase(slot at);
  void erase_scope(std::uint32_t at);
  void rebuild_index();
  void leaf_changed(slot at);
  void scope_changed(std::uint32_t scope);

  std::optional<std::string> load_leaf(std::string_view bytes, state_reader& in);
  std::optional<std::string> load_bucket(std::string_view rest, state_reader& in);
  std::optional<std::string> load_scope(std::string_view bytes, state_reader& in);
  std::string encode(const bucket& of) const;

  scope_order& in_scopes() const;
  std::shared_ptr<const gathered> gather(std::uint32_t scope, tick_index onset) const;
  std::vector<cause> ask(std::string_view root_bytes, const value_set& within, tick_index onset, bool ranked) const;

  const monitor_spec* monitor_;
  std::uint32_t shard_;
  const exclusions* left_out_ = nullptr;
  std::size_t most_leaves_;
  std::size_t most_slots_;
  std::vector<leaf> leaves_;
  std::vector<slot> free_; ///< the least is last
  std::size_t alive_ = 0;
  hash_index index_; ///< of hashes_
  std::vector<key_hash> hashes_;
  std::vector<slot> slots_; ///< hashes_[i] is that of the leaf at slots_[i]
  std::vector<scope_state> scopes_;
  std::vector<std::uint32_t> free_scopes_;
  tsl::robin_map<key_hash, std::uint32_t, key_hash_hasher> scope_index_;
  std::array<std::deque<bucket>, 3> tiers_; ///< each ascending by number
  std::int64_t hour_ = 0;                   ///< of the last tick begun
  bucket* current_ = nullptr;               ///< of the tick at hand
  std::vector<place> places_;               ///< by slot: where its entry is in the bucket being filled
  std::uint32_t stamp_ = 0;
  // Since the last commit.
  std::vector<slot> changed_leaves_;
  std::vector<std::uint32_t> changed_scopes_;
  std::vector<std::string> erased_leaves_, erased_scopes_;
  std::vector<std::pair<tier, std::int64_t>> erased_buckets_;
  /// Answers come in bursts about one onset; void when counts change, or what is excluded.
  mutable std::vector<std::shared_ptr<const gathered>> asked_;
  mutable std::unique_ptr<scope_order> scope_order_; ///< void when leaves come or go
};

} // namespace tocsin
