#pragma once

#include "io/file/byte_stream.hpp"
#include "io/file/stored_file.hpp"

#include <memory>
#include <string>

namespace tocsin::io {

enum class encoding { unknown, plain, gzip, zstd };

/// The decoded bytes of a stored file: plain, gzip (any number of members) or zstd (any number of frames), told apart
/// by the first bytes. A plain file may grow; a compressed one ends for good where it ends at first.
/// Owned by one thread; the file must outlive it. Errors (damaged or cut off data) name the file, the stored offset
/// and what is wrong.
class decoded_stream : public byte_stream {
public:
  /// `growing`: more may follow in a file too short yet to tell its encoding.
  decoded_stream(stored_file& file, bool growing);
  ~decoded_stream() override;
  result<stream_chunk> read(char* out, std::size_t size, bool may_wait) override;
  result<std::uint64_t> skip(std::uint64_t count) override;
  tocsin::io::encoding encoding() const { return encoding_; }

  /// Turns stored bytes into decoded ones.
  class codec;

private:
  result<bool> detect(bool may_wait, bool& waiting);
  result<stream_chunk> read_plain(char* out, std::size_t size, bool may_wait);
  result<stream_chunk> read_compressed(char* out, std::size_t size, bool may_wait);
  error fail(const std::string& what);

  stored_file& file_;
  bool growing_;
  tocsin::io::encoding encoding_ = encoding::unknown;
  std::unique_ptr<codec> codec_;
  std::string input_; ///< stored bytes read ahead: input_[input_begin_, input_end_)
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  bool ended_ = false; ///< compressed data came to its end
  std::unique_ptr<error> failure_;
};

} // namespace tocsin::io
