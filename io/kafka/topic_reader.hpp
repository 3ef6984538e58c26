#pragma once

#include "detectors/values/time.hpp"
#include "io/kafka/connection.hpp"
#include "io/result.hpp"
#include "io/source.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::io::kafka {

/// A message as it is in the topic; valid during the call that shows it.
struct message_view {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  time_ms time = 0; ///< by the producer's or the broker's clock, as the topic is set; -1: unknown
  std::optional<std::string_view> key;
  std::optional<std::string_view> value; ///< nothing: a tombstone
};

struct topic_reader_options {
  /// A partition to read, from where to where.
  struct part {
    std::int32_t partition = 0;
    std::int64_t begin = 0;
    std::optional<std::int64_t> end; ///< before this offset; nothing: for ever
  };
  properties client;
  std::string topic;
  std::vector<part> parts;
  /// How long nothing at all may come while a part has not ended; nothing: for ever.
  std::optional<std::chrono::milliseconds> patience;
  std::function<void(const std::string&)> log;
};

/// Committed records of explicit partitions of a topic, each through its own queue: a partition that is not read holds
/// up no other, and costs its prefetch buffer only. Without a consumer group: nothing is stored at the broker,
/// everything can be read again. Owned and used by one thread. Errors: records that were deleted meanwhile, refused
/// access (both fatal), a broker that stays away longer than `patience` (retriable).
class topic_reader {
public:
  static result<std::unique_ptr<topic_reader>> open(topic_reader_options options);
  ~topic_reader();
  topic_reader(const topic_reader&) = delete;
  topic_reader& operator=(const topic_reader&) = delete;

  using taker = std::function<result<void>(const message_view&)>;
  /// Shows up to `most` messages of the part with this index, waiting up to `wait` for the first. `block`: some were
  /// shown; `idle`: there is none now; `ended`: the part is read to its end, and stays so.
  result<read_outcome> read(std::size_t index, std::size_t most, std::chrono::milliseconds wait, const taker& take);
  /// Everything that the partition held at some moment since open() has been shown.
  bool caught_up(std::size_t index) const { return parts_[index].caught_up; }
  /// Offset behind the last message, marker or gap that was read.
  std::int64_t next_offset(std::size_t index) const { return parts_[index].next; }
  std::size_t size() const { return parts_.size(); }

private:
  struct part_state {
    std::int32_t partition = 0;
    std::int64_t next = 0;
    std::optional<std::int64_t> end;
    bool started = false;
    bool ended = false;
    bool caught_up = false;
  };
  using topic_handle = owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;

  topic_reader(topic_reader_options options, std::unique_ptr<connection> to)
      : options_(std::move(options)), connection_(std::move(to)) {}
  result<void> start();
  void stop(part_state& part);
  result<void> take_one(part_state& part, const rd_kafka_message_t& got, const taker& take, bool& shown);
  result<void> check_patience();

  topic_reader_options options_;
  std::unique_ptr<connection> connection_;
  topic_handle topic_;
  std::vector<part_state> parts_;
  std::vector<rd_kafka_message_t*> batch_;
  std::optional<std::chrono::steady_clock::time_point> silent_since_;
};

} // namespace tocsin::io::kafka
