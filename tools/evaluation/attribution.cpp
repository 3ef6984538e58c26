// Attribution on recorded incidents with labelled root causes (docs/quality.md says where they come from).

#include "detectors/engine/world.hpp"
#include "io/file/decoded_stream.hpp"
#include "io/file/stored_file.hpp"
#include "tools/evaluation/engine_feed.hpp"
#include "tools/evaluation/suite.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace tocsin::evaluation {

namespace {

using fields = std::map<std::string, std::string>;
using cause_set = std::map<std::string, std::string>; ///< dimension, value

/// Rows of a CSV file with a header, plain or compressed; empty if it cannot be read.
std::vector<fields> read_csv(const std::string& path) {
  auto file = io::stored_file::open(path);
  if (!file)
    return {};
  io::decoded_stream stream(**file, false);
  std::string text;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const auto chunk = stream.read(buffer.data(), buffer.size(), true);
    if (!chunk || chunk->size == 0)
      break;
    text.append(buffer.data(), chunk->size);
  }
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = text[i];
    if (c == '"') {
      const bool doubled = quoted && i + 1 < text.size() && text[i + 1] == '"';
      if (doubled)
        rows.back().back() += text[i++];
      else
        quoted = !quoted;
    } else if (c == ',' && !quoted) {
      rows.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      rows.emplace_back(1);
    } else if (c != '\r') {
      rows.back().back() += c;
    }
  }
  std::vector<fields> out;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() != rows[0].size())
      continue;
    auto& row = out.emplace_back();
    for (std::size_t c = 0; c < rows[0].size(); ++c)
      row[rows[0][c]] = rows[i][c];
  }
  return out;
}

struct leaf_row {
  time_ms time = 0;
  std::int64_t total = 0;
  std::int64_t failed = 0;
  fields values;
};

struct labelled_case {
  std::string name;
  time_ms at = 0; ///< begin of the labelled minute
  std::vector<std::string> dimensions;
  std::set<cause_set> truth;
  std::vector<leaf_row> rows; ///< in order of time
};

std::set<cause_set> truth_of(const std::string& text) {
  std::set<cause_set> out;
  for (const auto& one : nlohmann::json::parse(text))
    out.insert(one.get<cause_set>());
  return out;
}

leaf_row leaf_of(fields row) {
  leaf_row out;
  out.time = std::stoll(row.at("ts")) * second_ms;
  out.total = std::stoll(row.at("total"));
  out.failed = std::stoll(row.at("failed"));
  out.values = std::move(row);
  return out;
}

std::map<std::string, std::vector<leaf_row>> rows_by(const std::string& path, const std::string& column) {
  std::map<std::string, std::vector<leaf_row>> out;
  for (auto& row : read_csv(path)) {
    const auto name = row.at(column);
    out[name].push_back(leaf_of(std::move(row)));
  }
  for (auto& [name, rows] : out)
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  return out;
}

std::vector<labelled_case> read_cases(const std::string& folder) {
  auto rows = rows_by(folder + "/cells.csv.zst", "case");
  std::vector<labelled_case> out;
  for (const auto& label : read_csv(folder + "/labels.csv")) {
    labelled_case one;
    one.name = label.at("case");
    one.at = std::stoll(label.at("anomaly_ts")) * second_ms;
    const auto& names = label.at("dims");
    for (std::size_t begin = 0; begin <= names.size();) {
      const auto end = std::min(names.find('|', begin), names.size());
      one.dimensions.push_back(names.substr(begin, end - begin));
      begin = end + 1;
    }
    one.truth = truth_of(label.at("root_cause_json"));
    one.rows = std::move(rows[one.name]);
    out.push_back(std::move(one));
  }
  return out;
}

/// Defaults: one level, the whole stream; the dimensions serve attribution alone.
std::shared_ptr<world_spec> world_of(const std::vector<std::string>& dimensions) {
  auto spec = evaluation_world(dimensions, {{}}, 10 * second_ms, {{"sr_mixture", "sr_mixture", sr_mixture_spec{}}});
  spec->monitors[0].attributes = true;
  spec->monitors[0].detectors[0].shadow = false;
  return spec;
}

class replayed {
public:
  explicit replayed(const std::vector<std::string>& dimensions)
      : dimensions_(dimensions), feed_(world_of(dimensions)) {}

  /// The rows that begin in [from, to), and the close of all ticks until `to`.
  void feed(const std::vector<leaf_row>& rows, time_ms from, time_ms to) {
    for (const auto& row : rows) {
      if (row.time < from || row.time >= to)
        continue;
      leaf_key key;
      for (const auto& dimension : dimensions_) {
        const auto& value = row.values.at(dimension);
        if (value.empty())
          append_null(key.bytes);
        else
          append_text(key.bytes, value);
      }
      key.hash = hash_key(key.bytes);
      feed_.add(key, row.time, row.total, row.failed);
    }
    feed_.close(to);
  }
  engine_feed& engine() { return feed_; }

private:
  std::vector<std::string> dimensions_;
  engine_feed feed_;
};

cause_set set_of(const contributor& what) {
  cause_set out;
  for (const auto& value : what.set)
    out[value.dimension] = value.value.value_or("");
  return out;
}

/// Answers against labels, over all cases.
struct score {
  std::size_t cases = 0, right = 0, wrong = 0, missed = 0, first = 0, any_of_five = 0, all_of_five = 0;

  void add(const std::set<cause_set>& truth, const std::vector<contributor>& causes,
           const std::vector<contributor>& ranking) {
    ++cases;
    std::set<cause_set> answer, five;
    for (const auto& one : causes) {
      answer.insert(set_of(one));
      five.insert(set_of(one));
    }
    for (const auto& one : ranking)
      if (five.size() < 5)
        five.insert(set_of(one));
    const auto hits = [&](const std::set<cause_set>& sets) {
      return static_cast<std::size_t>(
          std::count_if(truth.begin(), truth.end(), [&](const auto& t) { return sets.count(t) > 0; }));
    };
    const auto found = hits(answer);
    right += found;
    wrong += answer.size() - found;
    missed += truth.size() - found;
    first += !causes.empty() && truth.count(set_of(causes.front())) > 0 ? 1U : 0U;
    any_of_five += hits(five) > 0 ? 1U : 0U;
    all_of_five += hits(five) == truth.size() ? 1U : 0U;
  }
  std::optional<double> f1() const {
    if (cases == 0)
      return std::nullopt;
    return 2 * static_cast<double>(right) / static_cast<double>(2 * right + wrong + missed);
  }
  cell share(std::size_t hits) const {
    return cases == 0 ? cell("-")
                      : cell(fmt::format("{} of {} ({:.1f} %)", hits, cases,
                                         100.0 * static_cast<double>(hits) / static_cast<double>(cases)));
  }
  std::vector<cell> row(const std::string& name, const cell& times, bool ranked) const {
    return {name,
            count_cell(cases),
            number_cell(f1(), 3),
            share(first),
            ranked ? share(any_of_five) : cell("-"),
            ranked ? share(all_of_five) : cell("-"),
            times};
  }
};

cell times_cell(std::vector<double> ms) {
  if (ms.empty())
    return "-";
  std::sort(ms.begin(), ms.end());
  return {fmt::format("{:.2f} ms, {:.2f} ms", ms[ms.size() / 2], ms.back()),
          {{"median", ms[ms.size() / 2]}, {"max", ms.back()}}};
}

void run_cases(const suite_options& options, const std::vector<labelled_case>& cases, report& out) {
  score asked, opened, settled;
  std::vector<double> times;
  std::size_t early = 0;
  for (const auto& one : cases) {
    options.progress("attribution: case " + one.name);
    replayed stream(one.dimensions);
    stream.feed(one.rows, beginning_of_time, one.at + minute_ms);
    const auto start = std::chrono::steady_clock::now();
    const auto answer = stream.engine().attribute(std::string(1, '\0'), one.at);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    times.push_back(took.count());
    const auto said = answer.value_or(attribution_view{});
    asked.add(one.truth, said.causes, said.ranking);

    stream.feed(one.rows, one.at + minute_ms, one.at + hour_ms);
    const incident_record* open = nullptr;
    const incident_record* last = nullptr;
    const auto records = stream.engine().take_records();
    for (const auto& record : records) {
      if (record.kind == alert_kind::open && record.tick <= one.at)
        ++early;
      if (record.kind == alert_kind::open && record.tick > one.at && open == nullptr)
        open = last = &record;
      else if (open != nullptr && record.id == open->id)
        last = &record;
    }
    if (open == nullptr)
      continue;
    opened.add(one.truth, open->contributors, {});
    settled.add(one.truth, last->contributors, {});
  }
  table made;
  made.title = "attribution: 79 recorded incidents with labelled root causes";
  made.note = fmt::format(
      "Sets must be equal to the label's, value by value. F1 = 2 TP / (2 TP + FP + FN) over the sets of all cases. "
      "First "
      "answer: the first set is one of the label's. Any, all of five: one or each of the label's is among the named "
      "sets, "
      "filled up to five with the next best of the ranking. Opened: the incidents that the default detector opens by "
      "itself from the labelled minute on; {} opened earlier.",
      early);
  made.columns = {"asked", "cases", "F1", "first answer", "any of five", "all of five", "time: median, longest"};
  made.rows = {asked.row("at the labelled minute", times_cell(times), true),
               opened.row("opened by itself, first record", "-", false),
               settled.row("opened by itself, last record", "-", false)};
  out.tables.push_back(std::move(made));
}

std::string shown(const std::vector<contributor>& causes) {
  std::string text;
  for (const auto& one : causes) {
    std::string set;
    for (const auto& value : one.set)
      set += (set.empty() ? "" : ", ") + value.dimension + "=" + value.value.value_or("(none)");
    text += (text.empty() ? "" : "; ") + set;
  }
  return text.empty() ? "-" : text;
}

std::string shown(const std::set<cause_set>& sets) {
  std::string text;
  for (const auto& one : sets) {
    std::string set;
    for (const auto& [dimension, value] : one)
      set += (set.empty() ? "" : ", ") + dimension + "=" + value;
    text += (text.empty() ? "" : "; ") + set;
  }
  return text;
}

std::string clock_of(time_ms time) {
  return format_rfc3339(time).substr(11, 8);
}

void run_long_stream(const std::string& folder, report& out) {
  for (auto& [name, rows] : rows_by(folder + "/long_streams.csv.zst", "stream")) {
    std::vector<std::pair<time_ms, std::set<cause_set>>> labels;
    for (const auto& label : read_csv(folder + "/long_labels.csv"))
      if (label.at("stream") == name)
        labels.emplace_back(std::stoll(label.at("anomaly_ts")) * second_ms, truth_of(label.at("root_cause_json")));
    replayed stream({"cdn", "bitrate", "p2p", "device"});
    table made;
    made.title = "attribution: a stream of " + std::to_string((rows.back().time - rows.front().time) / minute_ms + 1) +
                 " minutes, " + name;
    made.note = "Labels and records in order of time: what the default detector opened and resolved, and the causes "
                "named; and what is named when asked at the labelled minute.";
    made.columns = {"time", "what", "causes"};
    std::vector<std::pair<time_ms, std::vector<cell>>> lines;
    auto from = beginning_of_time;
    for (const auto& [at, truth] : labels) {
      stream.feed(rows, from, at + minute_ms);
      from = at + minute_ms;
      const auto said = stream.engine().attribute(std::string(1, '\0'), at).value_or(attribution_view{});
      lines.push_back({at, {clock_of(at), "label", shown(truth)}});
      lines.push_back({at + minute_ms, {clock_of(at + minute_ms), "asked", shown(said.causes)}});
    }
    stream.feed(rows, from, rows.back().time + minute_ms);
    for (const auto& record : stream.engine().take_records())
      lines.push_back({record.tick, {clock_of(record.tick), name_of(record.kind), shown(record.contributors)}});
    std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& line : lines)
      made.rows.push_back(std::move(line.second));
    out.tables.push_back(std::move(made));
  }
}

} // namespace

std::vector<std::string> attribution_scenarios() {
  return {"cases", "long_stream"};
}

void run_attribution(const suite_options& options, report& out) {
  const auto cases = read_cases(options.data);
  if (cases.empty()) {
    out.skipped.push_back("attribution: no labelled cases in the folder of --data, \"" + options.data + "\"");
    return;
  }
  if (options.wants("cases"))
    run_cases(options, cases, out);
  if (options.wants("long_stream"))
    run_long_stream(options.data, out);
}

} // namespace tocsin::evaluation
