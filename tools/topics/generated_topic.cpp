#include "tools/topics/generated_topic.hpp"

#include "io/kafka/topic_admin.hpp"
#include "io/kafka/topic_writer.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace tocsin::tools {

namespace {

using generator::dimension_values;

class topic_lines final : public generator::line_sink {
public:
  topic_lines(std::unique_ptr<io::kafka::topic_writer> writer, std::vector<generator::dimension> key_by,
              std::uint32_t partitions, const generator::stream_profile& profile)
      : writer_(std::move(writer)), key_by_(std::move(key_by)), partitions_(partitions), values_(profile.values) {}

  std::size_t partitions() const override { return key_by_.empty() ? partitions_ : 1; }
  io::result<char*> room(std::size_t /*partition*/, std::size_t bytes) override {
    line_.resize(std::max(line_.size(), bytes));
    return line_.data();
  }
  io::result<void> commit(std::size_t partition, const char* end, const dimension_values& values) override {
    std::string_view line(line_.data(), static_cast<std::size_t>(end - line_.data()));
    line.remove_suffix(1);
    if (key_by_.empty())
      return writer_->write({std::nullopt, line, static_cast<std::int32_t>(partition), {}});
    key_.clear();
    for (const auto dimension : key_by_)
      key_ += (dimension == key_by_.front() ? "" : "|") + values_[dimension].name(values[dimension]);
    return writer_->write({key_, line, std::nullopt, {}});
  }
  io::result<void> close() override { return writer_->flush(); }

private:
  std::unique_ptr<io::kafka::topic_writer> writer_;
  std::vector<generator::dimension> key_by_;
  std::uint32_t partitions_;
  std::array<generator::dimension_profile, generator::dimensions> values_;
  std::string line_;
  std::string key_;
};

io::error misuse(const std::string& message) {
  return {io::error_code::usage, message, false, true};
}

/// Creates the topic or finds it; its number of partitions.
io::result<std::uint32_t> prepare(const generated_topic& topic, const broker& at) {
  auto admin = io::kafka::open_admin(at.client, io::error_code::sink, at.log);
  if (!admin)
    return admin.failure();
  if (topic.create) {
    const auto partitions = static_cast<std::int32_t>(topic.partitions.value_or(1));
    if (auto created = io::kafka::create_topic(**admin, {topic.name, partitions, {}}, at.patience); !created)
      return created.failure();
  }
  const auto found = io::kafka::partitions_of(**admin, topic.name, at.patience);
  if (!found) {
    auto failure = found.failure();
    if (failure.fatal)
      failure.message += "; --create --partitions N makes it";
    return failure;
  }
  const auto partitions = static_cast<std::uint32_t>(*found);
  if (topic.partitions && *topic.partitions != partitions)
    return misuse(fmt::format("--partitions: found {}, but topic {} has {} already; leave the option out",
                              *topic.partitions, topic.name, partitions));
  return partitions;
}

} // namespace

io::result<std::unique_ptr<generator::line_sink>> open_generated_topic(const generated_topic& topic, const broker& at,
                                                                       const generator::stream_profile& profile) {
  const auto partitions = prepare(topic, at);
  if (!partitions)
    return partitions.failure();
  auto writer = io::kafka::topic_writer::open({at.client, topic.name, at.patience, at.log});
  if (!writer)
    return writer.failure();
  return std::unique_ptr<generator::line_sink>(
      std::make_unique<topic_lines>(std::move(*writer), topic.key_by, *partitions, profile));
}

} // namespace tocsin::tools
