#include "io/kafka/topic_writer.hpp"

#include <fmt/format.h>

namespace tocsin::io::kafka {

namespace {

constexpr int longest_wait_ms = 100;
using header_list = owned<rd_kafka_headers_t, rd_kafka_headers_destroy>;

rd_kafka_vu_t partition_of(const outgoing_message& given) {
  rd_kafka_vu_t field{};
  field.vtype = RD_KAFKA_VTYPE_PARTITION;
  field.u.i32 = given.partition.value_or(RD_KAFKA_PARTITION_UA);
  return field;
}

rd_kafka_vu_t bytes(rd_kafka_vtype_t which, const std::optional<std::string_view>& text) {
  rd_kafka_vu_t field{};
  field.vtype = which;
  // An empty text is no missing one: it needs an address.
  field.u.mem.ptr =
      text ? const_cast<char*>(text->empty() ? "" : text->data()) : nullptr; // NOLINT: copied, not changed
  field.u.mem.size = text ? text->size() : 0;
  return field;
}

} // namespace

result<std::unique_ptr<topic_writer>> topic_writer::open(topic_writer_options options) {
  std::unique_ptr<topic_writer> self(new topic_writer(std::move(options)));
  connection_options connecting;
  connecting.kind = client_kind::producer;
  connecting.code = error_code::sink;
  connecting.client = self->options_.client;
  connecting.log = self->options_.log;
  connecting.on_delivery = [writer = self.get()](const rd_kafka_message_t& sent) { writer->on_delivery(sent); };
  connecting.defaults = {{"message.timeout.ms", std::to_string(self->options_.patience.count())},
                         {"partitioner", "murmur2_random"},
                         {"compression.codec", "lz4"},
                         {"linger.ms", "20"}};
  connecting.fixed = {{"enable.idempotence", "true"}, {"acks", "all"}};
  auto opened = connection::open(std::move(connecting));
  if (!opened)
    return opened.failure();
  self->connection_ = std::move(*opened);
  self->topic_.reset(rd_kafka_topic_new(self->connection_->handle(), self->options_.topic.c_str(), nullptr));
  if (!self->topic_)
    return self->connection_->failure(rd_kafka_last_error(), "topic " + self->options_.topic);
  return self;
}

topic_writer::~topic_writer() {
  if (!connection_)
    return;
  // Who did not flush does not care; waiting for a broker that is away helps nobody.
  rd_kafka_purge(connection_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  connection_->poll(0);
}

void topic_writer::on_delivery(const rd_kafka_message_t& sent) {
  if (sent.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++delivered_;
    return;
  }
  if (failed_)
    return;
  const auto where = sent.partition >= 0 ? fmt::format(", partition {}", sent.partition) : std::string();
  failed_ = failure_of(error_code::sink, sent.err,
                       fmt::format("topic {}{}: a message was not delivered", options_.topic, where));
  if (const auto& trouble = connection_->trouble())
    failed_->message += " (" + trouble->message + ")";
}

result<void> topic_writer::check() const {
  if (failed_)
    return *failed_;
  const auto& trouble = connection_->trouble();
  if (trouble && trouble->fatal)
    return error{error_code::sink, fmt::format("topic {}: {}", options_.topic, trouble->message), false, true};
  return {};
}

result<void> topic_writer::write(const outgoing_message& given) {
  header_list headers;
  std::vector<rd_kafka_vu_t> fields(5);
  fields[0].vtype = RD_KAFKA_VTYPE_RKT;
  fields[0].u.rkt = topic_.get();
  fields[1] = partition_of(given);
  fields[2] = bytes(RD_KAFKA_VTYPE_KEY, given.key);
  fields[3] = bytes(RD_KAFKA_VTYPE_VALUE, given.value);
  fields[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[4].u.i = RD_KAFKA_MSG_F_COPY;
  if (!given.headers.empty()) {
    headers.reset(rd_kafka_headers_new(given.headers.size()));
    for (const auto& [name, value] : given.headers)
      rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    rd_kafka_vu_t field{};
    field.vtype = RD_KAFKA_VTYPE_HEADERS;
    field.u.headers = headers.get();
    fields.push_back(field);
  }
  connection_->poll(0);
  for (;;) {
    if (auto good = check(); !good)
      return good;
    const api_error failed(rd_kafka_produceva(connection_->handle(), fields.data(), fields.size()));
    if (!failed) {
      static_cast<void>(headers.release()); // the message's now
      return {};
    }
    if (rd_kafka_error_code(failed.get()) != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      return failure_of(error_code::sink, *failed, "topic " + options_.topic);
    connection_->poll(longest_wait_ms); // makes room: messages are delivered, or time out
  }
}

result<void> topic_writer::flush() {
  const auto patience = static_cast<int>(options_.patience.count());
  const auto deadline = std::chrono::steady_clock::now() + options_.patience;
  auto err = RD_KAFKA_RESP_ERR__TIMED_OUT;
  while (err == RD_KAFKA_RESP_ERR__TIMED_OUT && !failed_ && std::chrono::steady_clock::now() < deadline)
    err = rd_kafka_flush(connection_->handle(), longest_wait_ms);
  if (auto good = check(); !good)
    return good;
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return connection_->no_answer(fmt::format("topic {}: {} messages are not acknowledged", options_.topic,
                                              rd_kafka_outq_len(connection_->handle())),
                                  patience);
  return {};
}

} // namespace tocsin::io::kafka
