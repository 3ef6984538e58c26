#pragma once

#include "detectors/values/journal.hpp"
#include "io/kafka/topic_reader.hpp"
#include "io/result.hpp"
#include "tools/replaying/recording_folder.hpp"
#include "tools/topics/compressed_file.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace tocsin::tools {

/// Writes the messages of one partition as lines, and moves the journal's entries from positions in the topic to bytes
/// of the file. A message may hold several lines; its end is the end of a line, whether it says so or not, as for the
/// daemon's decoder. Owned by one command; one thread.
class partition_recorder {
public:
  /// `journal`: the entries of this partition, with positions in the topic (io/kafka/stream_position).
  partition_recorder(compressed_file file, recorded_partition range, std::vector<journal_entry> journal);

  io::result<void> take(const io::kafka::message_view& one);
  /// Everything has come.
  io::result<void> close();
  /// Bytes of lines so far.
  std::uint64_t size() const { return file_.size(); }
  const recorded_partition& recorded() const { return recorded_; }
  /// After close(): the entries, with positions in the file.
  const std::vector<journal_entry>& journal() const { return moved_; }

private:
  void move_entries(std::int64_t message_offset);

  compressed_file file_;
  recorded_partition recorded_;
  std::deque<journal_entry> pending_;
  std::vector<journal_entry> moved_;
};

/// A folder that has its name only once it is complete. Owned by one command; what was not finished is removed.
class growing_folder {
public:
  /// Error: the name is taken, or nothing can be written there.
  static io::result<growing_folder> create(const std::string& path);
  growing_folder(growing_folder&& other) noexcept;
  growing_folder& operator=(growing_folder&& other) = delete;
  ~growing_folder();

  std::string operator/(const std::string& name) const { return partial_ + "/" + name; }
  io::result<void> write(const std::string& name, const std::string& text);
  io::result<void> finish();

private:
  growing_folder(std::string path, std::string partial) : path_(std::move(path)), partial_(std::move(partial)) {}

  std::string path_;
  std::string partial_; ///< empty: finished, or moved from
};

} // namespace tocsin::tools
