// Saving and restoring a leaf_history.

#include "detectors/incidents/leaf_history.hpp"

#include <algorithm>
#include <utility>

namespace tocsin {

namespace {

constexpr std::uint16_t record_version = 1;

/// Little-endian base 128: counts are small.
void write_short(state_writer& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.u8(static_cast<std::uint8_t>(value | 0x80));
  out.u8(static_cast<std::uint8_t>(value));
}

std::uint64_t read_short(state_reader& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = in.u8();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      return value;
  }
  in.fail();
  return 0;
}

std::optional<std::size_t> scope_size_of(std::string_view leaf_bytes, const monitor_spec& monitor) {
  key_reader reader(leaf_bytes);
  std::size_t size = 0, values = 0;
  for (key_value value; reader.next(value); ++values)
    if (values < monitor.scope_size)
      size += value.encoded.size();
  if (!reader.valid() || values != monitor.dimensions.size())
    return std::nullopt;
  return size;
}

std::string bucket_name(std::uint8_t tier, std::int64_t number) {
  std::string name(1, static_cast<char>(tier));
  for (unsigned shift = 0; shift < 64; shift += 8)
    name.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff));
  return name;
}

} // namespace

void leaf_history::leaf_changed(slot at) {
  if (leaves_[at].changed)
    return;
  leaves_[at].changed = true;
  changed_leaves_.push_back(at);
}

void leaf_history::scope_changed(std::uint32_t scope) {
  if (scopes_[scope].changed)
    return;
  scopes_[scope].changed = true;
  changed_scopes_.push_back(scope);
}

std::string leaf_history::encode(const bucket& of) const {
  auto entries = of.entries;
  std::sort(entries.begin(), entries.end(), [](const entry& a, const entry& b) { return a.at < b.at; });
  state_writer out(record_version);
  out.u32(static_cast<std::uint32_t>(entries.size()));
  slot next = 0;
  for (const auto& e : entries) {
    write_short(out, e.at - next);
    write_short(out, e.total);
    write_short(out, e.failed);
    next = e.at + 1;
  }
  return out.seal();
}

void leaf_history::save_changes(const record_writer& write) {
  for (const auto& bytes : std::exchange(erased_leaves_, {}))
    write(leaf_record, bytes, {});
  for (const auto& bytes : std::exchange(erased_scopes_, {}))
    write(scope_record, bytes, {});
  for (const auto& [which, number] : std::exchange(erased_buckets_, {}))
    write(bucket_record, bucket_name(which, number), {});
  for (const auto at : std::exchange(changed_leaves_, {})) {
    auto& of = leaves_[at];
    if (!of.changed)
      continue;
    of.changed = false;
    state_writer out(record_version);
    out.u32(at);
    out.i64(of.taught.total);
    out.i64(of.taught.failed);
    out.i64(of.taught.hour);
    write(leaf_record, of.bytes, out.seal());
  }
  for (const auto at : std::exchange(changed_scopes_, {})) {
    auto& of = scopes_[at];
    if (!of.changed)
      continue;
    of.changed = false;
    state_writer out(record_version);
    out.i64(of.ended);
    out.i64(of.taught);
    write(scope_record, of.bytes, out.seal());
  }
  for (const auto which : {ticks, minutes, hours})
    for (auto& b : tiers_[which])
      if (b.changed) {
        b.changed = false;
        b.saved = true;
        write(bucket_record, bucket_name(which, b.number), encode(b));
      }
}

std::optional<std::string> leaf_history::load(char kind, std::string_view rest, const std::string& bytes) {
  counts_changed();
  state_reader in(bytes);
  if (!in.ok())
    return "damaged state record of leaves (checksum)";
  if (in.version() != record_version)
    return "state record of leaves of version " + std::to_string(in.version()) + ", this build reads version " +
           std::to_string(record_version);
  if (kind == leaf_record)
    return load_leaf(rest, in);
  return kind == bucket_record ? load_bucket(rest, in) : load_scope(rest, in);
}

std::optional<std::string> leaf_history::load_leaf(std::string_view bytes, state_reader& in) {
  const auto scope_size = scope_size_of(bytes, *monitor_);
  if (!scope_size || shard_of(bytes.substr(0, *scope_size)) != shard_)
    return "state record of a leaf with a malformed key";
  const auto at = in.u32();
  taught_counts taught;
  taught.total = in.i64();
  taught.failed = in.i64();
  taught.hour = in.i64();
  if (!in.complete() || at >= most_slots_ || taught.failed < 0 || taught.total < taught.failed ||
      taught.total > most_taught || !is_within_time(taught.hour, hour_ms))
    return "damaged state record of a leaf";
  if (at >= leaves_.size()) {
    leaves_.resize(at + 1);
    places_.resize(at + 1);
  }
  if (!leaves_[at].bytes.empty())
    return "two leaves in one place";
  put(at, bytes, scope_at(bytes.substr(0, *scope_size)));
  leaves_[at].taught = taught;
  return std::nullopt;
}

std::optional<std::string> leaf_history::load_bucket(std::string_view rest, state_reader& in) {
  if (rest.size() != 9 || static_cast<std::uint8_t>(rest[0]) > hours)
    return "state record of an unknown bucket";
  const auto which = static_cast<tier>(rest[0]);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i)
    number |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest[i + 1])) << (8 * i);
  bucket made;
  made.number = static_cast<std::int64_t>(number);
  made.changed = false;
  made.saved = true;
  std::uint64_t next = 0;
  for (auto left = in.u32(); left > 0 && in.ok(); --left) {
    const auto skipped = read_short(in);
    const auto total = read_short(in);
    const auto failed = read_short(in);
    if (skipped >= most_slots_ || next + skipped >= most_slots_ || total > std::uint64_t{1} << 62 ||
        failed > std::numeric_limits<std::uint32_t>::max()) {
      in.fail();
      break;
    }
    made.entries.push_back({static_cast<slot>(next + skipped), static_cast<std::uint32_t>(failed), total});
    next += skipped + 1;
  }
  const auto length = which == ticks ? monitor_->tick : which == minutes ? minute_ms : hour_ms;
  if (!in.complete() || made.entries.empty() || !is_within_time(made.number, length))
    return "damaged state record of a bucket";
  tiers_[which].push_back(std::move(made));
  return std::nullopt;
}

std::optional<std::string> leaf_history::load_scope(std::string_view bytes, state_reader& in) {
  const auto ended = in.i64();
  const auto taught = in.i64();
  const auto fits = [](std::int64_t at, time_ms length) { return at == never || is_within_time(at, length); };
  if (!in.complete() || !fits(ended, monitor_->tick) || !fits(taught, hour_ms))
    return "damaged state record of a scope's leaves";
  auto& of = scopes_[scope_at(bytes)];
  of.ended = ended;
  of.taught = taught;
  return std::nullopt;
}

std::optional<std::string> leaf_history::finish_restore(tick_index last_tick) {
  if (alive_ > most_slots_)
    return "damaged state: too many leaves";
  for (const auto& of : scopes_)
    if (of.leaves == 0 || (of.ended != never && of.ended > last_tick) ||
        (of.taught != never && of.taught > bucket_of(hours, last_tick)))
      return "damaged state: a scope without leaves, or from the future";
  for (const auto& of : leaves_)
    if (!of.bytes.empty() && of.taught.hour > bucket_of(hours, last_tick))
      return "damaged state: a leaf from the future";
  for (const auto which : {ticks, minutes, hours}) {
    auto& buckets = tiers_[which];
    std::sort(buckets.begin(), buckets.end(), [](const bucket& a, const bucket& b) { return a.number < b.number; });
    for (auto& b : buckets) {
      if (b.number > bucket_of(which, last_tick))
        return "damaged state: a bucket from the future";
      for (const auto& e : b.entries)
        if (e.at >= leaves_.size() || leaves_[e.at].bytes.empty())
          return "incomplete state: a bucket without its leaves";
      order_by_scope(b.entries);
    }
  }
  for (slot at = 0; at < leaves_.size(); ++at)
    if (leaves_[at].bytes.empty())
      free_.push_back(at);
  rebuild_index();
  return std::nullopt;
}

std::size_t leaf_history::memory_bytes() const {
  auto sum = leaves_.capacity() * sizeof(leaf) + (free_.capacity() + slots_.capacity()) * sizeof(slot) +
             index_.memory_bytes() + hashes_.capacity() * sizeof(key_hash) + places_.capacity() * sizeof(place) +
             scopes_.capacity() * sizeof(scope_state) +
             scope_index_.bucket_count() * (sizeof(key_hash) + 2 * sizeof(std::uint32_t));
  for (const auto& of : leaves_)
    sum += of.bytes.capacity() > 15 ? of.bytes.capacity() + 1 : 0;
  for (const auto& buckets : tiers_)
    for (const auto& b : buckets)
      sum += sizeof(bucket) + b.entries.capacity() * sizeof(entry);
  return sum;
}

} // namespace tocsin
