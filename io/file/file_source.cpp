#include "io/file/file_source.hpp"

#include "io/file/file_partition.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tocsin::io {

namespace {

class file_source final : public source {
public:
  explicit file_source(file_source_options options) : options_(std::move(options)) {}

  /// Makes the partitions and, unless they may appear later, checks that each file can be read.
  result<void> open() {
    if (options_.sequence)
      partitions_.push_back(std::make_unique<file_partition>(options_.paths, options_));
    else
      for (const auto& path : options_.paths)
        partitions_.push_back(std::make_unique<file_partition>(std::vector<std::string>{path}, options_));
    for (const auto& path : options_.paths)
      if (auto checked = check(path); !checked)
        return checked;
    return {};
  }

  std::size_t partitions() const override { return partitions_.size(); }
  const std::string& name(partition_id partition) const override { return at(partition).name(); }
  result<void> seek(partition_id partition, stream_offset offset, const std::string& position) override {
    return at(partition).seek(offset, position);
  }
  result<read_outcome> read(partition_id partition, std::size_t max_bytes, raw_block& out) override {
    out.clear();
    out.partition = partition;
    return at(partition).read(max_bytes, out);
  }
  bool waits(partition_id partition) const override { return at(partition).waits(); }
  std::string position(partition_id partition, stream_offset offset) const override {
    return at(partition).position(offset);
  }
  std::optional<std::uint64_t> bytes_total() const override {
    return size_known_ ? std::optional<std::uint64_t>(bytes_total_) : std::nullopt;
  }
  std::uint64_t bytes_read() const override {
    std::uint64_t sum = 0;
    for (const auto& partition : partitions_)
      sum += partition->stored_bytes_read();
    return sum;
  }

private:
  file_partition& at(partition_id partition) const {
    assert(partition < partitions_.size());
    return *partitions_[partition];
  }

  result<void> check(const std::string& path) {
    if (path == "-") {
      size_known_ = false;
      return {};
    }
    const auto status = status_of(path);
    if (!status)
      return status.failure();
    const bool exists = status->id != file_id{};
    if (!exists && !options_.follow)
      return no_such_file(path);
    size_known_ = size_known_ && !options_.follow && status->regular;
    bytes_total_ += status->size;
    // A named pipe is opened once only: closing it again would break its writer.
    if (exists && (status->regular || status->directory))
      if (const auto file = stored_file::open(path); !file)
        return file.failure();
    return {};
  }

  file_source_options options_;
  std::vector<std::unique_ptr<file_partition>> partitions_;
  bool size_known_ = true;
  std::uint64_t bytes_total_ = 0;
};

error usage_error(const std::string& message) {
  return {error_code::usage, message, false, true};
}

result<void> validate(const file_source_options& options) {
  auto paths = options.paths;
  if (paths.empty())
    return usage_error("no input; give at least one file, or - for standard input");
  if (std::find(paths.begin(), paths.end(), "") != paths.end())
    return usage_error("an input path is empty; give a file, or - for standard input");
  if (options.sequence && paths.size() > 1 && std::find(paths.begin(), paths.end(), "-") != paths.end())
    return usage_error("standard input cannot be one of a sequence of files; give it alone");
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end())
    return usage_error(*twice + ": is given twice as input; give each path once");
  if (options.max_record_bytes == 0)
    return usage_error("max_record_bytes is 0; give at least 1");
  return {};
}

} // namespace

result<std::unique_ptr<source>> open_file_source(file_source_options options) {
  if (std::exchange(options.use_stdin, false))
    options.paths.emplace_back("-");
  if (const auto valid = validate(options); !valid)
    return valid.failure();
  auto opened = std::make_unique<file_source>(std::move(options));
  if (const auto ready = opened->open(); !ready)
    return ready.failure();
  return std::unique_ptr<source>(std::move(opened));
}

} // namespace tocsin::io
