#include "tools/alert_log/silences.hpp"

#include "io/key_json.hpp"
#include "tools/common/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace tocsin::tools {

namespace {

using json = nlohmann::ordered_json;

io::error mistake(const std::string& path, const std::string& pointer, const std::string& what) {
  return {io::error_code::configuration, fmt::format("{}: {}: {}", path, pointer, what), false, true};
}

io::error unwritable(const std::string& path) {
  return {io::error_code::sink, fmt::format("{}: cannot be written: {}", path, std::generic_category().message(errno)),
          false, true};
}

/// Reads one silence; the first mistake counts.
class silence_reader {
public:
  silence_reader(const std::string& path, std::string pointer, const json& object)
      : path_(path), pointer_(std::move(pointer)), object_(object) {}

  io::result<silence> read() {
    if (!object_.is_object())
      return mistake(path_, pointer_, "found no object, expected a silence");
    static constexpr std::array<const char*, 7> names = {"id", "monitor", "key", "start", "end", "author", "comment"};
    for (const auto& [name, value] : object_.items())
      if (std::find(names.begin(), names.end(), name) == names.end())
        complain(name, fmt::format("unknown name, expected one of {}", fmt::join(names, ", ")));
    silence out;
    out.id = text("id", true);
    out.monitor = text("monitor", false);
    out.author = text("author", false);
    out.comment = text("comment", false);
    out.key = key();
    out.start = time("start");
    out.end = time("end");
    if (out.start >= out.end)
      complain("end", "expected a time behind start");
    if (wrong_)
      return *wrong_;
    return out;
  }

private:
  void complain(const std::string& name, const std::string& what) {
    if (!wrong_)
      wrong_ = mistake(path_, pointer_ + "/" + name, what);
  }
  std::string text(const char* name, bool required) {
    const auto found = object_.find(name);
    if (found == object_.end() && !required)
      return {};
    if (found != object_.end() && found->is_string() && !(required && found->get_ref<const std::string&>().empty()))
      return found->get<std::string>();
    complain(name, found == object_.end() ? "is missing, expected text" : "found " + found->dump() + ", expected text");
    return {};
  }
  time_ms time(const char* name) {
    const auto shown = text(name, true);
    const auto parsed = parse_rfc3339(shown);
    if (!parsed)
      complain(name, fmt::format("found \"{}\", expected a time such as 2016-05-04T12:00:00Z", shown));
    return parsed.value_or(0);
  }
  io::named_values key() {
    std::optional<io::key_mistake> wrong;
    auto out = io::read_key(object_, wrong);
    if (wrong)
      complain(wrong->pointer, fmt::format("found {}, expected {}", wrong->found, wrong->expected));
    return out;
  }

  const std::string& path_;
  std::string pointer_;
  const json& object_;
  std::optional<io::error> wrong_;
};

json to_json(const silence& one) {
  json out;
  out["id"] = one.id;
  if (!one.monitor.empty())
    out["monitor"] = one.monitor;
  out["key"] = json::object();
  for (const auto& [dimension, value] : one.key)
    out["key"][dimension] = value;
  out["start"] = format_rfc3339(one.start);
  out["end"] = format_rfc3339(one.end);
  out["author"] = one.author;
  out["comment"] = one.comment;
  return out;
}

bool write_durably(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    return false;
  std::size_t done = 0;
  while (done < text.size()) {
    const auto size = ::write(file, text.data() + done, text.size() - done);
    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      break;
    done += static_cast<std::size_t>(size);
  }
  const bool written = done == text.size() && ::fsync(file) == 0;
  const int number = errno;
  const bool closed = ::close(file) == 0;
  if (!written)
    errno = number;
  return written && closed;
}

io::result<void> save(const std::string& path, const std::vector<silence>& silences) {
  json document;
  document["silences"] = json::array();
  for (const auto& one : silences)
    document["silences"].push_back(to_json(one));
  const auto beside = fmt::format("{}.{}.tmp", path, ::getpid());
  const auto text = document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  if (write_durably(beside, text) && std::rename(beside.c_str(), path.c_str()) == 0)
    return {};
  auto failure = unwritable(path);
  ::unlink(beside.c_str());
  return failure;
}

/// Held while a file of the folder is edited; the kernel drops it however the process ends. The file itself cannot be
/// locked, because it is replaced.
class folder_lock {
public:
  explicit folder_lock(const std::string& file) {
    auto folder = std::filesystem::path(file).parent_path();
    descriptor_ = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ >= 0)
      ::flock(descriptor_, LOCK_EX);
  }
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;
  ~folder_lock() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

private:
  int descriptor_ = -1;
};

} // namespace

bool silence::holds(const alert_record& record) const {
  const auto in_key = [&](const auto& pair) {
    return std::find(record.key.begin(), record.key.end(), pair) != record.key.end();
  };
  return record.tick >= start && record.tick < end && (monitor.empty() || monitor == record.monitor) &&
         std::all_of(key.begin(), key.end(), in_key);
}

io::result<std::vector<silence>> load_silences(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    return io::error{io::error_code::configuration,
                     fmt::format("{}: cannot be read: {}", path, std::generic_category().message(errno)), false, true};
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // As in the configuration, comments are allowed; the commands do not keep them.
  const auto document = json::parse(text, nullptr, false, true);
  if (!document.is_object() || !document.contains("silences") || !document["silences"].is_array())
    return mistake(path, "/", R"(expected a JSON object {"silences": [...]})");
  std::vector<silence> out;
  std::set<std::string> ids;
  const auto& list = document["silences"];
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto pointer = fmt::format("/silences/{}", i);
    auto one = silence_reader(path, pointer, list[i]).read();
    if (!one)
      return one.failure();
    if (!ids.insert(one->id).second)
      return mistake(path, pointer + "/id", fmt::format("found \"{}\" a second time", one->id));
    out.push_back(std::move(*one));
  }
  return out;
}

io::result<void> edit_silences(const std::string& path,
                               const std::function<io::result<void>(std::vector<silence>&)>& change) {
  const folder_lock lock(path);
  std::vector<silence> silences;
  if (std::filesystem::exists(path)) {
    auto found = load_silences(path);
    if (!found)
      return found.failure();
    silences = std::move(*found);
  }
  if (auto changed = change(silences); !changed)
    return changed;
  return save(path, silences);
}

std::string next_silence_id(const std::vector<silence>& silences) {
  for (std::size_t number = 1;; ++number) {
    auto id = std::to_string(number);
    if (std::none_of(silences.begin(), silences.end(), [&](const silence& one) { return one.id == id; }))
      return id;
  }
}

} // namespace tocsin::tools
