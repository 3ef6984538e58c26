#include "io/kafka/topic_admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

namespace tocsin::io::kafka {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds pause{50};
/// One question at a time, so that trouble is seen between them.
constexpr milliseconds longest_question{1000};

using topic_handle = owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using topic_request = owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using admin_options = owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using metadata = owned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
using event = owned<rd_kafka_event_t, rd_kafka_event_destroy>;

std::string named(const std::string& topic) {
  return "topic " + topic;
}

int in_ms(milliseconds time) {
  return static_cast<int>(std::max<milliseconds::rep>(1, time.count()));
}

/// Asks `question(wait_ms)` again while it fails for a reason that time may mend.
template <class Question>
result<void> ask(connection& to, const std::string& what, milliseconds patience, const Question& question) {
  const auto deadline = clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
    const auto err = question(in_ms(std::min(left, longest_question)));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
      return {};
    to.poll(0);
    const bool hopeless = to.trouble() && to.trouble()->fatal;
    if (!is_retriable(err) || hopeless)
      return to.failure(err, what);
    if (clock::now() >= deadline)
      return to.no_answer(what, in_ms(patience));
    std::this_thread::sleep_for(pause);
  }
}

/// Partitions of the topic, all with a leader.
rd_kafka_resp_err_t count_partitions(connection& to, rd_kafka_topic_t* topic, int wait_ms, std::int32_t& count) {
  const rd_kafka_metadata_t* found = nullptr;
  const auto err = rd_kafka_metadata(to.handle(), 0, topic, &found, wait_ms);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return err;
  const metadata kept(found);
  if (found->topic_cnt != 1)
    return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  const auto& one = found->topics[0];
  if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return one.err;
  for (int i = 0; i < one.partition_cnt; ++i)
    if (one.partitions[i].leader < 0)
      return RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  count = one.partition_cnt;
  return count > 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

result<topic_handle> handle_of(connection& to, const std::string& topic) {
  topic_handle handle(rd_kafka_topic_new(to.handle(), topic.c_str(), nullptr));
  if (!handle)
    return to.failure(rd_kafka_last_error(), named(topic));
  return handle;
}

bool is_unknown(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

/// The first offset at or after a time, by partition; nothing where there is none.
result<std::vector<std::optional<std::int64_t>>> offsets_at(connection& to, const std::string& topic,
                                                            std::size_t partitions, const range_bound& bound,
                                                            milliseconds patience) {
  std::vector<std::optional<std::int64_t>> offsets(partitions);
  if (bound.is != range_bound::kind::time)
    return offsets;
  const auto count = static_cast<int>(partitions);
  partition_list list(rd_kafka_topic_partition_list_new(count));
  auto asked = ask(to, named(topic), patience, [&](int wait_ms) {
    list.reset(rd_kafka_topic_partition_list_new(count));
    for (std::int32_t p = 0; p < count; ++p)
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), p)->offset = bound.value;
    const auto err = rd_kafka_offsets_for_times(to.handle(), list.get(), wait_ms);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return err;
    for (int i = 0; i < list->cnt; ++i)
      if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  });
  if (!asked)
    return asked.failure();
  for (int i = 0; i < list->cnt; ++i)
    if (const auto& one = list->elems[i]; one.offset >= 0)
      offsets[static_cast<std::size_t>(one.partition)] = one.offset;
  return offsets;
}

} // namespace

result<std::unique_ptr<connection>> open_admin(const properties& given, error_code code,
                                               std::function<void(const std::string&)> log) {
  connection_options options;
  options.client = given;
  options.code = code;
  options.log = std::move(log);
  options.fixed = {{"isolation.level", "read_committed"}, {"allow.auto.create.topics", "false"}};
  return connection::open(std::move(options));
}

result<std::int32_t> partitions_of(connection& to, const std::string& topic, milliseconds patience) {
  auto handle = handle_of(to, topic);
  if (!handle)
    return handle.failure();
  std::int32_t count = 0;
  auto last = RD_KAFKA_RESP_ERR_NO_ERROR;
  auto asked = ask(to, named(topic), patience,
                   [&](int wait_ms) { return last = count_partitions(to, handle->get(), wait_ms, count); });
  if (!asked && is_unknown(last))
    return to.failure(last, named(topic), "does not exist at " + to.servers());
  if (!asked)
    return asked.failure();
  return count;
}

result<void> create_topic(connection& to, const new_topic& topic, milliseconds patience) {
  std::array<char, 512> reason{};
  topic_request request(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, -1, reason.data(), reason.size()));
  if (!request)
    return to.failure(RD_KAFKA_RESP_ERR__INVALID_ARG, named(topic.name), reason.data());
  for (const auto& [name, value] : topic.settings)
    rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
  admin_options options(rd_kafka_AdminOptions_new(to.handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), in_ms(patience), reason.data(), reason.size());
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), in_ms(patience), reason.data(), reason.size());
  const queue answers(rd_kafka_queue_new(to.handle()));
  auto* wanted = request.get();
  rd_kafka_CreateTopics(to.handle(), &wanted, 1, options.get(), answers.get());
  const event answer(rd_kafka_queue_poll(answers.get(), in_ms(patience + longest_question)));
  if (!answer)
    return to.no_answer(named(topic.name), in_ms(patience));
  if (const auto err = rd_kafka_event_error(answer.get()); err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to.failure(err, named(topic.name) + ": cannot be created", rd_kafka_event_error_string(answer.get()));
  std::size_t count = 0;
  const auto* const* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto err = rd_kafka_topic_result_error(results[i]); err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* why = rd_kafka_topic_result_error_string(results[i]);
      return to.failure(err, named(topic.name) + ": cannot be created", why != nullptr ? why : "");
    }
  // The broker that answers next may not know it yet.
  auto handle = handle_of(to, topic.name);
  if (!handle)
    return handle.failure();
  return ask(to, named(topic.name), patience, [&](int wait_ms) {
    std::int32_t known = 0;
    const auto err = count_partitions(to, handle->get(), wait_ms, known);
    return is_unknown(err) ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : err;
  });
}

result<std::vector<offset_span>> present_spans(connection& to, const std::string& topic, std::int32_t partitions,
                                               milliseconds patience) {
  std::vector<offset_span> present;
  for (std::int32_t p = 0; p < partitions; ++p) {
    offset_span span;
    auto asked = ask(to, fmt::format("{}, partition {}", named(topic), p), patience, [&](int wait_ms) {
      return rd_kafka_query_watermark_offsets(to.handle(), topic.c_str(), p, &span.begin, &span.end, wait_ms);
    });
    if (!asked)
      return asked.failure();
    present.push_back(span);
  }
  return present;
}

result<std::vector<offset_span>> spans_of_range(connection& to, const std::string& topic,
                                                const std::vector<offset_span>& present, const range_bound& from,
                                                const range_bound& until, milliseconds patience) {
  const auto from_times = offsets_at(to, topic, present.size(), from, patience);
  if (!from_times)
    return from_times.failure();
  const auto until_times = offsets_at(to, topic, present.size(), until, patience);
  if (!until_times)
    return until_times.failure();
  std::vector<offset_span> spans;
  for (std::size_t p = 0; p < present.size(); ++p)
    spans.push_back(span_of(from, until, present[p], (*from_times)[p], (*until_times)[p]));
  return spans;
}

} // namespace tocsin::io::kafka
