#pragma once

#include "io/kafka/failure.hpp"
#include "io/kafka/handle.hpp"
#include "io/kafka/properties.hpp"
#include "io/result.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::io::kafka {

enum class client_kind { consumer, producer };

struct connection_options {
  client_kind kind = client_kind::consumer;
  properties client;                    ///< as the user gave them
  error_code code = error_code::source; ///< whose errors these are
  using setting = std::pair<const char*, std::string>;
  std::vector<setting> defaults; ///< unless the user wants them otherwise
  std::vector<setting> fixed;    ///< what our guarantees rest upon: a user who wants them otherwise is refused
  std::function<void(const std::string&)> log;                     ///< one line of librdkafka's log
  std::function<void(const rd_kafka_message_t&)> on_delivery = {}; ///< producer: what became of a message
};

/// One client of librdkafka: a user's properties checked, secrets read; its log lines and errors come out here with the
/// secrets taken out. Owned and used by one thread: callbacks come from within poll() and the calls that wait. A broker
/// that is away is no error here: librdkafka tries for ever, trouble() says what is the matter.
class connection {
public:
  static result<std::unique_ptr<connection>> open(connection_options options);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  rd_kafka_t* handle() const { return client_.get(); }
  /// Hands out log lines, errors and delivery reports, waiting up to `wait_ms` for the first.
  void poll(int wait_ms);
  /// `HOST:PORT,...`, for messages.
  const std::string& servers() const { return servers_; }
  /// What librdkafka complained of last, for example "Connection refused"; fatal if no time mends it.
  const std::optional<error>& trouble() const { return trouble_; }
  void forget_trouble() { trouble_.reset(); }
  /// An error of a call: with the trouble behind it, where it is only a time-out.
  error failure(rd_kafka_resp_err_t err, const std::string& what, const std::string& reason = {});
  /// Nobody answered for so long.
  error no_answer(const std::string& what, int waited_ms);
  std::string redacted(std::string text) const { return redact_(std::move(text)); }

private:
  explicit connection(connection_options options) : options_(std::move(options)) {}
  result<void> configure(settings& conf);
  result<void> set(settings& conf, const std::string& name, const std::string& value);
  void take_error(rd_kafka_resp_err_t err, const char* reason);
  static void on_log(const rd_kafka_t* from, int level, const char* facility, const char* text);

  connection_options options_;
  redactor redact_;
  std::string servers_;
  std::optional<error> trouble_;
  client client_; ///< the last: its callbacks use the others
};

} // namespace tocsin::io::kafka
