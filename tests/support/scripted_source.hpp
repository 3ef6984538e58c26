#pragma once

#include "io/source.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace tocsin::test {

/// A source over strings that can be told to misbehave. `append` and `close` may be called by any thread.
class scripted_source : public io::source {
public:
  explicit scripted_source(std::vector<std::string> texts, bool follow = false);

  /// Called before each read; may throw or return an error.
  std::function<io::result<void>(partition_id)> on_read;
  /// A mutant: goes on where it is instead of going back.
  bool ignore_seek = false;

  void append(partition_id partition, const std::string& text);
  /// No more follows: what is there is all.
  void close();
  /// Bytes handed out, also those read again.
  std::uint64_t handed_out() const;

  std::size_t partitions() const override { return names_.size(); }
  const std::string& name(partition_id partition) const override { return names_[partition]; }
  io::result<void> seek(partition_id partition, stream_offset offset, const std::string& position) override;
  io::result<io::read_outcome> read(partition_id partition, std::size_t max_bytes, io::raw_block& out) override;
  std::string position(partition_id partition, stream_offset offset) const override;
  std::uint64_t bytes_read() const override { return handed_out(); }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
  std::vector<std::string> texts_;
  std::vector<std::size_t> next_;
  std::uint64_t handed_out_ = 0;
  bool follow_;
};

} // namespace tocsin::test
