#pragma once

#include "io/kafka/connection.hpp"
#include "io/result.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tocsin::io::kafka {

/// A message on its way to a topic.
struct outgoing_message {
  std::optional<std::string_view> key;
  std::optional<std::string_view> value; ///< nothing: a tombstone
  std::optional<std::int32_t> partition; ///< nothing: by the key, as Java's clients do (murmur2); without one, any
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

struct topic_writer_options {
  properties client;
  std::string topic;
  std::chrono::milliseconds patience{30'000}; ///< a message that the brokers have not taken by then is an error
  std::function<void(const std::string&)> log;
};

/// Writes to a topic, idempotent and acknowledged by all replicas: what was accepted is there once, in order. Owned and
/// used by one thread. The first message that cannot be delivered is an error of the next call, and every later call
/// fails with it; only a flush() that succeeds says that everything is there.
class topic_writer {
public:
  static result<std::unique_ptr<topic_writer>> open(topic_writer_options options);
  ~topic_writer();
  topic_writer(const topic_writer&) = delete;
  topic_writer& operator=(const topic_writer&) = delete;

  /// Copies the message; waits while the queue is full.
  result<void> write(const outgoing_message& given);
  /// Waits until everything is acknowledged, at most about `patience`.
  result<void> flush();
  std::uint64_t delivered() const { return delivered_; }

private:
  using topic_handle = owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;

  explicit topic_writer(topic_writer_options options) : options_(std::move(options)) {}
  void on_delivery(const rd_kafka_message_t& sent);
  result<void> check() const;

  topic_writer_options options_;
  std::unique_ptr<connection> connection_;
  topic_handle topic_;
  std::uint64_t delivered_ = 0;
  std::optional<error> failed_;
};

} // namespace tocsin::io::kafka
