#include "tools/evaluation/planted_run.hpp"

#include "tools/evaluation/parallel.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace tocsin::evaluation {

namespace {

/// Excursions of the reference below this are far too frequent to be alarms; they are not kept.
constexpr double lowest_peak = 1;

finding judge_detector(const std::vector<incident_record>& records, std::uint32_t detector, const key_source& source,
                       time_ms outage_end, bool open_before) {
  finding found;
  found.open_before = open_before;
  bool is_open = open_before;
  for (const auto& record : records) {
    if (record.detector != detector || record.key_bytes != source.key_bytes)
      continue;
    const bool during = record.tick <= outage_end;
    if (record.kind == alert_kind::open) {
      if (!found.opened)
        found.opened = record.tick;
    } else if (during) {
      found.resolved_early = true;
    } else if (found.open_at_end && !found.resolved) {
      found.resolved = record.tick;
    }
    is_open = record.kind == alert_kind::open;
    if (during)
      found.open_at_end = is_open;
  }
  return found;
}

/// One fork: the trunk's world and streams from the onset on, with outages.
class fork_run {
public:
  fork_run(const run_plan& plan, const world_snapshot& from, const wave& what, std::uint64_t seed,
           const std::vector<std::vector<reference_cusum>>& references)
      : plan_(plan), wave_(what), feed_(plan.world, from) {
    if (feed_.error())
      throw std::runtime_error("a fork of the world does not start: " + *feed_.error());
    for (const auto& source : plan.sources)
      streams_.push_back(source.stream);
    outage_of_.resize(streams_.size(), nullptr);
    for (const auto& [source, outage] : what.plantings) {
      streams_[source].branch(seed_of({seed, source}));
      outage_of_[source] = &plan.outages[outage];
      horizon_ = std::max(horizon_, plan.outages[outage].horizon);
      cusums_.push_back(references[source]);
    }
  }

  /// `open`: in the trunk, at the onset.
  std::vector<trial> run(const open_incidents& open) {
    prepare();
    const auto tick = plan_.world->monitors.front().tick;
    for (time_ms since = 0; since < horizon_; since += tick)
      step(since);
    feed_.close(wave_.onset + horizon_);
    judge(open);
    return std::move(trials_);
  }

private:
  void prepare() {
    for (std::size_t i = 0; i < wave_.plantings.size(); ++i) {
      trial one;
      one.source = wave_.plantings[i].source;
      one.outage = wave_.plantings[i].outage;
      one.onset = wave_.onset;
      for (std::size_t r = 0; r < plan_.references.size(); ++r) {
        finding found;
        found.open_before = cusums_[i][r].peak() >= plan_.references[r].threshold;
        one.by_reference.push_back(found);
      }
      trials_.push_back(std::move(one));
    }
    events_.resize(trials_.size());
    trial_of_.assign(streams_.size(), trials_.size());
    for (std::size_t i = 0; i < trials_.size(); ++i)
      trial_of_[trials_[i].source] = i;
  }

  void step(time_ms since) {
    for (std::size_t s = 0; s < streams_.size(); ++s) {
      const auto tick = streams_[s].next();
      const auto* what = outage_of_[s];
      const auto rate = what != nullptr && since < what->length ? rate_during(*what, tick, since) : tick.rate;
      const auto failed = streams_[s].failures(tick, rate);
      if (tick.total > 0)
        feed_.add(plan_.sources[s].leaf, tick.start, tick.total, failed);
      if (what != nullptr)
        observe(trial_of_[s], tick, failed, since);
    }
  }

  void observe(std::size_t i, const stream_tick& tick, std::int64_t failed, time_ms since) {
    auto& one = trials_[i];
    if (since == 0)
      one.first = tick;
    events_[i].push_back(tick.total + (events_[i].empty() ? 0 : events_[i].back()));
    for (std::size_t r = 0; r < one.by_reference.size(); ++r) {
      auto& found = one.by_reference[r];
      auto& cusum = cusums_[i][r];
      cusum.step(tick.total, failed, tick.expected_rate);
      if (!found.opened && cusum.peak() >= plan_.references[r].threshold) {
        found.opened = tick.start + plan_.world->monitors.front().tick;
        found.events = events_[i].back();
      }
    }
  }

  void judge(const open_incidents& open) {
    const auto records = feed_.take_records();
    const auto& monitor = plan_.world->monitors.front();
    for (std::size_t i = 0; i < trials_.size(); ++i) {
      auto& one = trials_[i];
      const auto& source = plan_.sources[one.source];
      const auto horizon = one.onset + plan_.outages[one.outage].horizon;
      for (std::uint32_t d = 0; d < monitor.detectors.size(); ++d) {
        auto found = judge_detector(records, d, source, one.onset + plan_.outages[one.outage].length,
                                    open.contains(d, source.key_bytes));
        if (found.opened && *found.opened > horizon)
          found.opened.reset();
        if (found.opened)
          found.events = events_[i][static_cast<std::size_t>((*found.opened - one.onset) / monitor.tick) - 1];
        one.by_detector.push_back(found);
      }
    }
  }

  const run_plan& plan_;
  const wave& wave_;
  engine_feed feed_;
  time_ms horizon_ = 0;
  std::vector<noisy_stream> streams_;
  std::vector<const outage*> outage_of_;             ///< by source
  std::vector<std::size_t> trial_of_;                ///< by source
  std::vector<std::vector<reference_cusum>> cusums_; ///< by planting and reference
  std::vector<std::vector<std::int64_t>> events_;    ///< by trial: events since the onset, tick by tick
  std::vector<trial> trials_;
};

/// The trunk: everything runs through it once; forks leave it where the waves are.
class trunk_run {
public:
  explicit trunk_run(run_plan&& plan) : plan_(std::move(plan)), feed_(plan_.world) {
    for (const auto& reference : plan_.references)
      fresh_.emplace_back(reference.ratio);
    references_.assign(plan_.sources.size(), fresh_);
    result_.reference_peaks.resize(plan_.references.size());
  }

  run_result run() {
    const auto tick = plan_.world->monitors.front().tick;
    for (auto now = plan_.start; now < plan_.end; now += tick) {
      if (next_wave_ < plan_.waves.size() && plan_.waves[next_wave_].onset <= now)
        fork(now);
      step(now);
    }
    feed_.close(plan_.end);
    gather();
    return std::move(result_);
  }

private:
  void step(time_ms now) {
    const bool measured = now >= plan_.measured_from;
    for (std::size_t s = 0; s < plan_.sources.size(); ++s) {
      auto& [leaf, key_bytes, stream] = plan_.sources[s];
      const auto tick = stream.next();
      const auto failed = stream.failures(tick, tick.rate);
      if (tick.total == 0)
        continue;
      feed_.add(leaf, tick.start, tick.total, failed);
      result_.events += measured ? static_cast<std::uint64_t>(tick.total) : 0;
      for (std::size_t r = 0; r < fresh_.size(); ++r) {
        auto& cusum = references_[s][r];
        cusum.step(tick.total, failed, tick.expected_rate);
        if (measured && cusum.ended_peak() >= lowest_peak)
          result_.reference_peaks[r].push_back(cusum.ended_peak());
      }
    }
  }

  void gather() {
    for (auto& record : feed_.take_records()) {
      open_.follow(record);
      result_.records.push_back(std::move(record));
    }
  }

  void fork(time_ms now) {
    feed_.close(now);
    gather();
    const auto snapshot = feed_.snapshot();
    const auto first = next_wave_;
    while (next_wave_ < plan_.waves.size() && plan_.waves[next_wave_].onset <= now)
      ++next_wave_;
    std::vector<std::vector<trial>> trials(next_wave_ - first);
    for_each_index(plan_.jobs, trials.size(), [&](std::size_t i) {
      const auto seed = seed_of({plan_.seed, first + i});
      trials[i] = fork_run(plan_, snapshot, plan_.waves[first + i], seed, references_).run(open_);
    });
    for (auto& some : trials)
      for (auto& one : some)
        result_.trials.push_back(std::move(one));
  }

  run_plan plan_;
  engine_feed feed_;
  std::vector<reference_cusum> fresh_;
  std::vector<std::vector<reference_cusum>> references_; ///< by source and reference
  open_incidents open_;
  std::size_t next_wave_ = 0;
  run_result result_;
};

} // namespace

double rate_during(const outage& what, const stream_tick& tick, time_ms since) {
  switch (what.shape) {
  case outage::kind::times: return tick.rate * what.size;
  case outage::kind::ramp:
    return tick.rate *
           (1 + (what.size - 1) * std::min(1.0, static_cast<double>(since) / static_cast<double>(what.rise)));
  case outage::kind::absolute: return tick.rate / tick.expected_rate * what.size;
  }
  return tick.rate;
}

double ratio_of(const outage& what, double base_rate) {
  switch (what.shape) {
  case outage::kind::times: return what.size;
  case outage::kind::ramp: return 2;
  case outage::kind::absolute: return what.size / base_rate;
  }
  return 1;
}

key_source whole_world(noisy_stream stream) {
  return {make_leaf({}), std::string(1, '\0'), std::move(stream)};
}

key_source leaf_source(const std::vector<std::string>& values, noisy_stream stream) {
  auto leaf = make_leaf(values);
  auto key_bytes = std::string(1, '\1') + leaf.bytes;
  return {std::move(leaf), std::move(key_bytes), std::move(stream)};
}

run_result run(run_plan plan) {
  return trunk_run(std::move(plan)).run();
}

} // namespace tocsin::evaluation
