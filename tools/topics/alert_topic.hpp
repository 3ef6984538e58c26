#pragma once

#include "io/kafka/topic_reader.hpp"
#include "tools/alert_log/alert_lines.hpp"
#include "tools/topics/broker_options.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tocsin::tools {

/// The committed records of an alert topic, from its beginning to its present end or, following, for ever. Partitions
/// are merged by the time of their messages, as far as they have come; within one, the order is the topic's. Following,
/// a broker that goes away is waited for. Owned by one command; one thread.
class alert_topic final : public alert_lines {
public:
  static io::result<std::unique_ptr<alert_topic>> open(const std::string& topic, const broker& at, bool follow);

  /// Waits until it knows the next record; following, only a moment.
  io::result<std::optional<std::string>> next() override;
  /// `topic alerts, partition 0, offset 17`
  std::string place() const override;

private:
  struct entry {
    std::int64_t offset = 0;
    time_ms time = 0;
    std::string line;
  };
  struct part {
    std::deque<entry> read; ///< and not handed out
    bool ended = false;
  };

  alert_topic(std::string topic, bool follow, std::unique_ptr<io::kafka::topic_reader> reader);
  /// False: nothing new.
  io::result<bool> read_more(std::size_t index, std::chrono::milliseconds wait);
  /// Nothing more is to be expected of it before another part's record may be shown.
  bool is_complete(std::size_t index) const { return parts_[index].ended || (follow_ && reader_->caught_up(index)); }
  std::optional<std::size_t> earliest() const;

  std::string topic_;
  bool follow_;
  std::unique_ptr<io::kafka::topic_reader> reader_;
  std::vector<part> parts_;
  std::size_t last_part_ = 0;
  std::int64_t last_offset_ = 0;
};

} // namespace tocsin::tools
