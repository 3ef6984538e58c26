#include "tools/topics/topic_recorder.hpp"

#include "io/kafka/stream_position.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace tocsin::tools {

namespace {

io::error cannot(const std::string& path, const std::string& what) {
  return {io::error_code::sink, path + ": " + what, false, true};
}

} // namespace

partition_recorder::partition_recorder(compressed_file file, recorded_partition range,
                                       std::vector<journal_entry> journal)
    : file_(std::move(file)), recorded_(std::move(range)) {
  std::stable_sort(journal.begin(), journal.end(),
                   [](const journal_entry& a, const journal_entry& b) { return a.offset < b.offset; });
  for (const auto& entry : journal)
    if (entry.offset >= io::kafka::position_of(recorded_.begin) &&
        entry.offset <= io::kafka::position_of(recorded_.end))
      pending_.push_back(entry);
}

void partition_recorder::move_entries(std::int64_t message_offset) {
  while (!pending_.empty() && io::kafka::message_of(pending_.front().offset) <= message_offset) {
    auto entry = pending_.front();
    pending_.pop_front();
    // Of a message that is not there any more, what follows it is the place.
    const bool within = io::kafka::message_of(entry.offset) == message_offset;
    entry.offset = static_cast<stream_offset>(file_.size()) + (within ? io::kafka::byte_of(entry.offset) : 0);
    moved_.push_back(entry);
  }
}

io::result<void> partition_recorder::take(const io::kafka::message_view& one) {
  move_entries(one.offset);
  if (!one.value || one.value->empty()) {
    ++(one.value ? recorded_.empty : recorded_.tombstones);
    return {};
  }
  ++recorded_.messages;
  if (auto written = file_.write(*one.value); !written)
    return written;
  return one.value->back() == '\n' ? io::result<void>() : file_.write("\n");
}

io::result<void> partition_recorder::close() {
  move_entries(recorded_.end);
  recorded_.bytes = file_.size();
  return file_.close();
}

io::result<growing_folder> growing_folder::create(const std::string& path) {
  auto name = path;
  while (name.size() > 1 && name.back() == '/')
    name.pop_back();
  std::error_code ignored;
  if (std::filesystem::exists(name, ignored))
    return cannot(name, "exists already; a recording needs a name of its own");
  auto partial = name + ".partial-XXXXXX";
  if (::mkdtemp(partial.data()) == nullptr)
    return cannot(name, "cannot be created: " + std::generic_category().message(errno));
  std::filesystem::permissions(partial,
                               std::filesystem::perms::group_read | std::filesystem::perms::group_exec |
                                   std::filesystem::perms::others_read | std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add, ignored);
  return growing_folder(name, partial);
}

growing_folder::growing_folder(growing_folder&& other) noexcept
    : path_(std::move(other.path_)), partial_(std::exchange(other.partial_, std::string())) {}

growing_folder::~growing_folder() {
  std::error_code ignored;
  if (!partial_.empty())
    std::filesystem::remove_all(partial_, ignored);
}

io::result<void> growing_folder::write(const std::string& name, const std::string& text) {
  auto file = output_file::open(*this / name);
  if (!file)
    return file.failure();
  if (auto written = file->write(text); !written)
    return written;
  if (auto closed = file->close(); !closed)
    return closed;
  return sync_path(*this / name);
}

io::result<void> growing_folder::finish() {
  if (auto synced = sync_path(partial_); !synced)
    return synced;
  // Refused if somebody else has made something of that name meanwhile.
  if (std::rename(partial_.c_str(), path_.c_str()) != 0)
    return cannot(path_, "cannot be created: " + std::generic_category().message(errno));
  partial_.clear();
  const auto parent = std::filesystem::path(path_).parent_path().string();
  return sync_path(parent.empty() ? "." : parent);
}

} // namespace tocsin::tools
