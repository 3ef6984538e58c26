#include "io/kafka/topic_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::io::kafka {

namespace {

std::optional<std::string_view> bytes(const void* data, std::size_t size) {
  if (data == nullptr)
    return std::nullopt;
  return std::string_view(static_cast<const char*>(data), size);
}

message_view view_of(const rd_kafka_message_t& got) {
  message_view view;
  view.partition = got.partition;
  view.offset = got.offset;
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  view.time = rd_kafka_message_timestamp(&got, &kind);
  view.key = bytes(got.key, got.key_len);
  view.value = bytes(got.payload, got.len);
  return view;
}

/// What librdkafka may read ahead of each partition: 64 MiB among them all.
std::size_t prefetch_kib(std::size_t partitions) {
  return std::clamp<std::size_t>(65536 / std::max<std::size_t>(1, partitions), 256, 16384);
}

/// Messages on loan from librdkafka.
class borrowed {
public:
  borrowed(std::vector<rd_kafka_message_t*>& messages, std::size_t count) : messages_(messages), count_(count) {}
  borrowed(const borrowed&) = delete;
  borrowed& operator=(const borrowed&) = delete;
  ~borrowed() {
    for (std::size_t i = 0; i < count_; ++i)
      rd_kafka_message_destroy(messages_[i]);
  }

private:
  std::vector<rd_kafka_message_t*>& messages_;
  std::size_t count_;
};

} // namespace

result<std::unique_ptr<topic_reader>> topic_reader::open(topic_reader_options options) {
  connection_options connecting;
  connecting.client = options.client;
  connecting.log = options.log;
  connecting.defaults = {{"fetch.wait.max.ms", "100"},
                         {"queued.max.messages.kbytes", std::to_string(prefetch_kib(options.parts.size()))},
                         {"check.crcs", "true"}};
  connecting.fixed = {
      {"isolation.level", "read_committed"}, {"allow.auto.create.topics", "false"}, {"enable.auto.commit", "false"},
      {"auto.commit.enable", "false"}, // its namesake for readers without a group
      {"enable.partition.eof", "true"},      {"auto.offset.reset", "error"}}; // never go on silently behind a gap
  auto opened = connection::open(std::move(connecting));
  if (!opened)
    return opened.failure();
  std::unique_ptr<topic_reader> self(new topic_reader(std::move(options), std::move(*opened)));
  if (auto started = self->start(); !started)
    return started.failure();
  return self;
}

result<void> topic_reader::start() {
  topic_.reset(rd_kafka_topic_new(connection_->handle(), options_.topic.c_str(), nullptr));
  if (!topic_)
    return connection_->failure(rd_kafka_last_error(), "topic " + options_.topic);
  for (const auto& wanted : options_.parts) {
    part_state part;
    part.partition = wanted.partition;
    part.next = wanted.begin;
    part.end = wanted.end;
    part.ended = part.caught_up = wanted.end && wanted.begin >= *wanted.end;
    parts_.push_back(part);
    if (part.ended)
      continue;
    if (rd_kafka_consume_start(topic_.get(), part.partition, part.next) != 0)
      return connection_->failure(rd_kafka_last_error(),
                                  fmt::format("topic {}, partition {}", options_.topic, part.partition));
    parts_.back().started = true;
  }
  return {};
}

topic_reader::~topic_reader() {
  for (auto& part : parts_)
    stop(part);
}

void topic_reader::stop(part_state& part) {
  if (std::exchange(part.started, false))
    rd_kafka_consume_stop(topic_.get(), part.partition);
}

result<void> topic_reader::take_one(part_state& part, const rd_kafka_message_t& got, const taker& take, bool& shown) {
  if (got.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    part.caught_up = true;
    part.next = std::max(part.next, got.offset);
    // Behind the last message may be marks of transactions, which are not shown.
    part.ended = part.end && part.next >= *part.end;
    return {};
  }
  const auto where = fmt::format("topic {}, partition {}", options_.topic, part.partition);
  if (got.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    return error{
        error_code::source,
        fmt::format("{}: offset {} is no longer there: the topic deletes faster than it is read", where, part.next),
        false, true};
  if (got.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return connection_->failure(got.err, where, rd_kafka_message_errstr(&got));
  part.ended = part.end && got.offset >= *part.end;
  if (part.ended)
    return {};
  if (auto taken = take(view_of(got)); !taken)
    return taken;
  shown = true;
  part.next = got.offset + 1;
  part.ended = part.end && part.next >= *part.end;
  return {};
}

result<void> topic_reader::check_patience() {
  connection_->poll(0);
  const auto& trouble = connection_->trouble();
  const auto what = "topic " + options_.topic;
  if (trouble && trouble->fatal)
    return error{error_code::source, what + ": " + trouble->message, false, true};
  const auto now = std::chrono::steady_clock::now();
  if (!silent_since_)
    silent_since_ = now;
  if (options_.patience && now - *silent_since_ >= *options_.patience)
    return connection_->no_answer(what, static_cast<int>(options_.patience->count()));
  return {};
}

result<read_outcome> topic_reader::read(std::size_t index, std::size_t most, std::chrono::milliseconds wait,
                                        const taker& take) {
  auto& part = parts_[index];
  if (part.ended)
    return read_outcome::ended;
  batch_.resize(most);
  const auto answered = rd_kafka_consume_batch(topic_.get(), part.partition, static_cast<int>(wait.count()),
                                               batch_.data(), batch_.size());
  if (answered < 0)
    return connection_->failure(rd_kafka_last_error(),
                                fmt::format("topic {}, partition {}", options_.topic, part.partition));
  const auto count = static_cast<std::size_t>(answered);
  const borrowed loan(batch_, count);
  bool shown = false;
  for (std::size_t i = 0; i < count && !part.ended; ++i)
    if (auto taken = take_one(part, *batch_[i], take, shown); !taken)
      return taken.failure();
  if (part.ended)
    stop(part);
  if (count > 0) {
    silent_since_.reset();
    connection_->forget_trouble();
  } else if (auto patient = check_patience(); !patient) {
    return patient.failure();
  }
  if (shown)
    return read_outcome::block;
  return part.ended ? read_outcome::ended : read_outcome::idle;
}

} // namespace tocsin::io::kafka
