#include "tools/evaluation/engine_feed.hpp"

#include "detectors/judging/detector.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::evaluation {

namespace {

constexpr std::size_t batch_records = 4096;

} // namespace

leaf_key make_leaf(const std::vector<std::string>& values) {
  leaf_key leaf;
  for (const auto& value : values)
    append_text(leaf.bytes, value);
  leaf.hash = hash_key(leaf.bytes);
  return leaf;
}

std::size_t count_openings(const std::vector<incident_record>& records, std::uint32_t detector, time_ms from,
                           time_ms to) {
  return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [&](const auto& record) {
    return record.kind == alert_kind::open && record.detector == detector && record.tick > from && record.tick <= to;
  }));
}

std::size_t count_episodes(const std::vector<incident_record>& records, std::uint32_t detector, time_ms from) {
  open_incidents before;
  for (const auto& record : records)
    if (record.detector == detector && record.tick <= from)
      before.follow(record);
  std::size_t open = 0;
  before.for_each([&](std::uint32_t, const std::string&) { ++open; });
  return open + count_openings(records, detector, from);
}

engine_feed::engine_feed(std::shared_ptr<const world_spec> spec) : spec_(std::move(spec)), world_(spec_, 1) {
  batch_.observations.resize(1);
}

engine_feed::engine_feed(std::shared_ptr<const world_spec> spec, const world_snapshot& from)
    : spec_(std::move(spec)), world_(spec_, 1, from) {
  batch_.observations.resize(1);
  batch_.begin = batch_.next_offset = from.rewinds.front().offset;
}

void engine_feed::add(const leaf_key& key, time_ms time, std::int64_t total, std::int64_t failed) {
  observation seen;
  seen.leaf = key.hash;
  seen.key_begin = static_cast<std::uint32_t>(batch_.key_bytes.size());
  seen.key_size = static_cast<std::uint16_t>(key.bytes.size());
  seen.total = total;
  seen.failed = failed;
  batch_.key_bytes += key.bytes;
  batch_.observations.front().push_back(seen);
  batch_.events.push_back({time, batch_.next_offset++});
  if (batch_.events.size() >= batch_records)
    flush();
}

void engine_feed::flush() {
  if (batch_.events.empty())
    return;
  world_.count(batch_);
  collect();
  batch_.begin = batch_.next_offset;
  batch_.events.clear();
  batch_.observations.front().clear();
  batch_.key_bytes.clear();
}

void engine_feed::close(time_ms time) {
  flush();
  world_.advance(0, time, journal_kind::idle);
  collect();
}

void engine_feed::collect() {
  for (auto& alert : world_.take_alerts())
    if (alert.kind != alert_kind::update || spec_->monitors[0].attributes)
      records_.push_back({alert.detector_index, alert.kind, alert.tick, std::move(alert.key_bytes), std::move(alert.id),
                          std::move(alert.contributors)});
}

world_snapshot engine_feed::snapshot() {
  auto commit = world_.take_commit();
  for (auto& record : commit.state) {
    if (record.bytes.empty())
      state_.erase(record.key);
    else
      state_[std::move(record.key)] = std::move(record.bytes);
  }
  commit.state.clear();
  for (const auto& [key, bytes] : state_)
    commit.state.push_back({key, bytes});
  return commit;
}

std::shared_ptr<world_spec> evaluation_world(std::vector<std::string> dimensions, std::vector<level_spec> levels,
                                             time_ms tick, std::vector<detector_spec> detectors) {
  auto world = std::make_shared<world_spec>();
  monitor_spec monitor;
  monitor.name = "evaluation";
  monitor.dimensions = std::move(dimensions);
  monitor.levels = std::move(levels);
  monitor.attributes = false; // measured by a suite of its own
  monitor.tick = tick;
  monitor.update_every = 365 * day_ms; // updates are not measured
  monitor.life.reopen_within = 0;      // each alarm counts
  monitor.life.propose_after = 365 * day_ms;
  monitor.detectors = std::move(detectors);
  for (auto& detector : monitor.detectors)
    detector.shadow = true;
  world->monitors.push_back(std::move(monitor));
  world->allowed_lateness = 0;
  world->max_ahead = 365 * day_ms; // a sparse stream is silent for hours; its clock is right all the same
  world->fingerprint = "evaluation";
  return world;
}

bool is_available(const detector_spec& spec) {
  const auto world = evaluation_world({}, {{}}, 10 * second_ms, {spec});
  const auto& monitor = world->monitors.front();
  const keyed_state keys(monitor);
  return make_detector(monitor, monitor.detectors.front(), keys) != nullptr;
}

} // namespace tocsin::evaluation
