#include "models/optimal_delay.hpp"
#include "tools/evaluation/detection_scenario.hpp"
#include "tools/evaluation/parallel.hpp"
#include "tools/evaluation/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin::evaluation {

namespace {

/// Everything the two passes need to know of a scenario at hand.
class comparison {
public:
  comparison(const detection_scenario& scenario, const suite_options& options, report& out)
      : scenario_(scenario), options_(options), out_(out),
        worlds_(scenario.fleet ? 1 : options.size_of(scenario.streams)),
        keys_(scenario.fleet ? options.size_of(scenario.streams) : 1) {
    for (const auto& what : scenario.outages) {
      const auto ratio = ratio_of(what, scenario.shape.failure_rate);
      auto known = std::find_if(references_.begin(), references_.end(),
                                [&](const auto& reference) { return reference.ratio == ratio; });
      reference_of_.push_back(static_cast<std::size_t>(known - references_.begin()));
      if (known == references_.end())
        references_.push_back({ratio, 0});
    }
  }

  void run() {
    calm_pass();
    trial_pass();
    for (std::size_t o = 0; o < scenario_.outages.size(); ++o)
      add_table(o);
  }

private:
  double target_a_day() const { return scenario_.target * static_cast<double>(keys_); }
  double key_days() const {
    return static_cast<double>(worlds_ * keys_) * static_cast<double>(scenario_.measured) / static_cast<double>(day_ms);
  }

  /// The grid, then the untuned, with limits relative to a stream's own base rate.
  std::vector<competitor> everyone(double base_rate, std::vector<std::string>& skipped) const {
    auto all = competitor_grid(scenario_.windows, scenario_.shape.tick, base_rate, target_a_day());
    auto untuned = untuned_competitors(scenario_.windows, scenario_.shape.tick, base_rate, target_a_day());
    all.insert(all.end(), untuned.begin(), untuned.end());
    all.erase(
        std::remove_if(all.begin(), all.end(), [&](const auto& one) { return !options_.compares(one.spec.type); }),
        all.end());
    drop_unavailable(all, skipped);
    return all;
  }
  std::vector<competitor> everyone(double base_rate) const {
    std::vector<std::string> known;
    return everyone(base_rate, known);
  }

  scenario_world world(std::size_t number) const { return make_world(scenario_, options_.seed, number, keys_); }

  /// Counts the false alarms of everyone where nothing is planted, and finds the settings that meet the target.
  void calm_pass() {
    all_ = everyone(scenario_.shape.failure_rate, out_.skipped);
    // One world is divided by competitors instead: they know nothing of each other.
    const std::size_t parts = worlds_ > 1 ? 1 : std::max<std::size_t>(1, std::min(options_.jobs, all_.size()));
    std::vector<std::vector<double>> openings(worlds_ * parts);
    std::vector<run_result> results(worlds_ * parts);
    for_each_index(options_.jobs, worlds_ * parts, [&](std::size_t unit) {
      const auto part = unit % parts;
      auto made = world(unit / parts);
      std::vector<competitor> mine;
      const auto everybody = everyone(made.base_rate);
      for (auto i = part; i < everybody.size(); i += parts)
        mine.push_back(everybody[i]);
      made.plan.waves.clear();
      if (part == 0)
        made.plan.references = references_;
      auto& monitor = made.plan.world;
      monitor = with_detectors(*monitor, specs_of(mine));
      const auto measured_from = made.plan.measured_from;
      auto result = evaluation::run(std::move(made.plan));
      for (std::uint32_t d = 0; d < mine.size(); ++d)
        openings[unit].push_back(static_cast<double>(count_episodes(result.records, d, measured_from)));
      result.records.clear();
      results[unit] = std::move(result);
      options_.progress(fmt::format("detection {}: quiet run {} of {}", scenario_.name, unit + 1, worlds_ * parts));
    });
    realised_.assign(all_.size(), 0);
    for (std::size_t unit = 0; unit < openings.size(); ++unit)
      for (std::size_t i = 0; i < openings[unit].size(); ++i)
        realised_[unit % parts + i * parts] += openings[unit][i] / key_days();
    match_references(results);
    choose();
  }

  static std::shared_ptr<const world_spec> with_detectors(const world_spec& world, std::vector<detector_spec> specs) {
    const auto& monitor = world.monitors.front();
    auto made = evaluation_world(monitor.dimensions, monitor.levels, monitor.tick, std::move(specs));
    made->monitors.front().gates = monitor.gates;
    return made;
  }

  void match_references(std::vector<run_result>& results) {
    const auto allowed = static_cast<std::size_t>(scenario_.target * key_days());
    for (std::size_t r = 0; r < references_.size(); ++r) {
      std::vector<double> peaks;
      for (auto& result : results)
        if (r < result.reference_peaks.size())
          peaks.insert(peaks.end(), result.reference_peaks[r].begin(), result.reference_peaks[r].end());
      references_[r].threshold = matched_threshold(std::move(peaks), allowed);
    }
  }

  /// Of each family the most sensitive setting that does not exceed the target, then every untuned one.
  void choose() {
    std::vector<std::string> families;
    for (const auto& one : all_)
      if (!one.untuned && std::find(families.begin(), families.end(), one.family) == families.end())
        families.push_back(one.family);
    for (const auto& family : families) {
      std::vector<double> rates;
      std::vector<std::size_t> settings;
      for (std::size_t i = 0; i < all_.size(); ++i)
        if (all_[i].family == family && !all_[i].untuned) {
          rates.push_back(realised_[i]);
          settings.push_back(i);
        }
      if (const auto best = matched_setting(rates, scenario_.target))
        chosen_.push_back(settings[*best]);
      else
        out_.skipped.push_back(fmt::format("{}, {}: every setting of the grid has more false alarms than the target "
                                           "(the fewest: {:.4f} a key-day)",
                                           scenario_.name, family, *std::min_element(rates.begin(), rates.end())));
    }
    for (std::size_t i = 0; i < all_.size(); ++i)
      if (all_[i].untuned)
        chosen_.push_back(i);
  }

  void trial_pass() {
    std::vector<run_result> results(worlds_);
    volume_.resize(worlds_);
    const auto fork_jobs = worlds_ == 1 ? options_.jobs : 1;
    for_each_index(options_.jobs, worlds_, [&](std::size_t number) {
      auto made = world(number);
      const auto everybody = everyone(made.base_rate);
      std::vector<competitor> mine;
      for (const auto i : chosen_)
        mine.push_back(everybody[i]);
      made.plan.world = with_detectors(*made.plan.world, specs_of(mine));
      made.plan.references = references_;
      made.plan.jobs = fork_jobs;
      for (const auto& source : made.plan.sources)
        volume_[number].push_back(events_a_day(source.stream));
      results[number] = evaluation::run(std::move(made.plan));
      results[number].records.clear();
      options_.progress(fmt::format("detection {}: trials of stream {} of {}", scenario_.name, number + 1, worlds_));
    });
    trials_.resize(scenario_.outages.size());
    for (std::size_t number = 0; number < worlds_; ++number)
      for (auto& one : results[number].trials) {
        auto& alike = trials_[one.outage];
        alike.push_back({volume_[number][one.source], std::move(one)});
      }
  }

  struct measured_trial {
    double events_a_day = 0;
    trial what;
  };

  /// What one row of a table measures.
  struct measured {
    delays minutes;
    delays events;
    std::size_t open_before = 0;
    std::optional<double> best_events; ///< mean D*
  };

  template <class FindingOf>
  measured measure(std::size_t o, double budget_a_key_day, const FindingOf& finding_of) const {
    measured sum;
    double best = 0;
    std::size_t counted = 0;
    const auto& what = scenario_.outages[o];
    for (const auto& [volume, one] : trials_[o]) {
      const finding& found = finding_of(one);
      if (found.open_before) {
        ++sum.open_before;
        continue;
      }
      ++counted;
      const double null_rate = one.first.expected_rate;
      const double alternative = what.shape == outage::kind::absolute ? what.size : null_rate * what.size;
      best += optimal_delay(null_rate, std::min(0.95, alternative), volume / budget_a_key_day);
      if (!found.opened) {
        sum.minutes.add_not_found();
        sum.events.add_not_found();
        continue;
      }
      sum.minutes.add(static_cast<double>(*found.opened - one.onset) / static_cast<double>(minute_ms));
      sum.events.add(static_cast<double>(found.events));
    }
    if (counted > 0 && what.shape != outage::kind::ramp)
      sum.best_events = best / static_cast<double>(counted);
    return sum;
  }

  std::vector<cell> row(const std::string& name, const std::string& setting, double realised, const measured& what,
                        const std::optional<double>& oracle_mean) const {
    const auto trials = what.minutes.trials();
    const auto bounds = share_interval(what.minutes.found(), trials);
    const auto mean = what.events.mean();
    const auto over = [&](const std::optional<double>& denominator) -> std::optional<double> {
      if (!mean || !denominator || *denominator <= 0)
        return std::nullopt;
      return *mean / *denominator;
    };
    return {
        name,
        setting,
        number_cell(realised, 4),
        count_cell(trials),
        count_cell(what.open_before),
        cell(trials == 0 ? "-" : fmt::format("{:.3f} ({:.3f}-{:.3f})", what.minutes.power(), bounds.low, bounds.high),
             {{"power", what.minutes.power()}, {"low", bounds.low}, {"high", bounds.high}}),
        number_cell(what.minutes.quantile(0.5), 2),
        number_cell(what.minutes.mean(), 2),
        number_cell(what.events.quantile(0.5), 0),
        number_cell(mean, 0),
        number_cell(what.best_events, 0),
        number_cell(over(what.best_events), 2),
        number_cell(over(oracle_mean), 2)};
  }

  void add_table(std::size_t o) {
    table made;
    made.title = fmt::format("{}: {}", scenario_.name, scenario_.outages[o].name);
    made.note =
        fmt::format("{}. {} {}, {:.0f} quiet key-days after {} days of warm-up; matched: at most {:.4g} false alarms a "
                    "key-day. Median over all trials, means over those found.",
                    scenario_.about, worlds_ * keys_, scenario_.fleet ? "keys" : "streams", key_days(),
                    scenario_.warm_up / day_ms, scenario_.target);
    made.columns = {"method",       "setting",  "false alarms a key-day", "trials",      "open before", "power (95 %)",
                    "median min",   "mean min", "median events",          "mean events", "D* events",   "mean / D*",
                    "mean / oracle"};
    const auto reference = reference_of_[o];
    const auto oracle =
        measure(o, scenario_.target, [&](const trial& one) -> const finding& { return one.by_reference[reference]; });
    made.rows.push_back(row(fmt::format("oracle CUSUM x{:.3g}", references_[reference].ratio),
                            fmt::format("threshold {:.2f}", references_[reference].threshold), scenario_.target, oracle,
                            oracle.events.mean()));
    for (std::size_t c = 0; c < chosen_.size(); ++c) {
      const auto& who = all_[chosen_[c]];
      const bool has_own_budget = who.untuned && who.budget;
      const double budget = has_own_budget ? *who.budget / static_cast<double>(keys_) : scenario_.target;
      const auto what = measure(o, budget, [&](const trial& one) -> const finding& { return one.by_detector[c]; });
      made.rows.push_back(row(who.family, (who.untuned ? "untuned: " : "matched: ") + who.setting,
                              realised_[chosen_[c]], what, oracle.events.mean()));
    }
    out_.tables.push_back(std::move(made));
  }

  const detection_scenario& scenario_;
  const suite_options& options_;
  report& out_;
  std::size_t worlds_;
  std::size_t keys_; ///< a world
  std::vector<reference_plan> references_;
  std::vector<std::size_t> reference_of_; ///< by outage
  std::vector<competitor> all_;
  std::vector<double> realised_;                    ///< by competitor: false alarms a key-day
  std::vector<std::size_t> chosen_;                 ///< into all_, in the order of the rows
  std::vector<std::vector<double>> volume_;         ///< by world and source: events a day
  std::vector<std::vector<measured_trial>> trials_; ///< by outage
};

} // namespace

std::vector<std::string> detection_scenarios() {
  std::vector<std::string> names;
  for (const auto& scenario : detection_scenario_list())
    names.push_back(scenario.name);
  return names;
}

void run_scenario(const detection_scenario& scenario, const suite_options& options, report& out) {
  comparison(scenario, options, out).run();
}

void run_detection(const suite_options& options, report& out) {
  for (const auto& scenario : detection_scenario_list())
    if (options.wants(scenario.name))
      run_scenario(scenario, options, out);
}

} // namespace tocsin::evaluation
