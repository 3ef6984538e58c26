#include "tools/replaying/recording_folder.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;
constexpr int version = 1;

io::error damaged(const std::string& path, const std::string& what) {
  return {io::error_code::source, path + ": " + what + ", expected a recording made by `tocsin record`", false, true};
}

recorded_partition partition_of(const json& object) {
  recorded_partition out;
  object.at("partition").get_to(out.partition);
  object.at("file").get_to(out.file);
  object.at("begin").get_to(out.begin);
  object.at("end").get_to(out.end);
  object.at("messages").get_to(out.messages);
  object.at("empty").get_to(out.empty);
  object.at("tombstones").get_to(out.tombstones);
  object.at("bytes").get_to(out.bytes);
  return out;
}

bool is_recording(const std::string& path) {
  std::error_code ignored;
  return path != "-" && std::filesystem::is_directory(path, ignored);
}

} // namespace

std::string to_json(const recording_manifest& manifest) {
  json out;
  out["version"] = version;
  out["topic"] = manifest.topic;
  out["journal"] = manifest.journal;
  out["partitions"] = json::array();
  for (const auto& one : manifest.partitions)
    out["partitions"].push_back({{"partition", one.partition},
                                 {"file", one.file},
                                 {"begin", one.begin},
                                 {"end", one.end},
                                 {"messages", one.messages},
                                 {"empty", one.empty},
                                 {"tombstones", one.tombstones},
                                 {"bytes", one.bytes}});
  return out.dump(2) + "\n";
}

io::result<recording_manifest> read_manifest(const std::string& folder) {
  const auto path = (std::filesystem::path(folder) / manifest_file).string();
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return damaged(folder, std::string("this folder has no ") + manifest_file);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  try {
    const auto document = json::parse(text);
    if (document.at("version") != version)
      return damaged(path, "found version " + document.at("version").dump() + ", which this program does not know");
    recording_manifest out;
    document.at("topic").get_to(out.topic);
    document.at("journal").get_to(out.journal);
    for (const auto& one : document.at("partitions"))
      out.partitions.push_back(partition_of(one));
    return out;
  } catch (const nlohmann::json::exception&) {
    return damaged(path, "this is damaged");
  }
}

io::result<replay_inputs> expand_recording(replay_inputs given, bool sequence) {
  if (std::none_of(given.paths.begin(), given.paths.end(), is_recording))
    return given;
  if (given.paths.size() > 1 || sequence)
    return io::error{io::error_code::usage,
                     "a recording is replayed alone and not as a sequence: its journal names its partitions", false,
                     true};
  const std::filesystem::path folder = given.paths.front();
  const auto manifest = read_manifest(folder.string());
  if (!manifest)
    return manifest.failure();
  given.paths.clear();
  for (const auto& one : manifest->partitions)
    given.paths.push_back((folder / one.file).string());
  if (given.journal.empty() && manifest->journal)
    given.journal = (folder / journal_file).string();
  return given;
}

} // namespace tocsin::tools
