#pragma once

#include "io/file/decoded_stream.hpp"
#include "io/file/file_chain.hpp"
#include "io/file/file_source.hpp"
#include "io/file/line_framer.hpp"
#include "io/file/stored_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::io {

/// One partition of a file source: the chain of files that it was and will be read from, and the one that is open.
/// Owned by the file source and its thread. After an error it must be sought again.
class file_partition {
public:
  /// `paths`: one, or the files of a sequence. The options outlive the partition.
  file_partition(std::vector<std::string> paths, const file_source_options& options)
      : paths_(std::move(paths)), options_(options) {}

  const std::string& name() const { return paths_.front(); }
  result<void> seek(stream_offset offset, const std::string& position);
  result<read_outcome> read(std::size_t max_bytes, raw_block& out);
  /// The open file is a pipe: reading it waits a moment.
  bool waits() const { return open_ && !open_->file->regular(); }
  std::string position(stream_offset offset) const;
  /// Stored bytes read so far, of all files.
  std::uint64_t stored_bytes_read() const;

private:
  /// The file being read; the order of members is the order of destruction.
  struct open_file {
    std::unique_ptr<stored_file> file;
    std::unique_ptr<decoded_stream> stream;
    std::unique_ptr<line_framer> lines;
    std::size_t link = 0;       ///< index in `chain_`
    bool under_its_path = true; ///< the path named this file when it was opened
  };
  /// The file to go on with when the open one is finished.
  struct successor {
    std::unique_ptr<stored_file> file;
    std::uint32_t path = 0;
    bool is_known = false;  ///< it is the chain's next link already
    bool truncated = false; ///< it is the open file, from its new beginning
  };

  bool is_standard_input() const { return name() == "-"; }
  /// Whether more may come to the open file.
  bool follows() const;
  result<std::unique_ptr<stored_file>> open_path(std::uint32_t path) const;
  void start(std::unique_ptr<stored_file> file, std::size_t link, bool under_its_path);
  void start_new(std::unique_ptr<stored_file> file, std::uint32_t path, stream_offset base);
  result<std::unique_ptr<stored_file>> open_link(std::size_t link) const;
  result<void> locate(stream_offset offset);
  result<bool> open_first();
  result<void> notice_truncation();
  result<void> find_successor();
  result<void> find_rotated();
  void switch_to_successor();
  void note_head();
  std::size_t link_of(stream_offset offset) const;
  error missing(std::size_t link, const std::string& what) const;

  std::vector<std::string> paths_;
  const file_source_options& options_;
  std::vector<chain_link> chain_; ///< by base
  std::optional<open_file> open_;
  std::optional<successor> successor_;
  bool quiet_ = false; ///< the last read came to the present end
  bool ended_ = false;
  std::uint64_t finished_bytes_ = 0; ///< stored bytes of files left behind
};

} // namespace tocsin::io
