// What a tick costs when many keys of one scope fail at once: CPU ms of the slowest tick, of that in which the alarms
// open, and of one while they are open. Usage: bench_outage [KEYS [ROUNDS]].
#include "bench/support/cpu.hpp"
#include "detectors/engine/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace tocsin::bench {

namespace {

constexpr time_ms tick_length = 10 * second_ms;
constexpr time_ms start = 1'462'363'200'000; // 2016-05-04T12:00:00Z
constexpr int first_failing = 4, first_healthy = 12, ticks = 16;

/// Who fails.
enum class shape {
  scope,    ///< all titles of the one scope value, which alarms itself
  siblings, ///< the same, but a healthy title has most of the traffic, so that the scope as a whole does not alarm
  scopes,   ///< ten titles in each of many scope values
};

/// Keys [title], leaf cells (title, cdn); an alarm waits two ticks for others.
std::shared_ptr<const world_spec> titles(shape how, std::size_t keys) {
  threshold_spec limit;
  limit.rate = limit.resolve_rate = 0.2;
  limit.window = tick_length;
  limit.min_events = 1;
  monitor_spec monitor;
  monitor.name = "m";
  const auto scopes = how == shape::scopes ? keys : 1;
  if (how == shape::scopes) {
    monitor.dimensions = {"property", "title", "cdn"};
    monitor.scope_size = 1;
    monitor.levels = {{{0}}, {{0, 1}}};
  } else {
    monitor.dimensions = {"title", "cdn"};
    monitor.levels = {{{}}, {{0}}};
  }
  monitor.tick = tick_length;
  monitor.capacity = {8 * keys + 10, 8 * keys + 10, 4 * scopes + 10, 8 * keys + 10};
  monitor.life.group_wait = 2 * tick_length;
  monitor.detectors = {{"threshold", "t", limit}};
  world_spec world;
  world.monitors = {monitor};
  world.allowed_lateness = 0;
  return std::make_shared<const world_spec>(world);
}

void add(event_batch& batch, time_ms at, const std::string& scope, const std::string& title, const std::string& cdn,
         std::int64_t total, std::int64_t failed) {
  std::string key;
  if (!scope.empty())
    append_text(key, scope);
  const auto scope_size = key.size();
  append_text(key, title);
  append_text(key, cdn);
  observation seen;
  seen.scope_size = static_cast<std::uint16_t>(scope_size);
  seen.leaf = hash_key(key);
  seen.key_begin = static_cast<std::uint32_t>(batch.key_bytes.size());
  seen.key_size = static_cast<std::uint16_t>(key.size());
  seen.total = total;
  seen.failed = failed;
  batch.key_bytes += key;
  batch.events.push_back({at, static_cast<stream_offset>(batch.events.size())});
  batch.observations[0].push_back(seen);
}

event_batch tick_of_titles(int tick, shape how, std::size_t keys) {
  event_batch batch;
  batch.observations.resize(1);
  const auto at = start + tick * tick_length;
  const bool fails = tick >= first_failing && tick < first_healthy;
  for (std::size_t i = 0; i < keys; ++i) {
    const auto scope = how == shape::scopes ? "property" + std::to_string(i / 10) : std::string();
    const auto failed = fails ? 6 + static_cast<std::int64_t>(i % 3) : 0;
    add(batch, at, scope, "title" + std::to_string(i), "cdn" + std::to_string(i % 3), 10, failed);
  }
  if (how == shape::siblings)
    add(batch, at, {}, "other", "cdn0", static_cast<std::int64_t>(1000 * keys), 0);
  return batch;
}

struct tick_costs {
  double slowest = 0; ///< of all ticks
  double opening = 0; ///< the tick that wrote most records
  double open = 0;    ///< median of the later failing ones
  std::size_t pages = 0, records = 0;
};

tick_costs outage(shape how, std::size_t keys) {
  world engine(titles(how, keys), 1);
  engine.advance(0, start - 1, journal_kind::idle);
  tick_costs out;
  std::size_t most = 0;
  std::vector<double> open;
  for (int tick = 0; tick < ticks; ++tick) {
    engine.count(tick_of_titles(tick, how, keys));
    const auto begin = thread_cpu_ns();
    engine.advance(0, start + (tick + 1) * tick_length, journal_kind::idle);
    const auto ms = static_cast<double>(thread_cpu_ns() - begin) / 1e6;
    const auto records = engine.take_alerts();
    out.slowest = std::max(out.slowest, ms);
    if (records.size() > most && tick < first_healthy) {
      most = records.size();
      out.opening = ms;
    }
    if (tick >= first_healthy - 4 && tick < first_healthy)
      open.push_back(ms);
    out.records += records.size();
    out.pages += static_cast<std::size_t>(std::count_if(
        records.begin(), records.end(), [](const alert& a) { return a.kind == alert_kind::open && !a.parent_id; }));
  }
  out.open = median(open);
  return out;
}

void measure(const char* name, shape how, std::size_t keys, int rounds) {
  std::vector<double> slowest, opening, open;
  tick_costs last;
  for (int round = 0; round < rounds; ++round) {
    last = outage(how, keys);
    slowest.push_back(last.slowest);
    opening.push_back(last.opening);
    open.push_back(last.open);
  }
  fmt::print("{:>24}{:>8}{:>8}{:>9}{:>10.1f}{:>10.1f}{:>10.1f}\n", name, keys, last.pages, last.records,
             median(slowest), median(opening), median(open));
}

} // namespace

} // namespace tocsin::bench

int main(int argc, char** argv) {
  const auto keys = static_cast<std::size_t>(argc > 1 ? std::max(1, std::atoi(argv[1])) : 20'000);
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  fmt::print("CPU ms a tick, medians of {} rounds\n", rounds);
  fmt::print("{:>24}{:>8}{:>8}{:>9}{:>10}{:>10}{:>10}\n", "", "keys", "pages", "records", "slowest", "opening", "open");
  tocsin::bench::measure("the scope alarms too", tocsin::bench::shape::scope, keys, rounds);
  tocsin::bench::measure("siblings alone", tocsin::bench::shape::siblings, keys, rounds);
  tocsin::bench::measure("ten in each scope value", tocsin::bench::shape::scopes, keys, rounds);
}
