#include "tools/journal_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace tocsin::tools {

namespace {

io::error mistake(const std::string& path, std::size_t line, const std::string& what) {
  return {io::error_code::source, fmt::format("{}:{}: {}", path, line, what), false, true};
}

std::optional<std::int64_t> whole_number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer())
    return std::nullopt;
  return found->get<std::int64_t>();
}

} // namespace

std::string journal_line(const journal_entry& entry, const std::string& partition_name) {
  nlohmann::ordered_json line;
  line["partition"] = entry.partition;
  line["name"] = partition_name;
  line["offset"] = entry.offset;
  line["watermark"] = entry.watermark;
  line["kind"] = name_of(entry.kind);
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

io::result<std::vector<journal_entry>> read_journal(const std::string& path,
                                                    const std::vector<std::string>& partitions) {
  std::ifstream file(path);
  if (!file)
    return io::error{
        io::error_code::source,
        fmt::format("{}: cannot be read ({}), expected a journal written by `tocsin state export --journal`", path,
                    std::strerror(errno)),
        false, true};
  std::vector<journal_entry> entries;
  std::string text;
  for (std::size_t line = 1; std::getline(file, text); ++line) {
    if (text.empty())
      continue;
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object())
      return mistake(path, line, "found text that is no JSON object, expected one journal entry a line");
    const auto partition = whole_number(json, "partition");
    const auto offset = whole_number(json, "offset");
    const auto watermark = whole_number(json, "watermark");
    if (!partition || !offset || !watermark)
      return mistake(path, line, "expected whole numbers `partition`, `offset` and `watermark`");
    if (*partition < 0 || static_cast<std::uint64_t>(*partition) >= partitions.size())
      return mistake(path, line,
                     fmt::format("found partition {}, but the input has {} partition(s): give the inputs of the run "
                                 "that wrote the journal, in the same order",
                                 *partition, partitions.size()));
    const auto kind = json.value("kind", std::string());
    if (kind != name_of(journal_kind::idle) && kind != name_of(journal_kind::end))
      return mistake(path, line, fmt::format("found kind \"{}\", expected \"idle\" or \"end\"", kind));
    entries.push_back({static_cast<partition_id>(*partition), *offset, *watermark,
                       kind == name_of(journal_kind::idle) ? journal_kind::idle : journal_kind::end});
  }
  return entries;
}

} // namespace tocsin::tools
