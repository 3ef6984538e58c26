#include "tools/topics/alert_topic.hpp"

#include "io/kafka/topic_admin.hpp"

#include <fmt/format.h>

#include <utility>

namespace tocsin::tools {

namespace {

using std::chrono::milliseconds;
constexpr std::size_t batch = 500;
constexpr milliseconds moment{20};

} // namespace

alert_topic::alert_topic(std::string topic, bool follow, std::unique_ptr<io::kafka::topic_reader> reader)
    : topic_(std::move(topic)), follow_(follow), reader_(std::move(reader)), parts_(reader_->size()) {}

io::result<std::unique_ptr<alert_topic>> alert_topic::open(const std::string& topic, const broker& at, bool follow) {
  auto admin = io::kafka::open_admin(at.client, io::error_code::source, at.log);
  if (!admin)
    return admin.failure();
  const auto partitions = io::kafka::partitions_of(**admin, topic, at.patience);
  if (!partitions)
    return partitions.failure();
  const auto present = io::kafka::present_spans(**admin, topic, *partitions, at.patience);
  if (!present)
    return present.failure();
  io::kafka::topic_reader_options options;
  options.client = at.client;
  options.topic = topic;
  options.log = at.log;
  for (std::int32_t p = 0; p < *partitions; ++p) {
    const auto& span = (*present)[static_cast<std::size_t>(p)];
    options.parts.push_back({p, span.begin, follow ? std::nullopt : std::optional(span.end)});
  }
  if (!follow)
    options.patience = at.patience;
  auto reader = io::kafka::topic_reader::open(std::move(options));
  if (!reader)
    return reader.failure();
  return std::unique_ptr<alert_topic>(new alert_topic(topic, follow, std::move(*reader)));
}

io::result<bool> alert_topic::read_more(std::size_t index, milliseconds wait) {
  auto& into = parts_[index];
  const auto outcome = reader_->read(index, batch, wait, [&](const io::kafka::message_view& one) -> io::result<void> {
    if (!one.value)
      return {};
    std::string line(*one.value);
    while (!line.empty() && line.back() == '\n')
      line.pop_back();
    into.read.push_back({one.offset, one.time, std::move(line)});
    return {};
  });
  if (!outcome)
    return outcome.failure();
  into.ended = *outcome == io::read_outcome::ended;
  return *outcome == io::read_outcome::block;
}

std::optional<std::size_t> alert_topic::earliest() const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (!parts_[i].read.empty() && (!found || parts_[i].read.front().time < parts_[*found].read.front().time))
      found = i;
  return found;
}

io::result<std::optional<std::string>> alert_topic::next() {
  using line = std::optional<std::string>;
  for (;;) {
    bool known = true;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].read.empty() || is_complete(i))
        continue;
      if (auto more = read_more(i, moment); !more)
        return more.failure();
      known = known && (!parts_[i].read.empty() || is_complete(i));
    }
    if (known)
      if (const auto first = earliest()) {
        auto& from = parts_[last_part_ = *first].read;
        last_offset_ = from.front().offset;
        line found = std::move(from.front().line);
        from.pop_front();
        return found;
      }
    if (!follow_ && known)
      return line();
    if (!follow_)
      continue;
    bool news = false;
    for (std::size_t i = 0; i < parts_.size(); ++i)
      if (parts_[i].read.empty()) {
        const auto more = read_more(i, milliseconds(0));
        if (!more)
          return more.failure();
        news = news || *more;
      }
    if (!news)
      return line();
  }
}

std::string alert_topic::place() const {
  return fmt::format("topic {}, partition {}, offset {}", topic_, last_part_, last_offset_);
}

} // namespace tocsin::tools
