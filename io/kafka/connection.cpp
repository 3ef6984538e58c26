#include "io/kafka/connection.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace tocsin::io::kafka {

namespace {

constexpr std::size_t reason_bytes = 512;

connection& owner(void* opaque) {
  return *static_cast<connection*>(opaque);
}

error mistake(const std::string& message) {
  return {error_code::configuration, message, false, true};
}

std::string value_in(const settings& conf, const char* name) {
  std::array<char, 4096> text{};
  auto size = text.size();
  return rd_kafka_conf_get(conf.get(), name, text.data(), &size) == RD_KAFKA_CONF_OK ? text.data() : "";
}

} // namespace

result<void> connection::set(settings& conf, const std::string& name, const std::string& value) {
  std::array<char, reason_bytes> reason{};
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(), reason.size()) == RD_KAFKA_CONF_OK)
    return {};
  return mistake(redacted(fmt::format("{}: {}", options_.client.place_of(name), reason.data())));
}

result<void> connection::configure(settings& conf) {
  auto given = options_.client.resolve();
  if (!given)
    return given.failure();
  redact_ = given->redact;
  using settings_given = std::vector<connection_options::setting>;
  const settings_given usual = {
      {"client.id", "tocsin"},
      {"log_level", "4"},
      {"log.queue", "true"}, // so that no line comes from a thread of librdkafka's own
  };
  for (const auto* group : {&usual, &std::as_const(options_.defaults)})
    for (const auto& [name, value] : *group)
      if (auto done = set(conf, name, value); !done)
        return done;
  for (const auto& [name, value] : given->values) {
    for (const auto& [fixed_name, fixed_value] : options_.fixed)
      if (name == fixed_name && value != fixed_value)
        return mistake(redacted(fmt::format("{}: found \"{}\", expected \"{}\" or nothing: exactly once rests upon it",
                                            options_.client.place_of(name), value, fixed_value)));
    if (auto done = set(conf, name, value); !done)
      return done;
  }
  for (const auto& [name, value] : options_.fixed)
    if (auto done = set(conf, name, value); !done)
      return done;
  servers_ = redacted(value_in(conf, "bootstrap.servers"));
  if (servers_.empty())
    return mistake(fmt::format("{}: is missing, expected \"HOST:PORT\" of one or more brokers, separated by commas",
                               options_.client.place_of("bootstrap.servers")));
  return {};
}

void connection::on_log(const rd_kafka_t* from, int /*level*/, const char* facility, const char* text) {
  auto& self = owner(rd_kafka_opaque(from));
  // One set of properties serves consumers and producers: what the one does not know is no reason to warn.
  if (self.options_.log && std::string_view(facility) != "CONFWARN")
    self.options_.log(self.redacted(fmt::format("{}: {}", facility, text)));
}

result<std::unique_ptr<connection>> connection::open(connection_options options) {
  std::unique_ptr<connection> self(new connection(std::move(options)));
  settings conf(rd_kafka_conf_new());
  if (auto configured = self->configure(conf); !configured)
    return configured.failure();
  rd_kafka_conf_set_opaque(conf.get(), self.get());
  rd_kafka_conf_set_log_cb(conf.get(), &connection::on_log);
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t* /*client*/, int err, const char* reason, void* opaque) {
    owner(opaque).take_error(static_cast<rd_kafka_resp_err_t>(err), reason);
  });
  const auto kind = self->options_.kind == client_kind::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  if (self->options_.on_delivery)
    rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t* /*client*/, const rd_kafka_message_t* sent, void* opaque) {
      owner(opaque).options_.on_delivery(*sent);
    });
  std::array<char, reason_bytes> reason{};
  self->client_.reset(rd_kafka_new(kind, conf.get(), reason.data(), reason.size()));
  if (!self->client_)
    return mistake(
        self->redacted(fmt::format("{}: {}", self->options_.client.place_of("bootstrap.servers"), reason.data())));
  static_cast<void>(conf.release()); // the client's now
  rd_kafka_set_log_queue(self->client_.get(), nullptr);
  return self;
}

void connection::poll(int wait_ms) {
  rd_kafka_poll(client_.get(), wait_ms);
}

void connection::take_error(rd_kafka_resp_err_t err, const char* reason) {
  std::array<char, reason_bytes> text{};
  if (err == RD_KAFKA_RESP_ERR__FATAL) {
    const auto cause = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
    trouble_ =
        error{options_.code, redacted(fmt::format("{}: {}", rd_kafka_err2name(cause), text.data())), false, true};
    return;
  }
  // That all brokers are down says less than why the last of them is; and what is final stays so.
  if (trouble_ && (trouble_->fatal || err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN))
    return;
  trouble_ = error{options_.code, redacted(reason), is_retriable(err), is_fatal(err)};
}

error connection::failure(rd_kafka_resp_err_t err, const std::string& what, const std::string& reason) {
  poll(0);
  auto out = failure_of(options_.code, err, what, redacted(reason));
  if (trouble_ && is_retriable(err)) {
    out.message += " (" + trouble_->message + ")";
    out.fatal = trouble_->fatal;
    out.retriable = !trouble_->fatal;
  }
  return out;
}

error connection::no_answer(const std::string& what, int waited_ms) {
  return failure(RD_KAFKA_RESP_ERR__TIMED_OUT, what,
                 fmt::format("no answer from {} for {} s", servers_, static_cast<double>(waited_ms) / 1000));
}

} // namespace tocsin::io::kafka
