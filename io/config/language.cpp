#include "io/config/language.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::io {

namespace {

constexpr std::string_view detector_prefix = "detector:";

key_spec plain(value_kind kind, std::string key, std::string description, std::string example) {
  key_spec spec;
  spec.key = std::move(key);
  spec.kind = kind;
  spec.description = std::move(description);
  spec.example = std::move(example);
  return spec;
}

/// A number, duration or size with a default and inclusive limits.
key_spec bounded(value_kind kind, std::string key, std::string fallback, std::string lowest, std::string highest,
                 std::string description) {
  auto spec = plain(kind, std::move(key), std::move(description), {});
  spec.fallback = std::move(fallback);
  spec.lowest = std::move(lowest);
  spec.highest = std::move(highest);
  return spec;
}

key_spec duration(std::string key, const std::string& fallback, std::string lowest, std::string highest,
                  std::string description) {
  return bounded(value_kind::duration, std::move(key), '"' + fallback + '"', std::move(lowest), std::move(highest),
                 std::move(description));
}

key_spec size(std::string key, const std::string& fallback, std::string lowest, std::string highest,
              std::string description) {
  return bounded(value_kind::size, std::move(key), '"' + fallback + '"', std::move(lowest), std::move(highest),
                 std::move(description));
}

key_spec integer(std::string key, std::string fallback, std::string lowest, std::string highest,
                 std::string description) {
  return bounded(value_kind::integer, std::move(key), std::move(fallback), std::move(lowest), std::move(highest),
                 std::move(description));
}

key_spec number(std::string key, std::string fallback, std::string lowest, std::string highest,
                std::string description) {
  return bounded(value_kind::number, std::move(key), std::move(fallback), std::move(lowest), std::move(highest),
                 std::move(description));
}

key_spec object(std::string key, std::string section, std::string description) {
  auto spec = plain(value_kind::object, std::move(key), std::move(description), {});
  spec.section = std::move(section);
  return spec;
}

key_spec choice(std::string key, std::vector<std::string> choices, std::string description) {
  auto spec = plain(value_kind::choice, std::move(key), std::move(description), '"' + choices.front() + '"');
  spec.choices = std::move(choices);
  return spec;
}

key_spec later(std::string key) {
  key_spec spec;
  spec.key = std::move(key);
  spec.kind = value_kind::later;
  return spec;
}

key_spec required(key_spec spec) {
  spec.required = true;
  return spec;
}

key_spec with_default(key_spec spec, std::string fallback) {
  spec.fallback = std::move(fallback);
  return spec;
}

/// Limits become exclusive.
key_spec above(key_spec spec) {
  spec.above_lowest = true;
  return spec;
}
key_spec between(key_spec spec) {
  spec.above_lowest = true;
  spec.below_highest = true;
  return spec;
}

constexpr auto k_bool = value_kind::boolean;
constexpr auto k_text = value_kind::text;
constexpr auto k_texts = value_kind::texts;
constexpr auto k_condition = value_kind::condition;

section_spec root() {
  auto monitors = required(plain(value_kind::objects, "monitors", "What is watched; at least one monitor.", {}));
  monitors.section = "monitor";
  return {"root",
          "A Tocsin configuration: one input, the monitors that watch it, and where alerts and state go.",
          {plain(value_kind::ignored, "$schema", "Path of this schema, for editors; no effect.", R"("../schema.json")"),
           required(object("input", "input", "The stream of outcomes: how records become events.")),
           std::move(monitors), object("alerts", "alerts", "Where alert records go."),
           object("dead_letter", "dead_letter", "Where records go that could not be used."),
           object("state", "state", "Durable state, so that a restart neither loses nor repeats an alert."),
           size("memory_limit", "1GiB", "16MiB", "64TiB",
                "The capacities of all monitors must fit in this much memory; the configuration is refused otherwise."),
           integer("workers", "0", "0", "1024", "Worker threads; 0 is one a core. Never changes an alert."),
           later("http")}};
}

section_spec input() {
  return {
      "input",
      "How records become events, and how event time moves.",
      {required(choice("format", {"ndjson", "csv", "combined_log"}, "Format of the records.")),
       object("time", "time", "The event time. Required, except for combined_log, whose lines carry their own time."),
       duration("allowed_lateness", "5s", "0s", "30d",
                "How far events may lag behind the newest before their tick closes. Each alert waits this long."),
       duration("max_ahead", "1h", "1s", "3650d",
                "An event further ahead of the watermark than this is parked: one wrong clock must not close the "
                "world."),
       integer("ahead_accept", "100", "1", "1000000",
               "So many parked events in a row, within max_ahead of each other, are accepted as a jump in time."),
       duration("correction", "1h", "0s", "30d", "Events later than this are dropped and counted."),
       duration("settle", "0s", "0s", "7d",
                "Judging waits so much longer, for outcomes that become known late (events with the time of the start "
                "whose success is known only at the end). Each alert waits this long; ticks are of 1m or more."),
       duration("idle_timeout", "30s", "1s", "1d",
                "A partition at its end that is silent for this wall time no longer holds back the others."),
       plain(k_condition, "where", "Which records count at all; every record if left out.", R"("kind = 'view'")"),
       plain(k_text, "total", "Field with the number of events that a record stands for; 1 if left out.", R"("n")"),
       plain(k_text, "failed", "Field with the number of failed events, for monitors without error_when.", R"("bad")"),
       plain(k_text, "rate",
             "Field with a failure rate, for monitors without error_when: that of `total` events, or, where `total` is "
             "left out, a rate without denominator, whose sample size is estimated from its noise.",
             R"("crash_rate")"),
       with_default(choice("rate_unit", {"percent", "fraction", "per_million"}, "Unit of `rate`."), R"("fraction")"),
       plain(k_text, "viewer", "Field that names the viewer: one viewer who retries often must not page.",
             R"("viewer_id")"),
       plain(k_text, "error_type",
             "Field that names the error type of what failed: records tell which types make the excess, and a type "
             "that was never or rarely seen has incidents of its own.",
             R"("error_code")"),
       object("file", "file", "Files that `run` reads and follows; `replay` takes its input from the command line."),
       with_default(plain(k_bool, "stdin", "`run` reads standard input instead of files.", {}), "false"),
       size("max_record_bytes", "1MiB", "64B", "64MiB", "Longer records are rejected and counted."),
       size("block_bytes", "1MiB", "4KiB", "64MiB", "How much is read and decoded at once. Never changes an alert."),
       later("keyed_by"),
       later("kafka"),
       later("attribute_by"),
       later("http")}};
}

section_spec time_section() {
  return {"time",
          "Where a record's event time is.",
          {required(plain(k_text, "field", "Field with the event time.", R"("ts")")),
           with_default(choice("unit", {"s", "ms", "us", "rfc3339"},
                               "Unix time in seconds, milliseconds or microseconds, or RFC 3339 text."),
                        R"("ms")"),
           plain(k_text, "zone",
                 "IANA zone of RFC 3339 times without an offset; they are UTC if left out. Ambiguous times take the "
                 "first, gaps shift forward.",
                 R"("Europe/Berlin")")}};
}

section_spec file_section() {
  return {"file",
          "Files to read: plain, gzip or zstd.",
          {required(plain(k_texts, "paths", "The files; each a partition of its own.", R"(["views.ndjson"])")),
           with_default(plain(k_bool, "sequence", "The files follow each other as one partition.", {}), "false")}};
}

section_spec monitor() {
  auto detectors =
      plain(value_kind::detectors, "detectors", "What judges each key; all detectors judge every key.", {});
  detectors.fallback = R"([{"type": "sr_mixture"}])";
  return {
      "monitor",
      "One failure rate to watch, for each value of the scope and each level below it.",
      {required(plain(value_kind::label, "name", "Name in alerts and state; unique.", R"("playback-failures")")),
       plain(k_condition, "error_when", "Which events failed. Where left out, the input's `failed` counts decide.",
             R"("error_code IS NOT NULL")"),
       plain(k_condition, "where", "Which events this monitor counts; all if left out.", R"("player = 'web'")"),
       with_default(plain(k_texts, "scope",
                          "Dimensions whose values are judged apart, such as customers: nothing learned crosses them. "
                          "[] is the whole stream.",
                          R"(["property"])"),
                    "[]"),
       with_default(plain(value_kind::levels, "levels",
                          "Lists of dimensions (without those of the scope): each combination of their values is a "
                          "key. [], the scope itself, is always there.",
                          R"([[], ["cdn"], ["country"], ["cdn", "country"]])"),
                    "[[]]"),
       duration("tick", "10s", "1s", "7d",
                "Decisions are made once a tick, in whole seconds. The default is 1m where input.settle is set."),
       duration("expire_after", "8d", "1m", "3650d", "Keys and incidents without events for this long end."),
       duration("update_every", "30m", "1s", "30d", "An open incident is told again at least this often."),
       duration("group_wait", "20s", "0s", "1d",
                "Alarms of a scope value wait so long for others of the same cause: one page, the others are its "
                "children. The default is 2 ticks, at most 5m. 0s: each alarm is an incident for itself."),
       duration("reopen_within", "15m", "0s", "30d",
                "The next excursion of a key within this time after its incident closed (or the time that closing it "
                "took) opens it again. 0s: never."),
       duration("propose_after", "1d", "2s", "3650d",
                "An incident open at a stable rate for this long is told as a possible new normal, once."),
       duration("accept_after", "3d", "1s", "3650d",
                "... and accepted as the new normal after this long, by sr_mixture and volume_drop; sooner for keys "
                "that are younger than that."),
       object("gates", "gates", "How much worse than normal a rate must be before evidence becomes an incident."),
       object("severity", "severity", "When an incident is major or critical."),
       object("capacity", "capacity", "How much this monitor may keep; beyond it the coldest keys are pooled."),
       object("season", "season", "Local time of the daily and weekly pattern that detectors learn."),
       std::move(detectors),
       plain(k_texts, "attribute_by",
             "Dimensions in which causes of an incident are looked for, beside those of the levels; [] looks for none.",
             R"(["cdn", "country", "player"])")}};
}

section_spec season() {
  return {
      "season",
      "Whose clock the daily and weekly pattern follows.",
      {plain(k_text, "zone", "IANA zone of the pattern's hours and weekdays; UTC if left out.", R"("Europe/Berlin")")}};
}

section_spec gates() {
  return {"gates",
          "Applied to failures and, where the stream has viewers, also to failures capped by distinct viewers.",
          {number("min_ratio", "1.25", "0", "1000000", "Observed rate / baseline rate."),
           number("min_difference", "0.002", "0", "1", "Observed rate - baseline rate."),
           number("min_excess_failures", "3", "0", "1e12", "Failures - expected failures.")}};
}

section_spec severity() {
  return {"severity",
          "Severity rises at once and falls only after fall_after.",
          {number("major_ratio", "3", "0", "1000000", "Major from this ratio of observed to baseline rate ..."),
           number("major_excess_per_hour", "50", "0", "1e12", "... with so many excess failures an hour."),
           above(number("critical_rate", "0.5", "0", "1", "Critical from this failure rate ...")),
           integer("critical_events", "20", "1", "1000000000000", "... with so many events,"),
           number("critical_excess_per_hour", "500", "0", "1e12", "or from so many excess failures an hour."),
           duration("fall_after", "10m", "0s", "30d", "How long a lower severity must last before it is told.")}};
}

section_spec capacity() {
  return {
      "capacity",
      "Limits on what is kept, for the whole monitor.",
      {integer("max_keys", "200000", "64", "1000000000", "Keys with state, all levels together."),
       integer("max_leaf_cells", "200000", "64", "1000000000",
               "Combinations of all dimensions in one open tick of one partition."),
       integer("max_scopes", "10000", "64", "1000000000", "Scope values with state."),
       integer("max_leaves", "20000", "64", "1000000000",
               "Combinations of all dimensions whose past is kept, to look for causes in; the lightest are pooled.")}};
}

key_spec detector_type(const std::string& type) {
  return required(choice("type", {type}, "Kind of detector."));
}

key_spec detector_name(const std::string& type) {
  return with_default(plain(value_kind::label, "name", "Name in alerts; unique within the monitor.", {}),
                      '"' + type + '"');
}

key_spec detector_shadow() {
  return with_default(plain(k_bool, "shadow", "On trial: its incidents are recorded, and marked, but for nobody.", {}),
                      "false");
}

key_spec false_alarms_per_day(const std::string& of) {
  return above(
      number("false_alarms_per_day", "1", "0", "1000000", "How many incidents a day chance alone may open " + of));
}

section_spec threshold() {
  return {
      "detector:threshold",
      "Opens when the failure rate of a sliding window is at least `rate` for a while. Windows and holds are whole "
      "numbers of ticks.",
      {detector_type("threshold"), detector_name("threshold"), detector_shadow(), required(above([] {
         auto rate = number("rate", {}, "0", "1", "Open at or above this failure rate.");
         rate.example = "0.2";
         return rate;
       }())),
       duration("window", "1m", "1s", "30d", "Length of the sliding window; the default is rounded up to whole ticks."),
       duration("for", "0s", "0s", "30d", "How long the rate must stay at or above `rate`."),
       integer("min_events", "1", "1", "1000000000000", "With fewer events in the window nothing opens."), above([] {
         auto rate = number("resolve_rate", {}, "0", "1", "Resolve below this rate; `rate` if left out.");
         rate.example = "0.1";
         return rate;
       }()),
       [] {
         auto hold = duration("resolve_for", "", "0s", "30d", "... for this long; `for` if left out.");
         hold.fallback.clear();
         hold.example = R"("2m")";
         return hold;
       }()}};
}

section_spec count_bucket() {
  return {"detector:count_bucket",
          "Buckets of a number of events, in order of time, each compared with the scope's moving failure rate.",
          {detector_type("count_bucket"), detector_name("count_bucket"), detector_shadow(),
           integer("scope_bucket", "1000", "1", "1000000000", "Events a bucket at the scope itself."),
           integer("key_bucket", "100", "1", "1000000000", "Events a bucket at every other key."),
           duration("baseline", "1d", "1s", "366d",
                    "Length of the scope's moving failure rate; the default is rounded up to whole ticks."),
           integer("min_baseline", "1000", "1", "1000000000000", "Events it needs before anything is judged."),
           between(number("outlier", "1e-6", "0", "1",
                          "A bucket opens when chance gives so many failures with at most this probability.")),
           between(number("normal", "0.01", "0", "1", "A bucket closes when that probability is at least this."))}};
}

section_spec sr_mixture() {
  return {
      "detector:sr_mixture",
      "Shiryaev-Roberts mixture: evidence against the rate that each key should have, learned for itself from its own "
      "past, its season and its parents.",
      {detector_type("sr_mixture"), detector_name("sr_mixture"), detector_shadow(),
       false_alarms_per_day("in each scope value, all of its keys together."),
       with_default(choice("mode", {"calibrated", "strict"},
                           "strict: the budget is a proven bound; calibrated: also what the bound leaves unspent is "
                           "used, so that incidents are found sooner."),
                    R"("calibrated")"),
       above(number("incidents_per_day", "0.1", "0", "1000000",
                    "How many real incidents a day a scope value has; for the record's confidence only.")),
       with_default(choice("baseline", {"sliding", "discounted"},
                           "discounted: a level that forgets, with a season; sliding: the plain rate of a window."),
                    R"("discounted")"),
       duration("baseline_length", "7d", "1m", "366d",
                "Length of the sliding baseline; the default is rounded up to whole ticks.")}};
}

section_spec burn_rate() {
  auto rules = plain(value_kind::objects, "rules", "Any of them opens an incident. At most 32.", {});
  rules.section = "burn_rate_rule";
  rules.fallback = R"([{"long_window": "1h", "short_window": "5m", "factor": 14.4},
                       {"long_window": "6h", "short_window": "30m", "factor": 6},
                       {"long_window": "3d", "short_window": "6h", "factor": 1}])";
  return {
      "detector:burn_rate",
      "A service level objective: opens when the error budget burns too fast over a long and a short window, closes "
      "when it does not over the short one.",
      {detector_type("burn_rate"), detector_name("burn_rate"), detector_shadow(),
       between(number("objective", "0.999", "0", "1", "Share of events that must succeed.")), std::move(rules),
       integer("min_events", "1", "1", "1000000000000",
               "With fewer events in the short window a rule does not open.")}};
}

section_spec burn_rate_rule() {
  const auto window = [](const char* key, const char* example, const char* description) {
    auto spec = duration(key, "", "1s", "90d", description);
    spec.fallback.clear();
    spec.example = example;
    return required(std::move(spec));
  };
  auto factor = number("factor", {}, "0", "1000000", "Burn rate: how many times the allowed failure rate.");
  factor.example = "14.4";
  return {"burn_rate_rule",
          "Holds when both windows burn at the factor or more. Windows are whole numbers of ticks.",
          {window("long_window", R"("1h")", "Says that it matters."),
           window("short_window", R"("5m")", "Says that it still happens."), required(above(std::move(factor)))}};
}

section_spec volume_drop() {
  return {"detector:volume_drop",
          "Fewer events than chance allows, against each key's own week; silence counts. Needs a day of history.",
          {detector_type("volume_drop"), detector_name("volume_drop"), detector_shadow(),
           false_alarms_per_day("in each scope value, all of its keys together."),
           number("min_events_per_hour", "60", "0", "1e12",
                  "Hours in which a key is expected to have fewer are not judged.")}};
}

section_spec z_score() {
  return {"detector:z_score",
          "The textbook's: the rate of a window against mean and standard deviation of the windows before it.",
          {detector_type("z_score"), detector_name("z_score"), detector_shadow(),
           duration("window", "5m", "1s", "7d", "Length of a window; the default is rounded up to whole ticks."),
           integer("history", "2016", "2", "1000000000", "Windows that make mean and deviation."),
           integer("min_history", "12", "1", "1000000000", "Windows needed before anything is judged."),
           above(number("outlier", "4", "0", "1000000", "Opens at so many standard deviations above the mean.")),
           number("normal", "2", "-1000000", "1000000", "Closes below so many.")}};
}

std::vector<section_spec> make_language() {
  return {
      root(),
      input(),
      time_section(),
      file_section(),
      monitor(),
      gates(),
      severity(),
      capacity(),
      season(),
      sr_mixture(),
      threshold(),
      count_bucket(),
      burn_rate(),
      burn_rate_rule(),
      z_score(),
      volume_drop(),
      {"alerts",
       "The alert log: one JSON object a line.",
       {plain(k_text, "file", "File that alert records are appended to; standard output if left out.",
              R"("alerts.ndjson")"),
        later("kafka")}},
      {"dead_letter",
       "Rejected records, with reason and place.",
       {plain(k_text, "file", "File for rejected records; if left out they are only counted.", R"("rejected.ndjson")"),
        later("kafka")}},
      {"state",
       "State that survives a restart.",
       {plain(k_text, "sqlite", "SQLite database; without it nothing is kept.", R"("tocsin.db")"),
        duration("commit_interval", "1s", "0s", "1h", "While catching up, one commit covers this wall time."),
        later("kafka")}}};
}

void collect(const section_spec& section, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& key : section.keys) {
    if (key.kind == value_kind::later)
      continue;
    const auto path = prefix + "/" + key.key;
    out.push_back(path);
    if (key.kind == value_kind::object)
      collect(*find_section(key.section), path, out);
    if (key.kind == value_kind::objects)
      collect(*find_section(key.section), path + "/*", out);
    if (key.kind == value_kind::detectors)
      for (const auto& type : detector_types())
        collect(*find_section(std::string(detector_prefix) + type), path + "/*(" + type + ")", out);
  }
}

} // namespace

const std::vector<section_spec>& language() {
  static const auto sections = make_language();
  return sections;
}

const section_spec* find_section(std::string_view name) {
  const auto& all = language();
  const auto found = std::find_if(all.begin(), all.end(), [&](const section_spec& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const section_spec& root_section() {
  return language().front();
}

std::vector<std::string> detector_types() {
  std::vector<std::string> types;
  for (const auto& section : language())
    if (section.name.compare(0, detector_prefix.size(), detector_prefix) == 0)
      types.push_back(section.name.substr(detector_prefix.size()));
  return types;
}

std::vector<std::string> known_paths() {
  std::vector<std::string> paths;
  collect(root_section(), "", paths);
  return paths;
}

} // namespace tocsin::io
