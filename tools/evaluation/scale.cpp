#include "detectors/judging/keyed_state.hpp"
#include "tools/evaluation/competitor.hpp"
#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/parallel.hpp"
#include "tools/evaluation/statistics.hpp"
#include "tools/evaluation/suite.hpp"
#include "tools/evaluation/title_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace tocsin::evaluation {

namespace {

constexpr std::size_t full_titles = 1'000'000;
constexpr double views_a_title_and_day = 5;
constexpr std::uint32_t cdns = 10;
constexpr double promise = 1; ///< false alarms a day of the whole world

stream_shape shape_of(std::size_t titles) {
  stream_shape shape;
  shape.tick = minute_ms;
  shape.events_per_second = views_a_title_and_day * static_cast<double>(titles) / 86400;
  return shape;
}

/// The methods that make sense for keys of few events: the promise of `sr_mixture`, and buckets beside it.
std::vector<competitor> methods(std::vector<std::string>& skipped) {
  std::vector<competitor> chosen;
  for (auto& one : untuned_competitors({}, minute_ms, 0.01, promise))
    if (one.family == "count_bucket" || (one.family == "sr_mixture" && one.setting != "every default"))
      chosen.push_back(std::move(one));
  drop_unavailable(chosen, skipped);
  return chosen;
}

std::vector<cell> memory_row(const char* name, const shard_stats& stats) {
  const auto keys = static_cast<double>(stats.keys);
  return {name,
          count_cell(stats.keys),
          count_cell(stats.keys_created),
          count_cell(stats.keys_evicted),
          number_cell(static_cast<double>(stats.memory_bytes) / (1 << 20), 0),
          number_cell(keys > 0 ? static_cast<double>(stats.memory_bytes) / keys : 0, 0)};
}

table memory_table(std::string title) {
  table made;
  made.title = std::move(title);
  made.note = "What the engine says of itself at the end, all methods of the table above together.";
  made.columns = {"world", "keys", "created", "evicted", "MiB", "bytes a key"};
  return made;
}

// ---- One dead title among a million.

constexpr time_ms dead_from = 14 * day_ms; ///< two weeks without outage; titles die within the next three days
constexpr time_ms titles_end = 21 * day_ms;

/// A title of which no view works from `since` on, and the ends of the ticks of its views from then on.
struct dead_title {
  time_ms since = 0;
  std::vector<time_ms> views;
};

class dead_titles_run {
public:
  dead_titles_run(std::size_t titles, const suite_options& options, report& out)
      : titles_(titles), options_(options), out_(out), methods_(methods(out.skipped)), feed_(make_world()),
        views_(shape_of(titles), titles, 1, 0, seed_of({scale, options.seed, 0}), evaluation_start) {
    generator::random_source random(seed_of({scale, options.seed, 1}));
    const auto wanted = std::clamp<std::size_t>(titles / 1000, 1, 50);
    while (dead_.size() < wanted) {
      const auto title = random.below(static_cast<std::uint32_t>(titles));
      const auto since = static_cast<time_ms>(random.uniform() * 3 * 1440) * minute_ms;
      dead_[title].since = evaluation_start + dead_from + since;
    }
  }

  void run() {
    for (auto now = evaluation_start; now < evaluation_start + titles_end; now += minute_ms) {
      views_.next(
          [&](std::uint32_t title, std::uint32_t, double usual) {
            const auto known = now < evaluation_start + dead_from ? dead_.end() : dead_.find(title);
            return known != dead_.end() && now >= known->second.since ? 1.0 : usual;
          },
          [&](std::uint32_t title, std::uint32_t, bool failed) { take(now, title, failed); });
      if ((now - evaluation_start) % day_ms == 0)
        options_.progress(
            fmt::format("scale titles: day {} of {}", (now - evaluation_start) / day_ms, titles_end / day_ms));
    }
    feed_.close(evaluation_start + titles_end);
    tell(feed_.take_records());
  }

private:
  std::shared_ptr<const world_spec> make_world() const {
    auto world = evaluation_world({"title"}, {{}, {{0}}}, minute_ms, specs_of(methods_));
    world->monitors.front().capacity = {2 * titles_, 2 * titles_, 1};
    return world;
  }

  void take(time_ms now, std::uint32_t title, bool failed) {
    feed_.add(title_leaf(title), now, 1, failed ? 1 : 0);
    if (now < evaluation_start + dead_from)
      return;
    const auto known = dead_.find(title);
    if (known != dead_.end() && now >= known->second.since)
      known->second.views.push_back(now + minute_ms);
  }

  void tell(const std::vector<incident_record>& records) {
    table made;
    made.title = "scale: a dead title among many";
    made.note = fmt::format("{} titles of {:g} views a day, base 1 % with a spread of 0.5 in the logarithm, one world "
                            "with one budget of {:g} a "
                            "day; false opens of any key in the first week and in the second, then {} titles of which "
                            "no view works. Views are "
                            "those of the title, to the end of the deciding tick, over all of them.",
                            titles_, views_a_title_and_day, promise, dead_.size());
    made.columns = {"method",         "false opens week 1", "week 2",    "promised a week", "found",
                    "within 6 views", "median views",       "p90 views", "median h"};
    for (std::uint32_t d = 0; d < methods_.size(); ++d)
      made.rows.push_back(row(records, d));
    out_.tables.push_back(std::move(made));
    auto memory = memory_table("scale: memory of the titles");
    memory.rows.push_back(memory_row("titles", feed_.state_stats()));
    out_.tables.push_back(std::move(memory));
  }

  std::vector<cell> row(const std::vector<incident_record>& records, std::uint32_t detector) const {
    const auto week = 7 * day_ms;
    std::unordered_map<std::string, time_ms> opened; // by key: first opening since its title died
    for (const auto& record : records)
      if (record.detector == detector && record.kind == alert_kind::open && record.tick > evaluation_start + dead_from)
        opened.emplace(record.key_bytes, record.tick);
    delays in_views;
    delays in_hours;
    for (const auto& [title, dead] : dead_) {
      const auto found = opened.find('\1' + title_leaf(title).bytes);
      if (found == opened.end() || found->second <= dead.since) {
        in_views.add_not_found();
        in_hours.add_not_found();
        continue;
      }
      in_views.add(static_cast<double>(std::upper_bound(dead.views.begin(), dead.views.end(), found->second) -
                                       dead.views.begin()));
      in_hours.add(static_cast<double>(found->second - dead.since) / static_cast<double>(hour_ms));
    }
    const auto& who = methods_[detector];
    return {who.family + ", " + who.setting,
            count_cell(count_openings(records, detector, evaluation_start, evaluation_start + week)),
            count_cell(count_openings(records, detector, evaluation_start + week, evaluation_start + 2 * week)),
            who.budget ? number_cell(7 * *who.budget, 0) : cell("-"),
            number_cell(in_views.power(), 2),
            number_cell(in_views.share_within(6), 2),
            number_cell(in_views.quantile(0.5), 0),
            number_cell(in_views.quantile(0.9), 0),
            number_cell(in_hours.quantile(0.5), 1)};
  }

  std::size_t titles_;
  const suite_options& options_;
  report& out_;
  std::vector<competitor> methods_;
  engine_feed feed_;
  title_views views_;
  std::unordered_map<std::uint32_t, dead_title> dead_;
};

// ---- Ten times more titles than the monitor has room for.

constexpr time_ms tail_from = 5 * day_ms;
constexpr time_ms tail_horizon = 2 * hour_ms;
constexpr std::size_t forks = 8; ///< 6 hours apart

struct tail_outage {
  const char* name;
  double (*rate_of)(std::uint32_t title, std::uint32_t cdn, std::size_t titles, double usual);
};
constexpr std::array<tail_outage, 3> tail_outages = {
    {{"the nine tenths of the titles that are seen least, x4",
      [](std::uint32_t title, std::uint32_t, std::size_t titles, double usual) {
        return title >= titles / 10 ? 4 * usual : usual;
      }},
     {"one CDN, x4",
      [](std::uint32_t, std::uint32_t cdn, std::size_t, double usual) { return cdn == 3 ? 4 * usual : usual; }},
     {"one CDN, only titles of the tail, 50 %",
      [](std::uint32_t title, std::uint32_t cdn, std::size_t titles, double usual) {
        return cdn == 3 && title >= titles / 10 ? 0.5 : usual;
      }}}};

/// Where an outage was found: in the order of the table's columns.
enum found_at : std::size_t { at_root, at_pooled_tail, at_cdn, places };

class crowded_run {
public:
  crowded_run(std::size_t titles, const suite_options& options, report& out)
      : titles_(titles), options_(options), out_(out), methods_(methods(out.skipped)), world_(make_world()),
        feed_(world_), views_(shape_of(titles), titles, cdns, 1, seed_of({scale, options.seed, 2}), evaluation_start) {}

  void run() {
    const auto end = evaluation_start + tail_from + static_cast<time_ms>(forks) * 6 * hour_ms;
    std::size_t number = 0;
    for (auto now = evaluation_start; now < end; now += minute_ms) {
      if (now >= evaluation_start + tail_from && (now - evaluation_start) % (6 * hour_ms) == 0)
        fork(now, number++);
      feed_tick(feed_, views_, now, nullptr);
      if ((now - evaluation_start) % day_ms == 0)
        options_.progress(fmt::format("scale tail: day {}", (now - evaluation_start) / day_ms));
    }
    feed_.close(end);
    gather();
    tell(end);
  }

private:
  std::shared_ptr<const world_spec> make_world() const {
    auto world = evaluation_world({"title", "cdn"}, {{}, {{0}}, {{1}}}, minute_ms, specs_of(methods_));
    world->monitors.front().capacity = {std::max<std::uint64_t>(20, titles_ / 10), 2 * titles_, 1};
    return world;
  }

  void feed_tick(engine_feed& feed, title_views& views, time_ms now, const tail_outage* what) const {
    views.next([&](std::uint32_t title, std::uint32_t cdn,
                   double usual) { return what != nullptr ? what->rate_of(title, cdn, titles_, usual) : usual; },
               [&](std::uint32_t title, std::uint32_t cdn, bool failed) {
                 feed.add(title_and_cdn_leaf(title, cdn), now, 1, failed ? 1 : 0);
               });
  }

  /// The same moment three times: each outage in a world of its own.
  void fork(time_ms now, std::size_t number) {
    feed_.close(now);
    gather();
    const auto from = feed_.snapshot();
    found_.resize((number + 1) * tail_outages.size());
    for_each_index(options_.jobs, tail_outages.size(), [&](std::size_t o) {
      engine_feed branch(world_, from);
      auto views = views_;
      for (auto at = now; at < now + tail_horizon; at += minute_ms)
        feed_tick(branch, views, at, &tail_outages[o]);
      branch.close(now + tail_horizon);
      found_[number * tail_outages.size() + o] = {now, open_, branch.take_records()};
    });
  }

  void gather() {
    for (auto& record : feed_.take_records()) {
      open_.follow(record);
      records_.push_back(std::move(record));
    }
  }

  static std::optional<found_at> place_of(const std::string& key_bytes) {
    if (key_bytes.front() == '\0')
      return at_root;
    if (key_bytes.front() == '\1')
      return is_pooled(key_bytes) ? std::optional(at_pooled_tail) : std::nullopt;
    const auto broken = make_leaf({"cdn3"}).bytes;
    return std::string_view(key_bytes).substr(1) == broken ? std::optional(at_cdn) : std::nullopt;
  }

  std::vector<cell> row(std::size_t o, std::uint32_t detector) const {
    delays minutes;
    std::size_t open_before = 0;
    std::array<std::size_t, places> at{};
    for (std::size_t i = o; i < found_.size(); i += tail_outages.size()) {
      const auto& [onset, open, records] = found_[i];
      bool was_open = false;
      open.for_each([&](std::uint32_t d, const std::string& key_bytes) {
        was_open = was_open || (d == detector && place_of(key_bytes));
      });
      if (was_open) {
        ++open_before;
        continue;
      }
      std::optional<time_ms> first;
      for (const auto& record : records) {
        const auto place = place_of(record.key_bytes);
        if (record.detector != detector || record.kind != alert_kind::open || !place)
          continue;
        first = first.value_or(record.tick);
        ++at[*place];
      }
      if (first)
        minutes.add(static_cast<double>(*first - onset) / static_cast<double>(minute_ms));
      else
        minutes.add_not_found();
    }
    const auto& who = methods_[detector];
    return {tail_outages[o].name,
            who.family + ", " + who.setting,
            count_cell(minutes.trials()),
            count_cell(open_before),
            count_cell(minutes.found()),
            number_cell(minutes.quantile(0.5), 0),
            number_cell(minutes.quantile(0.9), 0),
            count_cell(at[at_root]),
            count_cell(at[at_pooled_tail]),
            count_cell(at[at_cdn])};
  }

  void tell(time_ms end) {
    table made;
    made.title = "scale: an outage in the tail of ten times too many titles";
    made.note =
        fmt::format("{} titles (Zipf, {:g} views a day on average) and {} CDNs, room for {} keys, levels [], [title] "
                    "and [cdn]; watched for {} after each onset.",
                    titles_, views_a_title_and_day, cdns, world_->monitors.front().capacity.max_keys,
                    format_duration(tail_horizon));
    made.columns = {"outage",     "method",  "trials",      "open before", "found",
                    "median min", "p90 min", "opens at []", "at (other)",  "at the CDN"};
    for (std::size_t o = 0; o < tail_outages.size(); ++o)
      for (std::uint32_t d = 0; d < methods_.size(); ++d)
        made.rows.push_back(row(o, d));
    out_.tables.push_back(std::move(made));

    table quiet;
    quiet.title = "scale: false opens of the crowded world";
    const double days = static_cast<double>(end - evaluation_start) / static_cast<double>(day_ms);
    quiet.columns = {"method", "days", "false opens", "promised"};
    for (std::uint32_t d = 0; d < methods_.size(); ++d)
      quiet.rows.push_back({methods_[d].family + ", " + methods_[d].setting, number_cell(days, 0),
                            count_cell(count_openings(records_, d, evaluation_start)),
                            methods_[d].budget ? number_cell(days * *methods_[d].budget, 0) : cell("-")});
    out_.tables.push_back(std::move(quiet));
    auto memory = memory_table("scale: memory of the crowded world");
    memory.rows.push_back(memory_row("tail", feed_.state_stats()));
    out_.tables.push_back(std::move(memory));
  }

  struct fork_result {
    time_ms onset = 0;
    open_incidents open_before;
    std::vector<incident_record> records;
  };

  std::size_t titles_;
  const suite_options& options_;
  report& out_;
  std::vector<competitor> methods_;
  std::shared_ptr<const world_spec> world_;
  engine_feed feed_;
  title_views views_;
  open_incidents open_;
  std::vector<incident_record> records_; ///< of the trunk
  std::vector<fork_result> found_;       ///< by fork and outage
};

} // namespace

std::vector<std::string> scale_scenarios() {
  return {"titles", "tail"};
}

void run_scale(const suite_options& options, report& out) {
  const auto titles = options.size_of(full_titles);
  if (options.wants("titles"))
    dead_titles_run(titles, options, out).run();
  if (options.wants("tail"))
    crowded_run(titles, options, out).run();
}

} // namespace tocsin::evaluation
